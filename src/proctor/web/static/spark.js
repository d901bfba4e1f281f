// What a program used in the last minutes, as a line; and now, as a number.
import { html } from "./lib.js";
import { measured } from "./store.js";
import { bytes } from "./text.js";

const SHOWN = { cpu: (n) => `${n < 10 ? n.toFixed(1) : Math.round(n)} %`, rss: bytes };
const LEAST = { cpu: 5, rss: 1 }; // so that next to nothing does not look like much

export function Spark({ id, what, wide = 56 }) {
  const points = measured.value.get(id)?.[what];
  if (!points) return "–";
  const most = Math.max(LEAST[what], ...points) * 1.1;
  // A short story is drawn wider than a long one, but not over the whole width.
  const x = (n) => wide - ((points.length - 1 - n) * wide) / Math.max(20, points.length - 1);
  const path = points.map((y, n) => `${x(n).toFixed(1)} ${(18 - (16 * y) / most).toFixed(1)}`);
  return html`<svg class="spark" viewBox=${`0 0 ${wide} 20`} width=${wide} height="20" aria-hidden="true">
      <path d=${`M${path.join("L")}`} />
    </svg>
    <span>${SHOWN[what](points.at(-1))}</span>`;
}
