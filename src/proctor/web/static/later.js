// A view whose code and style come when there is time, or when it is first looked at.
import { html, signal } from "./lib.js";

function styled(href) {
  return new Promise((done, failed) => {
    const link = document.createElement("link");
    Object.assign(link, { rel: "stylesheet", href, onload: done, onerror: failed });
    document.head.append(link);
  });
}

export function later(load) {
  const got = signal(null);
  let asked;
  const begin = () => {
    asked ??= Promise.all([load(), style()]).then(
      ([code]) => (got.value = code.default),
      () => (asked = undefined),
    );
  };
  const View = (props) => {
    begin();
    return got.value ? html`<${got.value} ...${props} />` : html`<aside class="panel" aria-busy="true" />`;
  };
  waiting.push(begin);
  return View;
}

// The table stands: what waits may come now.
export function tableStands() {
  for (const begin of waiting.splice(0))
    if (window.requestIdleCallback) requestIdleCallback(begin, { timeout: 3000 });
}

const waiting = [];
let sheet;
const style = () => (sheet ??= styled("static/panel.css").catch(() => (sheet = undefined)));
