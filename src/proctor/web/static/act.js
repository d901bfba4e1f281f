// Orders to programs: asked back first where something is interrupted, and answered in place.
import { html, signal, useEffect, useRef } from "./lib.js";
import { ask } from "./api.js";
import { busy, note, toggled } from "./store.js";
import { several } from "./text.js";

const SIGNALS = ["HUP", "USR1", "USR2", "INT", "QUIT", "TERM", "KILL", "WINCH", "CONT", "STOP"];
const question = signal(null);
export const failure = signal("");

export function order(verb, ids) {
  if (!ids.length) return;
  if (verb === "start" && ids.length === 1) carryOut(verb, ids);
  else question.value = { verb, ids };
}

async function carryOut(verb, ids, body = {}) {
  failure.value = "";
  for (const id of ids) note(id);
  busy.value = toggled(busy.peek(), ids, true);
  try {
    const { results } = await ask(`actions/${verb}`, { names: ids, ...body });
    for (const { id, ok, description } of results) if (!ok) note(id, `${verb}: ${description}`);
  } catch (error) {
    if (ids.length === 1) note(ids[0], `${verb}: ${error.message}`);
    else failure.value = `${verb}: ${error.message}`;
  }
  busy.value = toggled(busy.peek(), ids, false);
}

// The one dialog of the page; Escape and the click beside it mean no.
export function Dialog({ open, onClose, title, children }) {
  const box = useRef();
  useEffect(() => {
    if (open && !box.current.open) box.current.showModal();
    if (!open) box.current.close();
  }, [open]);
  const beside = (event) => event.target === box.current && onClose();
  return html`<dialog ref=${box} aria-label=${title} onClose=${onClose} onClick=${beside}>
    ${open && html`<h2>${title}</h2>${children}`}
  </dialog>`;
}

export function Question() {
  const asked = question.value;
  const close = () => (question.value = null);
  const go = (event) => {
    event.preventDefault();
    const { verb, ids } = asked;
    close();
    const chosen = new FormData(event.target).get("signal");
    carryOut(verb, ids, chosen ? { signal: chosen } : {});
  };
  const { verb = "", ids = [] } = asked || {};
  const word = verb && verb[0].toUpperCase() + verb.slice(1);
  return html`<${Dialog} open=${!!asked} onClose=${close} title=${`${word} ${several(ids)}?`}>
    <form onSubmit=${go}>
      ${ids.length > 1 &&
      html`<ul>
        ${ids.slice(0, 6).map((id) => html`<li>${id}</li>`)}
        ${ids.length > 6 && html`<li>and ${ids.length - 6} more</li>`}
      </ul>`}
      ${verb === "signal" &&
      html`<label>Signal
        <select name="signal">${SIGNALS.map((name) => html`<option>${name}</option>`)}</select>
      </label>`}
      <menu>
        <button type="button" onClick=${close}>Cancel</button>
        <button class=${`main ${verb}`} autofocus>${word}</button>
      </menu>
    </form>
  <//>`;
}
