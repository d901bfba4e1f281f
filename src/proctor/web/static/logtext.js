// The part of a log that we hold, as lines: grows at the end by following, at the front by reading
// what was earlier.  Kept in blocks, so that new lines draw one block again and not everything.
import { pieces } from "./ansi.js";

const BLOCK = 100;
const MOST = 50; // blocks

export class LogText {
  constructor(text = "") {
    this.blocks = []; // [{key, lines: [{key, found, plain}]}], oldest first
    this.open = ""; // the line at the end that may go on
    this.look = {};
    this.first = 0; // keys go down at the front and up at the end
    this.next = 0;
    this.append(text);
  }

  // More at the end.
  append(text) {
    const lines = (this.open + text).split("\n");
    this.open = lines.pop();
    for (const line of lines) this.#push(this.#line(line, this.next++));
    const many = this.blocks.length - MOST;
    if (many > 0) this.blocks = this.blocks.slice(many);
    return many > 0;
  }

  // More at the front.  It must end where the first line begins.
  prepend(text) {
    const lines = text.replace(/\n$/, "").split("\n");
    let look = {};
    const made = lines.map((line, n) => {
      const { found, look: after } = pieces(tidy(line), look);
      look = after;
      return { key: this.first - lines.length + n, found };
    });
    this.first -= lines.length;
    const blocks = [];
    for (let n = 0; n < made.length; n += BLOCK) blocks.push({ key: made[n].key, lines: made.slice(n, n + BLOCK) });
    this.blocks = [...blocks, ...this.blocks];
  }

  // The open line as it stands.
  tail() {
    return this.open ? { key: "open", found: pieces(tidy(this.open), this.look).found } : null;
  }

  #line(line, key) {
    const { found, look } = pieces(tidy(line), this.look);
    this.look = look;
    return { key, found };
  }

  #push(line) {
    const last = this.blocks.at(-1);
    if (!last || last.lines.length >= BLOCK) this.blocks = [...this.blocks, { key: line.key, lines: [line] }];
    else this.blocks = [...this.blocks.slice(0, -1), { key: last.key, lines: [...last.lines, line] }];
  }
}

// A carriage return begins the line again: progress bars show their last state.
function tidy(line) {
  const whole = line.replace(/\r+$/, "");
  return whole.slice(whole.lastIndexOf("\r") + 1);
}
