// The table.  Of a long one only what is near the window is drawn.
import { html, useComputed, useEffect, useRef, useState } from "./lib.js";
import { order } from "./act.js";
import { Button, Icon } from "./icons.js";
import { go, route } from "./route.js";
import { Spark } from "./spark.js";
import { ago, moment, span } from "./text.js";
import * as store from "./store.js";

const WHOLE = 150; // up to so many lines are drawn all
const COLUMNS = { name: "Name", state: "State", uptime: "Uptime", pid: "Pid", restarts: "Restarts",
  cpu: "CPU", rss: "Memory", last: "Last exit" };

export const canStart = (process) => !["RUNNING", "STARTING", "STOPPING"].includes(process.state);

export const State = ({ process }) =>
  html`<span class=${`state ${store.kindOf(process)}`}>${process.state.toLowerCase()}</span>`;

export function Uptime({ process }) {
  const { pid, start } = process;
  return html`${pid && start ? span(store.clock.value - start) : "–"}`;
}

export function Why({ process }) {
  const { id, state, spawnerr, last_exit: end, description } = process;
  const failed = store.notes.value.get(id);
  if (failed) return html`<span class="failed" role="alert" title=${failed}>${failed}</span>`;
  const trouble = (state === "FATAL" || state === "BACKOFF") && spawnerr;
  if (trouble) return html`<span class="bad" title=${trouble}>${trouble}</span>`;
  if (!end) return state === "STOPPED" ? description : "–";
  const text = `${end.text} · ${ago(store.clock.value - end.time)}`;
  return html`<span class=${end.expected ? "" : "bad"} title=${`${end.text}, ${moment(end.time)}`}>${text}</span>`;
}

const title = (verb) => verb[0].toUpperCase() + verb.slice(1);

export function Orders({ process, text }) {
  const { id } = process;
  const verb = canStart(process) ? "start" : "stop";
  const one = (name) => html`<${Button}
    icon=${name} class=${name} label=${`${title(name)} ${id}`}
    text=${text && name} onClick=${() => order(name, [id])}
    disabled=${store.busy.value.has(id)}
  />`;
  return html`${one(verb)}${one("restart")}${process.pid && text ? one("signal") : ""}`;
}

function Row({ id, member, index }) {
  const one = store.table.value.get(id);
  if (!one) return null;
  const process = one.value;
  const on = useComputed(() => store.chosen.value.has(id)).value;
  const waits = useComputed(() => store.busy.value.has(id)).value;
  const pick = () => (store.chosen.value = store.toggled(store.chosen.peek(), [id]));
  return html`<div
    role="row" aria-rowindex=${index} data-id=${id}
    class=${`row ${store.kindOf(process)} ${member ? "member" : ""} ${on ? "on" : ""} ${waits ? "waits" : ""} ${route.value.name === id ? "open" : ""}`}
  >
    <span role="cell" class="pick"><input type="checkbox" aria-label=${`Select ${id}`} checked=${on} onChange=${pick} /></span>
    <span role="cell" class="name"><button type="button" class="link" title=${id} onClick=${() => go(id)}>${member ? process.name : id}</button></span>
    <span role="cell" class="col-state"><${State} process=${process} /></span>
    <span role="cell" class="num col-uptime"><${Uptime} process=${process} /></span>
    <span role="cell" class="num col-pid">${process.pid || "–"}</span>
    <span role="cell" class="num col-restarts">${process.restarts}</span>
    <span role="cell" class="num use col-cpu"><${Spark} id=${id} what="cpu" /></span>
    <span role="cell" class="num use col-rss"><${Spark} id=${id} what="rss" /></span>
    <span role="cell" class="col-last"><${Why} process=${process} /></span>
    <span role="cell" class="orders"><${Orders} process=${process} /></span>
  </div>`;
}

function Group({ group, ids, index }) {
  const open = !store.folded.value.has(group);
  const on = ids.every((id) => store.chosen.value.has(id));
  const up = ids.filter((id) => store.table.value.get(id)?.value.state === "RUNNING").length;
  const fold = () => (store.folded.value = store.toggled(store.folded.peek(), [group]));
  const pick = () => (store.chosen.value = store.toggled(store.chosen.peek(), ids, !on));
  const one = (verb) => html`<${Button} icon=${verb} class=${verb} label=${`${title(verb)} group ${group}`} onClick=${() => order(verb, ids)} />`;
  return html`<div role="row" aria-rowindex=${index} class="row group">
    <span role="cell" class="pick"><input type="checkbox" aria-label=${`Select group ${group}`} checked=${on} onChange=${pick} /></span>
    <span role="cell" class="name"><button type="button" class="link" aria-expanded=${open} onClick=${fold}><${Icon} name="fold" />${group}</button></span>
    <span role="cell" class="count">${up} of ${ids.length} running</span>
    <span role="cell" class="orders">${one("start")}${one("stop")}${one("restart")}</span>
  </div>`;
}

function Head() {
  const { by, down } = store.wanted.value;
  const sort = (key) => (store.wanted.value = { ...store.wanted.peek(), by: key, down: key === by && !down });
  const ids = store.shown.value;
  const on = ids.length > 0 && ids.every((id) => store.chosen.value.has(id));
  const pick = () => (store.chosen.value = store.toggled(store.chosen.peek(), ids, !on));
  return html`<div role="row" class="row head" aria-rowindex="1">
    <span role="columnheader" class="pick"><input type="checkbox" aria-label="Select all that are shown" checked=${on} onChange=${pick} /></span>
    ${Object.entries(COLUMNS).map(([key, title]) => {
      const way = key !== by ? "none" : down ? "descending" : "ascending";
      return html`<span role="columnheader" class=${`col-${key}`} aria-sort=${way}><button type="button" onClick=${() => sort(key)}>${title}</button></span>`;
    })}
    <span role="columnheader" class="orders"><span class="hidden">Actions</span></span>
  </div>`;
}

// Which lines are near the window: [first, end).
function useNear(box, total) {
  const [near, setNear] = useState([0, 30]); // a screenful; the rest once that is painted
  useEffect(() => {
    const look = () => {
      const height = box.current.querySelector(".row:not(.head)")?.offsetHeight || 36;
      const above = Math.max(0, -box.current.getBoundingClientRect().top) / height;
      const first = Math.max(0, Math.floor(above / 20) * 20 - 20);
      const end = first + Math.ceil(innerHeight / height / 20) * 20 + 40;
      setNear((old) => (old[0] === first && old[1] === end ? old : [first, end]));
    };
    look();
    addEventListener("scroll", look, { passive: true });
    addEventListener("resize", look);
    return () => {
      removeEventListener("scroll", look);
      removeEventListener("resize", look);
    };
  }, []);
  return total <= WHOLE ? [0, total] : [Math.min(near[0], total), Math.min(near[1], total)];
}

// Empty room in place of rows; its height is that of so many.
function Room({ rows }) {
  const set = (node) => node?.style.setProperty("--rows", rows);
  return html`<div class="room" ref=${set} />`;
}

export function Table() {
  const box = useRef();
  const lines = store.lines.value;
  const [first, end] = useNear(box, lines.length);
  return html`<div role="table" class="table" aria-label="Programs" aria-rowcount=${lines.length + 1} ref=${box}>
    <${Head} />
    <${Room} rows=${first} />
    ${lines.slice(first, end).map((line, n) => line.ids
      ? html`<${Group} key=${`${line.group}:*`} ...${line} index=${first + n + 2} />`
      : html`<${Row} key=${line.id} ...${line} index=${first + n + 2} />`)}
    <${Room} rows=${lines.length - end} />
  </div>
  ${!lines.length && html`<p class="empty">${store.table.value.size ? "Nothing matches" : store.link.value.live ? "No programs to manage" : "…"}</p>`}`;
}
