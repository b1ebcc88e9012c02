// A window of consecutive lines in memory; the server's journal holds the rest.

import { LEVELS } from "./address.js";
import { trim } from "./api.js";

const PAGE = 500;
const MAX = 3000;

/** Index of the first item at or past `line`. Pure. */
export function search(items, line) {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (items[middle].line < line) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The first line at or past `line` that no folded range (sorted `[from, to]`) hides; `step` -1 looks upwards. */
export function unfolded(line, folded, step = 1) {
  for (const [from, to] of step > 0 ? folded : [...folded].reverse()) {
    if (line >= from && line <= to) line = step > 0 ? to + 1 : from - 1;
  }
  return line;
}

/**
 * Items are lines as the API gives them, ordered by `line`. `base` counts items dropped from (or, negative, put
 * before) the front since the window was filled, so that `base + i` names an item whatever happens at the front.
 */
export class LineWindow {
  items = [];
  base = 0;
  atStart = false;
  atEnd = false;
  epoch = "";
  first = 1; // the oldest line the journal still has
  last = 0; // the newest line known of
  folded = []; // sorted ranges of lines that are folded away
  level = "";
  #turn = 0;
  #busy = new Set();

  constructor(api) {
    this.api = api;
  }

  get end() {
    return this.base + this.items.length;
  }

  /** Lines a row stands for, on average: 1 but for filters. */
  get spread() {
    const { items } = this;
    return items.length > 1 ? Math.max(1, (items.at(-1).line - items[0].line) / (items.length - 1)) : 1;
  }

  holds(line) {
    const { items } = this;
    if (!items.length) return false;
    return (this.atStart || line >= items[0].line) && (this.atEnd || line <= items.at(-1).line);
  }

  index(line) {
    return search(this.items, line);
  }

  clear() {
    this.#turn++;
    this.#busy.clear();
    Object.assign(this, { items: [], base: 0, atStart: false, atEnd: false });
  }

  /** Fills the window around a line. False: overtaken by a newer wish. */
  async around(line) {
    const turn = ++this.#turn;
    const from = unfolded(Math.max(line, 1), this.folded);
    const [older, newer] = await Promise.all([this.#older(from, 150), this.#newer(from, PAGE)]);
    if (turn !== this.#turn) return false;
    this.#fill([...older, ...newer], older.length < 150, newer.length < PAGE);
    return true;
  }

  /** Fills the window with the newest lines. */
  async tail() {
    const turn = ++this.#turn;
    const lines = await this.api.lines({ tail: PAGE, level: this.level });
    if (turn !== this.#turn) return false;
    this.#fill(lines.filter((line) => this.#shown(line)), lines.length < PAGE, true);
    return true;
  }

  /** One more page above or below. False: there was nothing to do, or it is under way. */
  async more(side) {
    const up = side === "before";
    if (!this.items.length || (up ? this.atStart : this.atEnd) || this.#busy.has(side)) return false;
    const turn = this.#turn;
    this.#busy.add(side);
    try {
      const lines = up ? await this.#older(this.items[0].line, PAGE) : await this.#newer(this.items.at(-1).line + 1, PAGE);
      if (turn !== this.#turn) return false;
      if (up) this.#prepend(lines);
      else this.#append(lines);
      return true;
    } finally {
      if (turn === this.#turn) this.#busy.delete(side);
    }
  }

  /** Takes new lines of the stream; they are kept only while the window reaches the end. Returns those shown. */
  push(lines, follow) {
    const fresh = lines.filter((line) => line.line > this.last);
    if (!fresh.length) return [];
    const gapless = !this.items.length || fresh[0].line <= this.last + 1 || fresh[0].before;
    this.last = fresh.at(-1).line;
    this.epoch = this.last ? fresh.at(-1).id.split("-")[0] : this.epoch;
    const shown = fresh.filter((line) => this.#shown(line)).map(trim);
    if (!this.atEnd) return shown;
    if (!gapless || (this.items.length > MAX && !follow)) {
      this.atEnd = false; // the rest is fetched when the reader gets there
      return shown;
    }
    this.items.push(...shown);
    if (follow) this.#drop(this.items.length - MAX);
    return shown;
  }

  /** Puts lines in their place: what a click on "left out" fetched. */
  insert(lines) {
    const have = new Set(this.items.map((item) => item.line));
    const add = lines.filter((line) => !have.has(line.line) && this.#shown(line));
    this.items = [...this.items, ...add].sort((a, b) => a.line - b.line);
  }

  fold(from, to) {
    this.folded = [...this.folded, [from, to]].sort((a, b) => a[0] - b[0]);
    this.items = this.items.filter((item) => this.#shown(item));
  }

  unfold(from) {
    this.folded = this.folded.filter((range) => range[0] !== from);
  }

  /** Gives up what is far from the items `a` to `b` (counted from `base`). */
  keep(a, b) {
    if (this.items.length <= MAX) return;
    this.#drop(Math.min(this.items.length - MAX, a - this.base - PAGE));
    const extra = Math.min(this.items.length - MAX, this.end - b - PAGE);
    if (extra > 0) {
      this.items.length -= extra;
      this.atEnd = false;
    }
  }

  #fill(lines, atStart, atEnd) {
    this.#busy.clear();
    Object.assign(this, { items: lines, base: 0, atStart, atEnd });
    if (lines.length) {
      this.epoch = lines.at(-1).id.split("-")[0];
      if (atEnd) this.last = Math.max(this.last, lines.at(-1).line);
    }
  }

  #prepend(lines) {
    this.items.unshift(...lines);
    this.base -= lines.length;
    if (lines.length < PAGE && !lines.partial) this.atStart = true;
  }

  #append(lines) {
    this.items.push(...lines);
    if (lines.length < PAGE && !lines.partial) {
      this.atEnd = true;
      if (this.items.length) this.last = Math.max(this.last, this.items.at(-1).line);
    }
  }

  #drop(count) {
    if (count <= 0) return;
    this.items.splice(0, count);
    this.base += count;
    this.atStart = false;
  }

  /** Up to `count` lines before `line`; `partial` when a folded range has shortened the page. */
  async #older(line, count) {
    const to = unfolded(line - 1, this.folded, -1) + 1;
    if (to <= 1) return [];
    const lines = await this.api.lines({ before: `${this.epoch}-${to}`, tail: count, level: this.level });
    return this.#visible(lines);
  }

  async #newer(line, count) {
    const from = unfolded(line, this.folded);
    if (!Number.isFinite(from)) return [];
    return this.#visible(await this.api.lines({ from_line: from, limit: count, level: this.level }));
  }

  #visible(lines) {
    const shown = lines.filter((line) => this.#shown(line));
    shown.partial = shown.length < lines.length;
    return shown;
  }

  #shown(line) {
    if (this.level && LEVELS.indexOf(line.level ?? "info") < LEVELS.indexOf(this.level)) return false;
    return !this.folded.some(([from, to]) => line.line >= from && line.line <= to);
  }
}
