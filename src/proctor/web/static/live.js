// One stream of events keeps the table true; nothing is asked for again and again.
import { ask } from "./api.js";
import * as store from "./store.js";
import { stream } from "./stream.js";

const STATES = ["STOPPED", "STARTING", "RUNNING", "BACKOFF", "STOPPING", "EXITED", "FATAL", "UNKNOWN"];
const TYPES = "PROCESS_STATE,PROCESS_GROUP,SUPERVISOR_STATE_CHANGE,NOTE,USAGE_SAMPLED";

const one = ({ process }) => process && store.put(process);
const group = ({ group, processes }) => store.fill(processes, group);
const mood = (state) => () => (store.daemon.value = { ...store.daemon.peek(), state });
const anew = () => {
  stop();
  follow();
};
const ON = {
  ...Object.fromEntries(STATES.map((state) => [`PROCESS_STATE_${state}`, one])),
  NOTE_PROCESS_SPAWNED: one,
  PROCESS_GROUP_ADDED: group,
  PROCESS_GROUP_REMOVED: group,
  NOTE_GROUP_RESHAPED: group,
  SUPERVISOR_STATE_CHANGE_RUNNING: mood("RUNNING"),
  SUPERVISOR_STATE_CHANGE_STOPPING: mood("SHUTDOWN"),
  USAGE_SAMPLED: ({ usage }) => store.measure(usage),
  dropped: anew,
  reset: anew,
};
let stop;

// Look at everything, then hear what changes.
export async function follow() {
  try {
    const [daemon, { processes, now, event }] = await Promise.all([ask("daemon"), ask("processes")]);
    store.daemon.value = daemon;
    // What one may not do is not offered; the daemon would refuse it anyway.
    Object.assign(document.documentElement.dataset, { role: daemon.role, logs: daemon.reads_logs });
    store.tellTime(now);
    store.fill(processes);
    stop = stream((last) => `events?types=${TYPES}&after=${last}`, event, ON, (live) => tell(live));
  } catch (error) {
    tell(false, error.message);
    setTimeout(whenSeen, 2000);
  }
}

// A page that nobody sees does not try again until somebody does.
function whenSeen() {
  if (document.hidden) document.addEventListener("visibilitychange", whenSeen, { once: true });
  else follow();
}

function tell(live, why) {
  const old = store.link.peek();
  if (live !== old.live || !old.tried)
    store.link.value = { live, tried: true, since: Date.now(), why };
}

// The clock moves only while somebody looks.
setInterval(() => document.hidden || store.tick(), 1000);
