// The frame of what is looked at beside the table.
import { html, useEffect, useState } from "./lib.js";
import { ask } from "./api.js";
import { Button } from "./icons.js";
import { go } from "./route.js";

// What the daemon answers to a question: [answer, trouble]; asked again when `when` changes.
export function useAnswer(path, when) {
  const [told, tell] = useState([]);
  useEffect(() => {
    let here = true;
    ask(path).then((answer) => here && tell([answer]), (error) => here && tell([null, error.message]));
    return () => (here = false);
  }, [path, when]);
  return told;
}

export function Panel({ title, children }) {
  return html`<aside class="panel" aria-label=${title}>
    ${children}
    <${Button} icon="close" class="close" label="Close" onClick=${() => go("")} />
  </aside>`;
}
