// What the files say differently from what runs, and taking it over.
import { html, useState } from "./lib.js";
import { ask } from "./api.js";
import { Panel, useAnswer } from "./panel.js";

const WORDS = { removed: "Removed", changed: "Changed", added: "Added" };

function Group({ group, stops, starts }) {
  return html`<li>
    <strong>${group}</strong>
    ${stops.length > 0 && html`<div class="bad">stops ${stops.join(", ")}</div>`}
    ${starts.length > 0 && html`<div class="good">starts ${starts.join(", ")}</div>`}
    ${!stops.length && !starts.length && html`<div>no running program is touched</div>`}
  </li>`;
}

function Setting({ section, option, live, old, new: next }) {
  return html`<li>
    <strong>${section} ${option}</strong>
    <div>${old || next ? `${old || "(nothing)"} → ${next || "(nothing)"}` : "is different"}${live ? "" : ", from the next start on"}</div>
  </li>`;
}

function Plan({ plan }) {
  const kinds = Object.keys(WORDS).filter((kind) => plan[kind].length);
  if (!kinds.length && !plan.settings.length) return html`<p class="empty">The files say what runs.</p>`;
  return html`<div class="text" tabindex="0">
    ${kinds.map((kind) => html`<h3>${WORDS[kind]}</h3><ul>${plan[kind].map((one) => html`<${Group} ...${one} />`)}</ul>`)}
    ${plan.settings.length > 0 && html`<h3>Settings</h3><ul>${plan.settings.map((one) => html`<${Setting} ...${one} />`)}</ul>`}
  </div>`;
}

export default function Changes() {
  const [round, again] = useState(0);
  const [done, setDone] = useState(null);
  const [plan, trouble] = useAnswer("configuration/diff", round);
  const apply = async () => {
    setDone({ text: "Applying …" });
    try {
      const { problems } = await ask("configuration/apply", {});
      setDone(problems.length ? { bad: problems.join("\n") } : { text: "Applied." });
    } catch (error) {
      setDone({ bad: error.message });
    }
    again(round + 1);
  };
  const some = plan && (plan.removed.length || plan.changed.length || plan.added.length || plan.settings.length);
  return html`<${Panel} title="Changes">
    <header><h2>Changes in the files</h2></header>
    <div class="bar">
      <button type="button" onClick=${() => (setDone(null), again(round + 1))}>Read again</button>
      <button type="button" class="main" disabled=${!some} onClick=${apply}>Apply</button>
    </div>
    ${done && html`<p role="status" class=${done.bad ? "bad" : "good"}>${done.bad || done.text}</p>`}
    ${trouble && html`<pre class="bad" role="alert">${trouble}</pre>`}
    ${plan && html`<${Plan} plan=${plan} />`}
  <//>`;
}
