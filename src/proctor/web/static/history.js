// Why a program is as it is, and its runs, from the journal.
import { html, useMemo, useState } from "./lib.js";
import { named } from "./api.js";
import { Block } from "./log.js";
import { LogText } from "./logtext.js";
import { useAnswer } from "./panel.js";
import { clock, daemon } from "./store.js";
import { bytes, moment, span } from "./text.js";

function Step({ time, until, text }) {
  return html`<li><time>${moment(time)}${until ? ` – ${new Date(until * 1000).toLocaleTimeString()}` : ""}</time> ${text}</li>`;
}

// What one run wrote, as the log shows it.
function Output({ id, run }) {
  const [told, trouble] = useAnswer(named(id, `/output?run=${run}`));
  const text = useMemo(() => new LogText(`${told?.text || ""}\n`), [told]);
  return html`<h3>What run ${run} wrote${told && !told.complete ? ", at its end" : ""}</h3>
    ${trouble ? html`<p class="bad" role="alert">${trouble}</p>` : html`<pre>${text.blocks.map((block) => html`<${Block} key=${block.key} lines=${block.lines} />`)}</pre>`}`;
}

function Run({ pick, run, start, end, uptime, expected, ending, cpu_seconds: cpu, peak_bytes: peak, out_of_memory: memory }) {
  const how = memory ? `${ending || "ended"}, out of memory${memory === "yes" ? "" : "?"}` : ending || "nobody saw how";
  return html`<tr>
    <td>${daemon.value?.reads_logs ? html`<button type="button" title=${`What run ${run} wrote`} onClick=${() => pick(run)}>${run}</button>` : run}</td><td>${moment(start)}</td><td>${span(end ? uptime : clock.value - start)}</td>
    <td class=${end && expected === false ? "bad" : ""}>${end ? how : "runs"}</td>
    <td>${cpu === undefined ? "" : `${cpu.toFixed(1)} s`}</td><td>${peak ? bytes(peak) : ""}</td>
  </tr>`;
}

export function History({ process }) {
  // Everything there is to tell changes with the state.
  const when = `${process.state} ${process.pid} ${process.restarts}`;
  const [why, trouble] = useAnswer(named(process.id, "/why"), when);
  const [told] = useAnswer(named(process.id, "/history"), when);
  const [picked, pick] = useState(0);
  const runs = told ? [...told.runs].reverse() : [];
  return html`<div class="text" tabindex="0">
    ${trouble && html`<p class="bad" role="alert">${trouble}</p>`}
    ${why && html`<p class="why">${why.sentence}</p><ol>${why.steps.map((step) => html`<${Step} ...${step} />`)}</ol>`}
    ${why?.last_output && html`<h3>Its last lines</h3><pre>${why.last_output}</pre>`}
    ${picked > 0 && html`<${Output} key=${picked} id=${process.id} run=${picked} />`}
    ${runs.length > 0 && html`<h3>Runs</h3><table>
      <thead><tr>${["#", "Started", "Lasted", "Ended", "CPU", "Peak"].map((title) => html`<th scope="col">${title}</th>`)}</tr></thead>
      <tbody>${runs.map((run) => html`<${Run} key=${run.run} pick=${pick} ...${run} />`)}</tbody>
    </table>`}
  </div>`;
}
