// The log: what is in memory, what is drawn, and where the reader is.

import { LEVELS, formatMark, formatView, parseMark } from "./address.js";
import { $, $$, announce, copy, el, number, plural, toast } from "./dom.js";
import { LineWindow } from "./lines.js";
import { buildRow, groupEnd, groupTitle, textOf } from "./row.js";
import { usualGap } from "./times.js";
import { Viewport } from "./viewport.js";

const COPY_MAX = 200_000; // lines a copy may hold; more is a download

export class Viewer {
  mark = null;
  fresh = 0; // lines that came since the reader left the end
  away = null;
  start = null; // timestamp of the first line
  gaps = new Map(); // line before a gap → gap
  folds = new Map();
  ends = new Map();
  open = new Set();
  whole = new Map();

  /** `view`: the state of the address (time, wrap, level, ...); `delegate`: changed(), drawn(). */
  constructor(api, view, delegate) {
    Object.assign(this, { api, view, delegate });
    this.root = $("#log");
    this.lines = new LineWindow(api);
    this.lines.level = view.level;
    this.port = new Viewport(this.root, this.lines, {
      row: (line, previous) => this.#row(line, previous),
      more: (side) => this.#more(side),
      seek: (line) => this.#seek(line),
      left: () => this.delegate.changed(),
      drawn: () => this.delegate.drawn(),
    });
  }

  get time() {
    return this.view.time;
  }

  get epoch() {
    return this.lines.epoch;
  }

  get following() {
    return this.port.follow;
  }

  begin() {
    this.root.addEventListener("click", this.#clicked);
    this.root.addEventListener("copy", this.#copied);
    document.addEventListener("selectionchange", this.#selected);
    this.port.start();
    this.look();
    const mark = parseMark(location.hash);
    this.mark = mark;
    if (!mark) this.follow(true);
    this.lines.atEnd = this.lines.atStart = !mark;
  }

  /** Columns and wrapping, as `view` has them. */
  look() {
    this.root.classList.toggle("wrap", this.view.wrap);
    this.root.dataset.time = this.view.time;
    this.port.redraw();
  }

  /** New lines of the stream. */
  push(lines) {
    const before = this.lines.last;
    const following = this.following && !document.hidden;
    const shown = this.lines.push(lines, following);
    this.#digits();
    if (!this.start && this.lines.items[0]?.line === 1) this.start = this.lines.items[0].timestamp;
    if (!following) this.fresh += shown.length;
    if (following && !this.lines.atEnd) this.toEnd();
    if (!before && this.mark) this.#toMark();
    this.port.schedule();
    this.delegate.changed();
  }

  /** Everything anew: another journal, another filter. */
  async reset(line = 0) {
    this.lines.clear();
    this.folds.clear();
    this.ends.clear();
    this.open.clear();
    this.whole.clear();
    this.lines.folded = [];
    if (line) return this.goto(line);
    this.lines.atEnd = this.lines.atStart = true;
    this.lines.last = 0;
    this.port.redraw();
  }

  async filter(level) {
    const line = this.following ? 0 : this.port.topLine;
    this.lines.level = level;
    this.lines.clear();
    if (line) await this.goto(line, "top");
    else await this.toEnd();
    this.port.redraw();
    const none = !this.lines.items.length;
    if (none) announce(`No line of level ${level}`);
    $("#empty").hidden = !none;
    $("#empty").textContent = none ? (level ? `No line of level ${level} or above.` : "No line yet.") : "";
  }

  follow(on) {
    this.port.follow = on;
    if (on) this.fresh = 0;
    this.delegate.changed();
    if (on) this.port.schedule();
  }

  async toEnd() {
    this.follow(true);
    if (!this.lines.atEnd) await this.#try(() => this.lines.tail());
    this.#digits();
    this.port.draw();
  }

  async toStart() {
    await this.goto(this.lines.first, "top");
  }

  /** Shows a line in its context. False: there is none such. */
  async goto(line, place = "middle") {
    this.follow(false);
    if (!this.lines.holds(line) && !(await this.#try(() => this.lines.around(line)))) return false;
    this.#digits();
    this.port.show(line, place);
    return this.lines.items[this.lines.index(line)]?.line === line;
  }

  /** The next (1) or previous (-1) line of a level, from the marked line or the top of the view. */
  async hop(level, step) {
    const here = this.mark?.first ?? (step > 0 ? this.port.topLine : this.port.topLine + 1);
    const params = step > 0 ? { after: `${this.epoch}-${here}`, limit: 1 } : { before: `${this.epoch}-${here}`, tail: 1 };
    const found = await this.#try(() => this.api.lines({ ...params, level }));
    if (!found) return;
    if (!found.length) return toast(`No ${step > 0 ? "further" : "earlier"} ${level}`);
    this.setMark(found[0].line, found[0].line);
    await this.goto(found[0].line);
  }

  setMark(first, last) {
    this.mark = first ? { epoch: this.epoch, first: Math.min(first, last), last: Math.max(first, last) } : null;
    history.replaceState(null, "", location.pathname + formatView(this.view) + formatMark(this.mark));
    this.paintMark();
    this.delegate.changed();
  }

  paintMark() {
    const { mark } = this;
    for (const row of $$(".row", this.root)) {
      const line = Number(row.dataset.line);
      row.classList.toggle("marked", Boolean(mark) && line >= mark.first && line <= mark.last);
    }
  }

  /** The marked lines, or all, to the clipboard: the true text, fetched whole. */
  async copyMark() {
    const { mark } = this;
    if (!mark) return;
    const count = mark.last - mark.first + 1;
    if (count > COPY_MAX) return toast(`${plural(count, "line")} are too many to copy: download them instead`, { bad: true });
    const text = await this.#try(() => this.api.text(this.range(mark)));
    if (text !== undefined) await copy(text.replace(/\n$/, ""), `Copied ${plural(count, "line")}`);
  }

  range(mark) {
    return { from_line: mark.first, before: `${mark.epoch}-${mark.last + 1}` };
  }

  /** The reader goes away, or is back: what came meanwhile gets a line of its own. */
  leave() {
    this.left = this.lines.last;
  }

  back() {
    const count = this.lines.last - this.left;
    if (!this.left || count <= 0 || !this.following) return;
    this.away = { line: this.left + 1, count };
    this.left = 0;
    this.port.redraw();
  }

  setGaps(gaps) {
    const size = this.gaps.size;
    for (const gap of gaps) this.gaps.set(gap.after, { kind: "gap", ...gap });
    if (this.gaps.size !== size) this.port.redraw();
  }

  /** What is missing just before a line. */
  gone(line) {
    const gap = this.gaps.get(line.line - 1);
    return [...(gap ? [gap] : []), ...(line.before ?? [])];
  }

  /** ms between lines of late, or null. */
  usual() {
    return usualGap(this.lines.items.slice(-50).map((line) => line.timestamp));
  }

  #row(line, previous) {
    if (groupTitle(line.message) !== null) this.#groupAt = line;
    if (groupEnd(line.message) && this.#groupAt && this.#groupAt.line < line.line && !this.ends.has(line.line)) {
      this.ends.set(line.line, { title: groupTitle(this.#groupAt.message) || "Group", timestamp: this.#groupAt.timestamp });
    }
    const row = buildRow(line, previous, this);
    const { mark } = this;
    if (mark && line.line >= mark.first && line.line <= mark.last) {
      (row.matches(".row") ? row : row.lastChild).classList.add("marked");
    }
    return row;
  }

  #groupAt = null;

  async #try(work) {
    try {
      return await work();
    } catch (error) {
      if (error.name !== "AbortError") toast(error.message, { bad: true });
      return undefined;
    }
  }

  async #more(side) {
    if (!(await this.#try(() => this.lines.more(side)))) return;
    this.lines.keep(this.port.a0, this.port.a1);
    this.#digits();
    this.port.schedule();
  }

  /** The reader has let the scrollbar leap: the newest wish wins. */
  #seek(line) {
    clearTimeout(this.seeking);
    if (this.lines.holds(line)) return this.port.show(line, "here");
    this.seeking = setTimeout(async () => {
      if (await this.#try(() => this.lines.around(line))) this.port.show(line, "here");
    }, 40);
  }

  async #toMark() {
    const { mark } = this;
    if (mark.epoch !== this.epoch) {
      this.setMark(0);
      toast("This link is of an earlier journal of this job, whose lines are no longer kept. Here is the newest.", { bad: true });
      return this.toEnd();
    }
    if (!(await this.goto(mark.first))) {
      const { first, last } = this.lines;
      const why = mark.first > last ? `it has ${plural(last, "line")} so far` : `it begins at line ${number(first)}`;
      toast(`There is no line ${number(mark.first)} in this log: ${why}.`, { bad: true });
      this.setMark(0);
      await this.toEnd();
    }
  }

  /** Follows a changed `#` of the address. */
  hash() {
    const mark = parseMark(location.hash);
    if (!mark) return;
    this.mark = mark;
    this.paintMark();
    this.#toMark();
  }

  #digits() {
    const digits = Math.max(3, String(this.lines.last).length);
    if (digits !== this.digits) this.root.style.setProperty("--digits", (this.digits = digits));
  }

  #clicked = (event) => {
    const row = event.target.closest(".row");
    const number = event.target.closest(".n");
    if (number && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      const line = Number(row.dataset.line);
      document.getSelection().removeAllRanges();
      this.follow(false);
      const same = this.mark?.first === line && this.mark.last === line && !event.shiftKey;
      this.setMark(same ? 0 : event.shiftKey && this.mark ? this.#far(line) : line, line);
      return;
    }
    const inside = event.target.closest("button");
    if (inside) this.#pressed(inside, inside.closest(".row, .with-note"));
  };

  /** The end of the mark that stays when a shift-click on `line` moves the other. */
  #far(line) {
    return line < this.mark.first ? this.mark.last : this.mark.first;
  }

  async #pressed(button, row) {
    const outer = row.item ? row : row.parentNode;
    const line = outer.item;
    if (button.gap) return this.#fetchGap(button.gap, line);
    if (button.matches(".group")) return this.#fold(line);
    if (button.matches(".unfold")) {
      if (!this.open.delete(line.line)) this.open.add(line.line);
      if (line.cut) await this.#fetchWhole(line);
    } else if (button.matches(".all")) await this.#fetchWhole(line);
    if (outer.isConnected) this.port.replace(outer);
  }

  async #fetchWhole(line) {
    if (!line.cut) return this.whole.set(line.line, line.message);
    const response = await this.#try(() => this.api.ask(this.api.url("/logs", { from_line: line.line, limit: 1 })));
    if (!response) return;
    const [whole] = await response.json();
    if (whole.message.length > 1e6) {
      window.open(this.api.url("/logs", { from_line: line.line, limit: 1, format: "text" }), "_blank", "noopener");
      return toast("The whole line is long: it opens in a tab of its own.");
    }
    if (this.whole.size > 20) this.whole.clear();
    this.whole.set(line.line, whole.message);
  }

  async #fetchGap(gap, line) {
    if (gap.kind === "omitted") {
      const lines = await this.#try(() => this.api.lines({ from_line: gap.line, limit: Math.min(gap.count, 500) }));
      if (!lines) return;
      const left = gap.count - lines.length;
      line.before = line.before.filter((other) => other !== gap);
      if (left > 0) line.before.push({ ...gap, count: left, line: lines.at(-1).line + 1 });
      this.lines.insert(lines.filter((one) => one.line < line.line));
      this.follow(false);
      return this.port.redraw();
    }
    if (gap.reason === "trimmed") return toast("The journal keeps only so much; these lines are gone.");
    const last = this.lines.last;
    const found = await this.#try(() => this.api.lines({ after: `${this.epoch}-${last}`, limit: 500 }));
    if (!found) return;
    if (!found.some((one) => one.late)) return toast("The upstream still does not give these lines.");
    toast(`${plural(found.length, "line")} turned up late: they stand at the end, marked "late".`);
  }

  /** Folds a group, or opens it. Where it ends may be far outside of what is in memory: the server knows. */
  async #fold(line) {
    const { lines, folds } = this;
    this.follow(false);
    if (folds.delete(line.line)) {
      lines.unfold(line.line + 1);
      await this.#try(() => lines.around(line.line));
    } else {
      const here = lines.items.find((item) => item.line > line.line && groupEnd(item.message));
      const after = { after: `${this.epoch}-${line.line}`, limit: 1, q: "::endgroup::" };
      const end = here ?? (await this.#try(() => this.api.lines(after)))?.[0];
      const to = end?.line ?? Infinity;
      folds.set(line.line, { count: end ? to - line.line - 1 : 0, ms: end ? end.timestamp - line.timestamp : null });
      lines.fold(line.line + 1, to);
    }
    this.port.redraw();
    $(`[data-line="${line.line}"] .group`, this.root)?.focus({ preventScroll: true });
  }

  #selected = () => {
    const selection = document.getSelection();
    if (this.following && !selection.isCollapsed && this.root.contains(selection.anchorNode)) this.follow(false);
  };

  /** A selection over several rows is copied as the lines' own text: no numbers, no times, nothing folded. */
  #copied = (event) => {
    const selection = document.getSelection();
    const rowOf = (node) => (node.nodeType === 1 ? node : node.parentElement)?.closest(".row");
    if (selection.isCollapsed) return;
    const range = selection.getRangeAt(0);
    const [a, b] = [rowOf(range.startContainer), rowOf(range.endContainer)];
    if (!a || !b || a === b) return;
    const [first, last] = [Number(a.dataset.line), Number(b.dataset.line)];
    const items = this.lines.items.filter((item) => item.line >= first && item.line <= last);
    const head = part(range.startContainer, range.startOffset, $(".m", a), true);
    const tail = part(range.endContainer, range.endOffset, $(".m", b), false);
    event.clipboardData.setData("text/plain", [head, textOf(items.slice(1, -1)), tail].filter((text, i) => i !== 1 || items.length > 2).join("\n"));
    event.preventDefault();
  };
}

/** The text of a message from (or up to) a place in it. */
function part(node, offset, message, from) {
  const range = document.createRange();
  range.selectNodeContents(message);
  if (message.contains(node)) {
    if (from) range.setStart(node, offset);
    else range.setEnd(node, offset);
  } else if (!from) return "";
  return range.toString();
}
