// Draws a window of rows in a scroller that stands for a log of any length.
//
// Rows are real, of whatever height, on one sheet placed at `top` px of a spacer. While the reader scrolls, rows are
// added and dropped at the sheet's ends and nothing else moves. A leap of the scrollbar becomes a line (`Scale`).
// Between movements the sheet is put back where the scale wants it, together with the scroll position: unseen.

import { Scale } from "./scale.js";

const OVER = 500; // px kept drawn above and below the view
const FEW = 40; // rows a step
const HELD = 4000; // rows a selection may keep drawn

export class Viewport {
  /** `delegate`: row(item, previous), more(side), seek(line), left(), drawn(rows). */
  constructor(scroller, lines, delegate) {
    Object.assign(this, { scroller, lines, delegate });
    this.spacer = scroller.querySelector(".spacer");
    this.sheet = scroller.querySelector(".sheet");
    this.follow = false;
    this.expected = 0;
    this.rowHeight = 20;
    this.#clear(0);
  }

  start() {
    this.scroller.addEventListener("scroll", this.#scrolled, { passive: true });
    this.scroller.addEventListener("scrollend", this.#settle, { passive: true });
    this.observer = new ResizeObserver(() => this.schedule());
    this.observer.observe(this.scroller);
  }

  stop() {
    this.scroller.removeEventListener("scroll", this.#scrolled);
    this.scroller.removeEventListener("scrollend", this.#settle);
    this.observer.disconnect();
    cancelAnimationFrame(this.frame);
  }

  get rows() {
    return [...this.sheet.children];
  }

  get height() {
    return this.sheet.offsetHeight;
  }

  /** The line at the top of the view, or 0. */
  get topLine() {
    return this.#anchor()?.item.line ?? 0;
  }

  row(line) {
    return this.rows.find((row) => row.item.line === line);
  }

  /** Draws in the next frame. */
  schedule() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
    });
  }

  draw() {
    if (this.follow && this.lines.atEnd) this.#drawEnd();
    else this.#fill();
  }

  /** Shows a line the window holds: at the top, in the middle, or where the scrollbar stands ("here"). */
  show(line, place = "middle") {
    const { scroller, lines } = this;
    const at = Math.min(lines.index(line), lines.items.length - 1);
    if (at < 0) return;
    this.#clear(lines.base + at);
    const above = place === "middle" ? Math.floor(scroller.clientHeight / 3) : 0;
    if (place === "here") {
      this.top = scroller.scrollTop;
    } else {
      this.top = Math.max(this.#scale().top(lines.items[at].line), at > 0 ? above : 0);
      this.#spacer(Math.max(this.#scale().height, this.top + scroller.clientHeight * 2));
      this.#scroll(this.top - above);
    }
    this.#fill();
  }

  /** Builds all rows anew (other columns, other widths, other folds); what is at the top stays there. */
  redraw() {
    if (this.follow && this.lines.atEnd) {
      this.#clear(this.lines.end);
      this.#drawEnd();
      return;
    }
    const anchor = this.#anchor();
    this.#clear(this.lines.base + (anchor ? this.lines.index(anchor.item.line) : 0));
    this.top = Math.max(0, this.scroller.scrollTop + (anchor?.offset ?? 0));
    this.#fill();
  }

  replace(row) {
    const at = this.lines.index(row.item.line);
    const fresh = this.delegate.row(row.item, this.lines.items[at - 1]);
    fresh.item = row.item;
    row.replaceWith(fresh);
    this.#fill();
    return fresh;
  }

  #clear(at) {
    this.sheet.replaceChildren();
    this.a0 = this.a1 = at;
    this.top = 0;
  }

  #scale() {
    const { lines } = this;
    return new Scale(lines.first, Math.max(lines.last, lines.first), this.rowHeight / lines.spread);
  }

  #anchor() {
    const view = this.scroller.scrollTop;
    for (const row of this.sheet.children) {
      const top = this.top + row.offsetTop;
      if (top + row.offsetHeight > view) return { item: row.item, offset: top - view };
    }
    return null;
  }

  #build(a, b) {
    const { items, base } = this.lines;
    const fragment = document.createDocumentFragment();
    for (let i = a - base; i < b - base; i++) {
      const row = this.delegate.row(items[i], items[i - 1]);
      row.item = items[i];
      fragment.append(row);
    }
    return fragment;
  }

  #append(count) {
    const b = Math.min(this.lines.end, this.a1 + count);
    this.sheet.append(this.#build(this.a1, b));
    this.a1 = b;
  }

  #prepend(count) {
    const before = this.height;
    const a = Math.max(this.lines.base, this.a0 - count);
    this.sheet.prepend(this.#build(a, this.a0));
    this.a0 = a;
    this.top -= this.height - before;
  }

  #spacer(height) {
    if (height !== this.spaced) this.spacer.style.height = `${(this.spaced = height)}px`;
  }

  #place() {
    this.sheet.style.top = `${this.top}px`;
  }

  #scroll(to) {
    this.scroller.scrollTop = to;
    this.expected = this.scroller.scrollTop;
  }

  #drawEnd() {
    const { lines, scroller } = this;
    if (this.a0 < lines.base || lines.end - this.a1 > 3 * FEW) this.#clear(lines.end);
    this.#append(lines.end - this.a1);
    const view = scroller.clientHeight;
    while (this.a0 > lines.base && this.height < view + OVER) this.#prepend(FEW);
    this.#dropAbove(this.height - view - 2 * OVER);
    const whole = lines.atStart && this.a0 === lines.base;
    const height = whole ? this.height : Math.max(this.#scale().height, this.height + OVER);
    this.#spacer(height);
    this.top = height - this.height;
    this.#place();
    this.#scroll(height);
    this.#done();
  }

  /** Draws what is missing around the view, and drops what is far from it. */
  #fill() {
    const { lines, scroller } = this;
    if (!lines.items.length) {
      this.#clear(0);
      this.#spacer(0);
      return;
    }
    if (this.a0 < lines.base || this.a1 > lines.end) return this.redraw();
    const view = scroller.clientHeight;
    const low = scroller.scrollTop - OVER;
    const high = scroller.scrollTop + view + OVER;
    while (this.a1 < lines.end && this.top + this.height < high) this.#append(FEW);
    while (this.a0 > lines.base && this.top > low) this.#prepend(FEW);
    if (!this.#selecting()) {
      this.#dropAbove(low - OVER - this.top);
      this.#dropBelow(high + OVER - this.top);
    }
    this.#bounds();
    this.#place();
    if (this.a1 === lines.end && !lines.atEnd && this.top + this.height < high) this.delegate.more("after");
    if (this.a0 === lines.base && !lines.atStart && this.top > low) this.delegate.more("before");
    this.#done();
  }

  #done() {
    const count = this.sheet.childElementCount;
    if (count > 10) this.rowHeight = Math.max(10, this.height / count);
    this.delegate.drawn();
  }

  /** The true ends: the first row at 0, the last at the spacer's end. */
  #bounds() {
    const { lines } = this;
    const first = this.a0 === lines.base && lines.atStart;
    const scale = this.#scale();
    if (first ? this.top !== 0 : this.top < 0) {
      const delta = first ? -this.top : Math.max(scale.top(lines.items[this.a0 - lines.base].line), 2 * OVER) - this.top;
      this.#shift(delta);
    }
    const bottom = this.top + this.height;
    const last = this.a1 === lines.end && lines.atEnd;
    this.#spacer(last ? bottom : Math.max(scale.height, bottom + OVER));
    this.expected = this.scroller.scrollTop;
  }

  /** Moves sheet and scroll position together: nothing moves for the eye. */
  #shift(delta) {
    this.top += delta;
    this.#place();
    this.#spacer(Math.max(this.spaced ?? 0, this.top + this.height));
    this.#scroll(this.scroller.scrollTop + delta);
  }

  #dropAbove(px) {
    let gone = 0;
    for (const row of this.sheet.children) {
      if (row.offsetTop + row.offsetHeight > px) break;
      gone++;
    }
    if (gone < FEW) return;
    const moved = this.sheet.children[gone].offsetTop;
    for (; gone; gone--, this.a0++) this.sheet.firstChild.remove();
    this.top += moved;
  }

  #dropBelow(px) {
    let gone = 0;
    for (let row = this.sheet.lastElementChild; row && row.offsetTop > px; row = row.previousElementSibling) gone++;
    if (gone < FEW) return;
    for (; gone; gone--, this.a1--) this.sheet.lastChild.remove();
  }

  #selecting() {
    const selection = document.getSelection();
    if (selection.isCollapsed || this.sheet.childElementCount > HELD) return false;
    return selection.containsNode(this.sheet, true);
  }

  #scrolled = () => {
    const { scroller } = this;
    const at = scroller.scrollTop;
    const byReader = Math.abs(at - this.expected) > 2;
    this.expected = at;
    if (!byReader || !this.lines.items.length) return;
    this.follow = false;
    this.delegate.left();
    const away = at + scroller.clientHeight < this.top - OVER || at > this.top + this.height + OVER;
    if (away) this.delegate.seek(this.#scale().line(at));
    else this.#fill();
  };

  /** Once still: puts the sheet back to where the scale has it, if it has drifted by more than two views. */
  #settle = () => {
    const { lines, scroller } = this;
    if (this.follow || !lines.items.length || !this.sheet.childElementCount) return;
    if ((this.a0 === lines.base && lines.atStart) || (this.a1 === lines.end && lines.atEnd)) return;
    const drift = this.#scale().top(lines.items[this.a0 - lines.base].line) - this.top;
    if (Math.abs(drift) > 2 * scroller.clientHeight && this.top + drift > OVER) this.#shift(drift);
  };
}
