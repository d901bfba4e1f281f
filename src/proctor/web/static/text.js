// Numbers as people read them.
const UNITS = ["B", "KB", "MB", "GB", "TB"];

export function bytes(n) {
  let unit = 0;
  for (; n >= 1000 && unit < 4; unit++) n /= 1024;
  return `${unit && n < 10 ? n.toFixed(1) : Math.round(n)} ${UNITS[unit]}`;
}

export function span(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  const two = (n) => String(n).padStart(2, "0");
  if (s < 60) return `${s}s`;
  if (s < 3600) return `${Math.floor(s / 60)}m ${two(s % 60)}s`;
  if (s < 86400) return `${Math.floor(s / 3600)}h ${two(Math.floor(s / 60) % 60)}m`;
  return `${Math.floor(s / 86400)}d ${Math.floor(s / 3600) % 24}h`;
}

// "3m ago", coarse: it need not tick.
export const ago = (seconds) => `${span(seconds).split(" ")[0]} ago`;

export const moment = (seconds) => new Date(seconds * 1000).toLocaleString();

export const several = (ids) => (ids.length === 1 ? ids[0] : `${ids.length} programs`);
