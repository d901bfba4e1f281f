// Everything by keyboard.  Letters act on the row that has the focus.
import { html, render } from "./lib.js";
import { Dialog, order } from "./act.js";
import { go, help, route } from "./route.js";
import { canStart } from "./rows.js";
import { chosen, table, toggled } from "./store.js";

const HELP = [
  ["j, k", "next, previous line"],
  ["Enter", "open it"],
  ["x", "select it"],
  ["s", "start or stop"],
  ["r", "restart"],
  ["g", "send a signal"],
  ["/", "search"],
  ["c", "changes in the files"],
  ["m", "log of the daemon"],
  ["?", "this help"],
  ["Esc", "close"],
];

function move(step) {
  const rows = [...document.querySelectorAll(".row:not(.head) .name button")];
  const now = rows.indexOf(document.activeElement?.closest(".row")?.querySelector(".name button"));
  const next = rows[now < 0 ? 0 : now + step];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

const HERE = {
  x: (id) => (chosen.value = toggled(chosen.peek(), [id])),
  s: (id) => order(canStart(table.peek().get(id).peek()) ? "start" : "stop", [id]),
  r: (id) => order("restart", [id]),
  g: (id) => order("signal", [id]),
};
const ANYWHERE = {
  j: () => move(1),
  k: () => move(-1),
  c: () => go("!changes"),
  m: () => go("!log"),
  "/": () => document.querySelector("#search").focus(),
  "?": () => (help.value = true),
};

addEventListener("keydown", (event) => {
  const { key, target } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (key === "Escape") {
    if (target.matches("input")) target.blur();
    else if (route.peek().name) go("");
    return;
  }
  if (target.matches("input:not([type=checkbox]), select, textarea")) return;
  const id = target.closest?.("[data-id]")?.dataset.id || route.peek().name;
  const act = ANYWHERE[key] || (table.peek().has(id) && HERE[key]);
  if (!act) return;
  event.preventDefault();
  act(id);
});

const Help = () => html`<${Dialog} open=${help.value} onClose=${() => (help.value = false)} title="Keyboard">
  <dl class="keys">${HELP.map(([key, what]) => html`<dt><kbd>${key}</kbd></dt><dd>${what}</dd>`)}</dl>
  <menu><button type="button" autofocus onClick=${() => (help.value = false)}>Close</button></menu>
<//>`;

render(html`<${Help} />`, document.body.appendChild(document.createElement("div")));
