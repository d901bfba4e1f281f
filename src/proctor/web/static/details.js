// One program beside the table: facts, log, history, configuration.
import { html, useState } from "./lib.js";
import { named } from "./api.js";
import { History } from "./history.js";
import { Log } from "./log.js";
import { Panel, useAnswer } from "./panel.js";
import { go, route } from "./route.js";
import { Orders, State, Uptime, Why } from "./rows.js";
import { Spark } from "./spark.js";
import { daemon, table } from "./store.js";

const TABS = { log: "Log", history: "History", configuration: "Configuration" };

function Logs({ process }) {
  const { id, logs } = process;
  const streams = ["stdout", "stderr"].filter((name) => logs[name]);
  const [picked, pick] = useState("stdout");
  const stream = streams.includes(picked) ? picked : streams[0];
  if (!stream) return html`<p class="empty">This program has no log file.</p>`;
  const choice = (name) => html`<button type="button" aria-pressed=${name === stream} onClick=${() => pick(name)}>${name}</button>`;
  return html`<${Log} key=${id + stream} url=${named(id, `/logs/${stream}`)} name=${`${id}-${stream}.log`}>
    <span class="choice">${streams.map(choice)}</span>
  <//>`;
}

const shown = (value) => (Array.isArray(value) ? value.join(", ") : String(value));

function Configuration({ process }) {
  const [told, trouble] = useAnswer(named(process.id, "/configuration"), process.start);
  if (!told) return html`<p class="empty" role="alert">${trouble}</p>`;
  return html`<div class="text" tabindex="0">
    <p>From <code>${told.origin}</code></p>
    <table>
      <tbody>${Object.entries(told.options).map(([name, value]) => html`<tr><th scope="row">${name}</th><td>${shown(value)}</td></tr>`)}</tbody>
    </table>
    <h3>Environment</h3>
    <p>${told.environment.length ? told.environment.map((name) => html`<code>${name}</code> `) : "Nothing is set for it."}</p>
  </div>`;
}

const VIEWS = { log: Logs, history: History, configuration: Configuration };

export default function Details() {
  const { name, tab } = route.value;
  const process = table.value.get(name)?.value;
  if (!process) return html`<${Panel} title=${name}><p class="empty">There is no program ${name}.</p><//>`;
  const tabs = Object.keys(VIEWS).filter((key) => key !== "log" || daemon.value?.reads_logs);
  const View = VIEWS[tabs.includes(tab) ? tab : tabs[0]];
  const fact = (title, what) => html`<div><dt>${title}</dt><dd>${what}</dd></div>`;
  return html`<${Panel} title=${name}>
    <header>
      <h2>${name}</h2><${State} process=${process} />
      <div class="orders"><${Orders} process=${process} text /></div>
    </header>
    <dl>
      ${fact("Uptime", html`<${Uptime} process=${process} />`)}${fact("Pid", process.pid || "–")}
      ${fact("Restarts", process.restarts)}
      ${fact("CPU", html`<${Spark} id=${name} what="cpu" wide=${80} />`)}
      ${fact("Memory", html`<${Spark} id=${name} what="rss" wide=${80} />`)}
      ${fact("Last exit", html`<${Why} process=${process} />`)}
    </dl>
    <nav class="tabs" aria-label="Views">
      ${tabs.map((key) => html`<button type="button" aria-current=${VIEWS[key] === View ? "page" : undefined} onClick=${() => go(name, key)}>${TABS[key]}</button>`)}
    </nav>
    <${View} key=${name} process=${process} />
  <//>`;
}
