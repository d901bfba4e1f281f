// The daemon's own log.
import { html } from "./lib.js";
import { Log } from "./log.js";
import { Panel } from "./panel.js";

export default () => html`<${Panel} title="Log of the daemon">
  <header><h2>Log of the daemon</h2></header>
  <${Log} url="daemon/log" name="supervisord.log" />
<//>`;
