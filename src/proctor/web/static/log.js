// A log: its end, then what is added; what was earlier when one scrolls up.
import { html, useEffect, useLayoutEffect, useMemo, useRef, useState } from "./lib.js";
import { classes, paint } from "./ansi.js";
import { ask } from "./api.js";
import { Button } from "./icons.js";
import { LogText } from "./logtext.js";
import { stream } from "./stream.js";

const PIECE = 65536;

// The text that is shown of `url`, which may be null while there is none.
function useLog(url) {
  const [, draw] = useState(0);
  const log = useMemo(() => ({ text: new LogText(), from: 0, state: "" }), [url]);
  useEffect(() => {
    let stop;
    let frame;
    let gone = false;
    const soon = () => {
      frame ??= requestAnimationFrame(() => {
        frame = undefined;
        draw((n) => n + 1);
      });
    };
    const say = (state) => {
      log.state = state;
      soon();
    };
    const add = (text) => {
      if (log.text.append(text)) log.from = null; // the front was let go: nobody knows its place
      soon();
    };
    const on = {
      log: ({ data }) => add(data),
      reset: () => {
        log.text = new LogText();
        log.from = 0;
        soon();
      },
    };
    ask(`${url}?offset=${-PIECE}&length=${PIECE}`).then((end) => {
      if (gone) return;
      const cut = end.offset && end.data.indexOf("\n") + 1;
      log.from = end.offset + size(end.data.slice(0, cut));
      add(end.data.slice(cut));
      const path = (last) => `${url}/follow?after=${last}`;
      stop = stream(path, end.place, on, (live) => say(live ? "" : "not connected"));
    }, (error) => say(error.message));
    return () => {
      gone = true;
      stop?.();
      cancelAnimationFrame(frame);
    };
  }, [url]);
  const earlier = async () => {
    if (!log.from || log.reading) return;
    log.reading = true;
    const offset = Math.max(0, log.from - PIECE);
    const found = await ask(`${url}?offset=${offset}&length=${log.from - offset}`).catch(() => null);
    log.reading = false;
    if (!found?.data) return;
    const cut = offset && found.data.indexOf("\n") + 1;
    log.from = offset + size(found.data.slice(0, cut));
    log.text.prepend(found.data.slice(cut));
    draw((n) => n + 1);
  };
  return [log, earlier];
}

const size = (text) => new TextEncoder().encode(text).length;

const Piece = ({ text, look }) => {
  const rgb = typeof look.fg === "string" || typeof look.bg === "string";
  return html`<span class=${classes(look)} ref=${rgb ? (node) => node && paint(node, look) : null}>${text}</span>`;
};

const plain = (line) => line.found.map((piece) => piece.text).join("");

// A line with what was looked for marked; its colours rest meanwhile.
function Marked({ text, needle }) {
  const parts = [];
  let from = 0;
  for (let n; (n = text.toLowerCase().indexOf(needle, from)) >= 0; from = n + needle.length)
    parts.push(text.slice(from, n), html`<mark>${text.slice(n, n + needle.length)}</mark>`);
  return html`<div class="line">${parts}${text.slice(from)}</div>`;
}

export function Block({ lines, needle }) {
  const drawn = useMemo(
    () => lines.map((line) => {
      if (!needle) return html`<div class="line" key=${line.key}>${line.found.map((piece) => html`<${Piece} ...${piece} />`)}${"\n"}</div>`;
      const text = plain(line);
      return text.toLowerCase().includes(needle) ? html`<${Marked} key=${line.key} text=${text} needle=${needle} />` : null;
    }),
    [lines, needle],
  );
  return html`<div class="block">${drawn}</div>`;
}

// The whole file, piece by piece, as it is.
async function save(url, name) {
  const parts = [];
  for (let offset = 0; ; ) {
    const { data, end, size: whole } = await ask(`${url}?offset=${offset}&length=1048576&encoding=base64`);
    parts.push(Uint8Array.from(atob(data), (char) => char.charCodeAt(0)));
    if (end <= offset || end >= whole) break;
    offset = end;
  }
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(parts, { type: "application/octet-stream" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

export function Log({ url, name, children }) {
  const [log, earlier] = useLog(url);
  const [following, setFollowing] = useState(true);
  const [needle, setNeedle] = useState("");
  const [trouble, setTrouble] = useState("");
  const box = useRef();
  const held = useRef({});
  const tail = log.text.tail();
  useLayoutEffect(() => {
    const node = box.current;
    // What came in front must not push what is being read.
    if (log.text.first !== held.current.first && held.current.text === log.text && !following)
      node.scrollTop += node.scrollHeight - held.current.height;
    if (following) node.scrollTop = node.scrollHeight;
    held.current = { first: log.text.first, text: log.text, height: node.scrollHeight, top: node.scrollTop };
  });
  const scrolled = () => {
    const { scrollTop, scrollHeight, clientHeight } = box.current;
    // Only who scrolls up lets go of the end; a box that changes its size does not.
    if (scrollHeight - scrollTop - clientHeight < 8) setFollowing(true);
    else if (scrollTop < held.current.top) setFollowing(false);
    held.current.top = scrollTop;
    if (scrollTop < 200) earlier();
  };
  const find = needle.toLowerCase();
  return html`<section class="log">
    <div class="bar">
      ${children}
      <input type="search" placeholder="Find in log" aria-label="Find in log" value=${needle} onInput=${(event) => setNeedle(event.target.value)} />
      <button type="button" class="follow" aria-pressed=${following} onClick=${() => setFollowing(!following)}>Follow</button>
      <${Button} icon="save" label="Download" onClick=${() => save(url, name).catch((error) => setTrouble(error.message))} />
    </div>
    ${(trouble || log.state) && html`<p class="bad" role="alert">${trouble || log.state}</p>`}
    <pre ref=${box} onScroll=${scrolled} tabindex="0" role="region" aria-label=${`Log ${name}`}>
      ${log.text.blocks.map((block) => html`<${Block} key=${block.key} lines=${block.lines} needle=${find} />`)}
      ${tail && html`<${Block} lines=${[tail]} needle=${find} />`}
    </pre>
  </section>`;
}
