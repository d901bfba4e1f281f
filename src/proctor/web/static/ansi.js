// Lines of a log with colours.  Known codes become classes, every other control is taken out; text
// only ever becomes text.  Allowed: bold, dim, italic, underline, inverse, 16, 256 and RGB colours.
const CONTROL = /\x1b\[([\d;:]*)m|\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\|$)|[ -/]*[0-~])|[\x00-\x08\x0b-\x1f\x7f]/g;
const STYLES = { 1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "inverse" };

// A colour of the palette of 256 beyond the first 16.
function wide(n) {
  if (n > 231) return `rgb(${[0, 0, 0].fill((n - 232) * 10 + 8)})`;
  const level = (k) => (k ? k * 40 + 55 : 0);
  const rest = n - 16;
  return `rgb(${[rest / 36, (rest / 6) % 6, rest % 6].map((k) => level(Math.floor(k)))})`;
}

function colour(codes) {
  const mode = codes.shift();
  const given = codes.splice(0, mode === 2 ? 3 : 1).map((n) => Math.min(255, n || 0));
  if (mode === 2) return `rgb(${given})`;
  return given[0] < 16 ? given[0] : wide(given[0]);
}

// The look after the codes of one sequence.  Looks are values: never changed, only replaced.
function after(look, text) {
  const codes = text.split(/[;:]/).map(Number);
  let next = { ...look };
  while (codes.length) {
    const code = codes.shift();
    if (code === 0) next = {};
    else if (STYLES[code]) next[STYLES[code]] = true;
    else if (code === 22) next.bold = next.dim = false;
    else if (STYLES[code - 20]) next[STYLES[code - 20]] = false;
    else if (code === 38) next.fg = colour(codes);
    else if (code === 48) next.bg = colour(codes);
    else if (code === 39) delete next.fg;
    else if (code === 49) delete next.bg;
    else if (code >= 30 && code < 38) next.fg = code - 30;
    else if (code >= 40 && code < 48) next.bg = code - 40;
    else if (code >= 90 && code < 98) next.fg = code - 82;
    else if (code >= 100 && code < 108) next.bg = code - 92;
  }
  return next;
}

// A line that begins with `look` as pieces [{text, look}], and the look at its end.
export function pieces(line, look) {
  const found = [];
  let from = 0;
  const take = (end) => end > from && found.push({ text: line.slice(from, end), look });
  for (const match of line.matchAll(CONTROL)) {
    take(match.index);
    from = match.index + match[0].length;
    if (match[1] !== undefined) look = after(look, match[1]);
  }
  take(line.length);
  return { found, look };
}

export function classes(look) {
  const on = Object.values(STYLES).filter((name) => look[name]);
  for (const ground of ["fg", "bg"]) if (look[ground] < 16) on.push(`${ground}${look[ground]}`);
  return on.join(" ");
}

// By the object model, which the page's policy allows; a style attribute it would not.
export function paint(node, { fg, bg }) {
  if (typeof fg === "string") node.style.color = fg;
  if (typeof bg === "string") node.style.backgroundColor = bg;
}
