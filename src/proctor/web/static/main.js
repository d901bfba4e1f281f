// The page at /: head, table, and what is looked at beside it.
import { html, render, signal } from "./lib.js";
import { failure, order, Question } from "./act.js";
import { Button } from "./icons.js";
import { later, tableStands } from "./later.js";
import { follow } from "./live.js";
import { go, help, route } from "./route.js";
import { Table } from "./rows.js";
import * as store from "./store.js";
import { several } from "./text.js";

const KINDS = { all: "All", running: "Running", stopped: "Stopped", changing: "Changing", trouble: "Trouble" };
// What the old addresses tell by a redirect to here.
const told = signal(new URLSearchParams(location.search).get("message"));

const Details = later(() => import("./details.js"));
const Changes = later(() => import("./changes.js"));
const DaemonLog = later(() => import("./daemonlog.js"));

const want = (what) => (store.wanted.value = { ...store.wanted.peek(), ...what });

function Link() {
  const { live, tried } = store.link.value;
  const stopping = live && store.daemon.value?.state !== "RUNNING";
  const text = stopping ? "stopping" : live ? "live" : tried ? "not connected" : "connecting";
  return html`<span class=${`link ${live && !stopping ? "good" : "bad"}`} role="status">${text}</span>`;
}

function Head() {
  const daemon = store.daemon.value;
  return html`<header class="top">
    <img src="static/icon.svg" alt="" width="24" height="24" />
    <h1>${daemon?.identifier || "Supervisor"}</h1><${Link} />
    <span class="gap"></span>
    <${Button} icon="changes" class="ruling" text="Changes" onClick=${() => go("!changes")} />
    <${Button} icon="log" class="reading" text="Daemon log" onClick=${() => go("!log")} />
    <${Button} icon="theme" label="Dark or light" onClick=${turn} />
    <button type="button" aria-label="Keyboard help" title="Keyboard" onClick=${() => (help.value = true)}>?</button>
  </header>`;
}

function Filters() {
  const { text, kind } = store.wanted.value;
  return html`<div class="bar filters">
    <input id="search" type="search" placeholder="Search  /" aria-label="Search programs" value=${text} onInput=${(event) => want({ text: event.target.value })} />
    <span class="choice" role="group" aria-label="Filter by state">
      ${Object.entries(KINDS).map(([key, title]) => html`<button type="button" class=${key} aria-pressed=${key === kind} onClick=${() => want({ kind: key })}>${title} <b>${store.counts.value[key]}</b></button>`)}
    </span>
    <span class="gap"></span><${Orders} />
  </div>`;
}

// For what is selected; without a selection, for all that is shown.
function Orders() {
  const some = store.chosen.value.size > 0;
  const ids = some ? [...store.chosen.value] : store.shown.value;
  const one = (verb, word) => html`<${Button} icon=${verb} class=${verb} text=${word} disabled=${!ids.length} onClick=${() => order(verb, ids)} />`;
  return html`<span class="orders many" role="group" aria-label=${some ? "For the selection" : "For all that is shown"}>
    <span>${some ? `${several(ids)}:` : ids.length === store.table.value.size ? "All:" : "Shown:"}</span>
    ${one("start", "Start")}${one("stop", "Stop")}${one("restart", "Restart")}
    ${some && one("signal", "Signal")}
    ${some && html`<${Button} icon="close" label="Select none" onClick=${() => (store.chosen.value = new Set())} />`}
  </span>`;
}

function Alerts() {
  const { live, tried, since, why } = store.link.value;
  const lost = tried && !live;
  // Only then: the first time costs 17 ms.
  const at = lost && new Date(since).toLocaleTimeString();
  return html`<div aria-live="polite">
    ${lost && html`<p class="alert bad" role="alert">The daemon does not answer since ${at}. What is shown is what was known then. Trying again …${why ? ` (${why})` : ""}</p>`}
    ${store.daemon.value?.warnings?.map((text) => html`<p class="alert">${text}</p>`)}
    ${failure.value && html`<p class="alert bad" role="alert">${failure.value} <${Button} icon="close" label="Dismiss" onClick=${() => (failure.value = "")} /></p>`}
    ${told.value && html`<p class="alert" role="status">${told.value} <${Button} icon="close" label="Dismiss" onClick=${() => (told.value = "")} /></p>`}
  </div>`;
}

function Beside() {
  const { name } = route.value;
  if (name === "!changes") return html`<${Changes} />`;
  if (name === "!log") return html`<${DaemonLog} />`;
  return name && (store.table.value.size > 0 || store.link.value.tried) ? html`<${Details} />` : null;
}

function App() {
  const beside = route.value.name ? "beside" : "";
  const lost = store.link.value.tried && !store.link.value.live ? "lost" : "";
  return html`<${Head} />
    <${Alerts} />
    <div class=${`both ${beside} ${lost}`}>
      <main><${Filters} /><${Table} /></main>
      <${Beside} />
    </div>
    <${Question} />`;
}

// Dark or light: as the system says, until somebody says otherwise here.
const root = document.documentElement;
let kept = {};
try {
  kept = localStorage;
} catch {
  // then a choice holds for this visit
}
root.dataset.theme = kept.theme || "";
function turn() {
  const dark = kept.theme ? kept.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = kept.theme = dark ? "light" : "dark";
}

if (told.peek() !== null) history.replaceState(null, "", location.pathname + location.hash);
render(html`<${App} />`, document.getElementById("app"));
follow().then(() => {
  import("./keys.js");
  tableStands();
});
