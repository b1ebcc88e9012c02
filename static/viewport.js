// Draws a window of rows in a scroller that stands for a log of any length.
// Rows are real, of whatever height, on one sheet that lies `top` px down a spacer. While the reader scrolls, rows are
// added and dropped at the sheet's ends and nothing else moves; a leap of the scrollbar becomes a line (`Scale`).

import { Scale } from "./scale.js";

const OVER = 500; // px kept drawn above and below the view
const FEW = 40; // rows a step
const HELD = 4000; // rows that a selection may keep drawn

export class Viewport {
	follow = false;
	rowHeight = 20;
	#expected = 0;

	/** `delegate`: row(item, previous), more(step), seek(line), left(), drawn(). */
	constructor(scroller, lines, delegate) {
		Object.assign(this, { scroller, lines, delegate });
		[this.spacer, this.sheet] = scroller.children;
		this.#clear(0);
		scroller.addEventListener("scroll", this.#scrolled, { passive: true });
		new ResizeObserver(() => this.schedule()).observe(scroller);
	}

	get topLine() {
		return this.#anchor()?.row.item.line ?? 0;
	}

	schedule() {
		this.frame ??= requestAnimationFrame(() => {
			this.frame = null;
			this.draw();
		});
	}

	/** Shows a line of the window: at the top, a third down ("middle"), or where the scrollbar stands ("here"). */
	show(line, place = "middle") {
		const { scroller, lines } = this;
		const at = Math.min(lines.index(line), lines.items.length - 1);
		this.#clear(lines.base + Math.max(0, at));
		this.top = scroller.scrollTop;
		if (place !== "here" && at >= 0) {
			const above = place === "middle" ? scroller.clientHeight / 3 : 0;
			this.top = Math.max(this.#scale().top(lines.items[at].line), above);
			this.#space(this.top + 2 * scroller.clientHeight, true);
			this.#scroll(this.top - above);
		}
		this.draw();
	}

	redraw() {
		const { row, offset } = this.#anchor() ?? { offset: 0 };
		this.#clear(this.lines.base + (row ? this.lines.index(row.item.line) : 0));
		this.top = Math.max(0, this.scroller.scrollTop + offset);
		if (this.#atEnd) this.#clear(this.lines.end);
		this.draw();
	}

	replace(row) {
		row.replaceWith(this.#build(row.item));
		this.draw();
	}

	draw() {
		const { lines, scroller } = this;
		if (!lines.items.length) this.#clear(0);
		const end = this.#atEnd;
		if (end && (this.a0 < lines.base || lines.end - this.a1 > 3 * FEW)) this.#clear(lines.end);
		if (this.a0 < lines.base || this.a1 > lines.end) return this.redraw();
		const view = scroller.clientHeight;
		if (end) {
			this.#append(Infinity);
			this.#space(this.height + view, true);
			this.top = this.spaced - this.height;
			this.#scroll(this.spaced);
		}
		const low = scroller.scrollTop - OVER;
		const high = scroller.scrollTop + view + OVER;
		while (this.a1 < lines.end && this.top + this.height < high) this.#append(FEW);
		while (this.a0 > lines.base && this.top > low) this.#prepend(FEW);
		if (document.getSelection().isCollapsed || this.sheet.childElementCount > HELD) this.#drop(low - OVER, high + OVER);
		this.#bounds();
		if (end) this.#scroll(this.spaced);
		if (this.a1 === lines.end && this.top + this.height < high) this.delegate.more(1);
		if (this.a0 === lines.base && this.top > low) this.delegate.more(-1);
		const count = this.sheet.childElementCount;
		if (count > 10) this.rowHeight = this.height / count;
		this.delegate.drawn();
	}

	get height() {
		return this.sheet.offsetHeight;
	}

	get #atEnd() {
		return this.follow && this.lines.atEnd;
	}

	#clear(at) {
		this.sheet.replaceChildren();
		this.a0 = this.a1 = at; // the items that are drawn
		this.top = 0;
	}

	#scale() {
		const { first, last, spread } = this.lines;
		return new Scale(first, last, this.rowHeight / spread);
	}

	#anchor() {
		for (const row of this.sheet.children) {
			const offset = this.top + row.offsetTop - this.scroller.scrollTop;
			if (offset + row.offsetHeight > 0) return { row, offset };
		}
		return null;
	}

	#build(item, previous = this.lines.items[this.lines.index(item.line) - 1]) {
		return Object.assign(this.delegate.row(item, previous), { item });
	}

	#rows(a, b) {
		const { items, base } = this.lines;
		return items.slice(a - base, b - base).map((item, i) => this.#build(item, items[a - base + i - 1]));
	}

	#append(count) {
		const b = Math.min(this.lines.end, this.a1 + count);
		this.sheet.append(...this.#rows(this.a1, b));
		this.a1 = b;
	}

	#prepend(count) {
		const { height } = this;
		const a = Math.max(this.lines.base, this.a0 - count);
		this.sheet.prepend(...this.#rows(a, this.a0));
		this.a0 = a;
		this.top -= this.height - height;
	}

	#space(height, least = false) {
		const px = least ? Math.max(height, this.#scale().height) : height;
		if (px !== this.spaced) this.spacer.style.height = `${(this.spaced = px)}px`;
	}

	#scroll(to) {
		this.scroller.scrollTop = to;
		this.#expected = this.scroller.scrollTop;
	}

	/** The true ends: the first row at 0, the last at the spacer's end. Moving sheet and scroll position together is unseen. */
	#bounds() {
		const { lines, scroller } = this;
		const { top } = this;
		if (this.a0 === lines.base && lines.atStart) this.top = 0;
		else if (top < 0) this.top = Math.max(this.#scale().top(lines.items[this.a0 - lines.base].line), 2 * OVER);
		this.sheet.style.top = `${this.top}px`;
		const bottom = this.top + this.height;
		const last = this.a1 === lines.end && lines.atEnd;
		this.#space(last ? bottom : bottom + OVER, !last);
		this.#scroll(scroller.scrollTop + this.top - top);
	}

	#drop(low, high) {
		const rows = [...this.sheet.children];
		const above = rows.filter((row) => this.top + row.offsetTop + row.offsetHeight < low);
		const below = rows.filter((row) => this.top + row.offsetTop > high);
		if (above.length > FEW) {
			this.top += rows[above.length]?.offsetTop ?? 0;
			above.forEach((row) => row.remove());
			this.a0 += above.length;
		}
		if (below.length > FEW) {
			below.forEach((row) => row.remove());
			this.a1 -= below.length;
		}
	}

	#scrolled = () => {
		const { scrollTop: at, clientHeight: view } = this.scroller;
		const moved = Math.abs(at - this.#expected);
		this.#expected = at;
		if (moved <= 2 || !this.lines.items.length) return;
		this.follow = false;
		this.delegate.left();
		const away = at + view < this.top - OVER || at > this.top + this.height + OVER;
		if (away && moved > 3 * view) this.delegate.seek(this.#scale().line(at));
		else this.draw();
	};
}
