// What the page knows.  Each process has a signal of its own: a change draws one row again.
import { batch, computed, signal } from "./lib.js";

export const table = signal(new Map()); // id -> signal(process)
export const daemon = signal(null);
export const link = signal({ live: false, tried: false });
export const clock = signal(Date.now() / 1000); // the daemon's time
export const wanted = signal({ text: "", kind: "all", by: "name", down: false });
export const folded = signal(new Set());
export const chosen = signal(new Set());
export const notes = signal(new Map()); // id -> why the last order failed
export const busy = signal(new Set()); // ids with an order under way

export const measured = signal(new Map()); // id -> {cpu: [...], rss: [...]}, the last minutes

// Numbers by size; the collator's own option for that takes 130 ms for a thousand names.
const order = new Intl.Collator();
const padded = (text) => text.replace(/\d+/g, (digits) => digits.padStart(20, "0"));
let ahead = 0;

export function tellTime(now) {
  ahead = now - Date.now() / 1000;
  tick();
}
export function tick() {
  clock.value = Date.now() / 1000 + ahead;
}

// One process as it is now.
export function put(process) {
  const known = table.peek().get(process.id);
  if (known) known.value = process;
  else table.value = new Map(table.peek()).set(process.id, signal(process));
  if (process.state === "RUNNING") note(process.id);
}

// All processes, or (with `group`) all of one group.
export function fill(processes, group) {
  batch(() => {
    const next = new Map();
    if (group !== undefined)
      for (const [id, one] of table.peek()) if (one.peek().group !== group) next.set(id, one);
    for (const process of processes) {
      const known = table.peek().get(process.id);
      if (known && JSON.stringify(known.peek()) !== JSON.stringify(process)) known.value = process;
      next.set(process.id, known || signal(process));
    }
    table.value = next;
    chosen.value = new Set([...chosen.peek()].filter((id) => next.has(id)));
  });
}

const SAMPLES = 60;

// What each program uses now: id -> [percent of a CPU, bytes].
export function measure(usage) {
  const next = new Map();
  for (const [id, [cpu, rss]] of Object.entries(usage)) {
    const { cpu: cpus, rss: sizes } = measured.peek().get(id) || { cpu: [], rss: [] };
    next.set(id, { cpu: [...cpus.slice(-SAMPLES), cpu ?? 0], rss: [...sizes.slice(-SAMPLES), rss] });
  }
  measured.value = next;
}

export function note(id, text) {
  if (!text && !notes.peek().has(id)) return;
  const next = new Map(notes.peek());
  if (text) next.set(id, text);
  else next.delete(id);
  notes.value = next;
}

// A copy of a set, with something put in or taken out.
export function toggled(set, keys, on) {
  const next = new Set(set);
  for (const key of keys) next[on ?? !set.has(key) ? "add" : "delete"](key);
  return next;
}

export function kindOf({ state, last_exit: end }) {
  if (state === "RUNNING") return "running";
  if (state === "STARTING" || state === "STOPPING") return "changing";
  if (state === "STOPPED" || (state === "EXITED" && end?.expected !== false)) return "stopped";
  return "trouble";
}

export const counts = computed(() => {
  const found = { all: table.value.size, running: 0, stopped: 0, changing: 0, trouble: 0 };
  for (const one of table.value.values()) found[kindOf(one.value)]++;
  return found;
});

const KEYS = {
  state: (p) => p.state,
  uptime: (p) => (p.pid ? -p.start : 1),
  pid: (p) => p.pid || 0,
  restarts: (p) => p.restarts,
  last: (p) => p.last_exit?.time || 0,
};

const sorted = computed(() => {
  const keys = [...table.value].map(([id, one]) => [id, padded(`${one.peek().group} ${one.peek().name}`)]);
  return keys.sort((a, b) => order.compare(a[1], b[1])).map(([id]) => id);
});

export const shown = computed(() => {
  const { text, kind, by, down } = wanted.value;
  const needle = text.trim().toLowerCase();
  const at = (id) => table.value.get(id).value;
  const ids = sorted.value.filter(
    (id) =>
      table.value.has(id) &&
      (!needle || id.toLowerCase().includes(needle)) &&
      (kind === "all" || kindOf(at(id)) === kind),
  );
  if (by === "name") return down ? ids.reverse() : ids;
  const last = (id) => measured.value.get(id)?.[by]?.at(-1) ?? -1;
  const key = KEYS[by] ? (id) => KEYS[by](at(id)) : last;
  const keys = new Map(ids.map((id) => [id, key(id)]));
  const up = (a, b) => (keys.get(a) > keys.get(b)) - (keys.get(a) < keys.get(b));
  return ids.sort((a, b) => (down ? up(b, a) : up(a, b)));
});

// Lines of the table: {group, ids} for the head of a group, {id} for a process.
export const lines = computed(() => {
  if (wanted.value.by !== "name") return shown.value.map((id) => ({ id }));
  const groups = new Map();
  for (const id of shown.value) {
    const { group } = table.value.get(id).peek();
    if (!groups.has(group)) groups.set(group, []);
    groups.get(group).push(id);
  }
  const found = [];
  for (const [group, ids] of groups) {
    const alone = ids.length === 1 && ids[0] === group;
    if (!alone) found.push({ group, ids });
    if (alone || !folded.value.has(group)) found.push(...ids.map((id) => ({ id, member: !alone })));
  }
  return found;
});
