// Pictures of 16 by 16 that take the colour of the text.
import { html } from "./lib.js";

const PATHS = {
  start: "M5 3.2v9.6L12.5 8z",
  stop: "M4 4h8v8H4z",
  restart: "M12.6 9.2A4.8 4.8 0 1 1 11.4 4.6L13 6M13 2.6V6H9.6",
  log: "M2.5 4h11M2.5 8h11M2.5 12h6.5",
  fold: "M6 3.5 10.5 8 6 12.5",
  close: "M4 4l8 8M12 4l-8 8",
  signal: "M8.8 1.8 3.5 9H8l-.8 5.2L12.5 7H8z",
  theme: "M8 2a6 6 0 1 0 0 12zM8 2a6 6 0 0 1 0 12",
  changes: "M3 5h8M8.5 2.5 11 5 8.5 7.5M13 11H5M7.5 8.5 5 11l2.5 2.5",
  save: "M8 2.5v7.5M5 7l3 3 3-3M3 13.5h10",
};

export const Icon = ({ name }) => html`<svg class="icon ${name}" viewBox="0 0 16 16" aria-hidden="true">
  <path d=${PATHS[name]} />
</svg>`;

// `label` is what a screen reader says and what the mouse shows.
export const Button = ({ icon, label, text, ...more }) => html`<button
  type="button"
  aria-label=${text ? undefined : label}
  title=${text ? undefined : label}
  ...${more}
>
  <${Icon} name=${icon} />${text}
</button>`;
