// A window of consecutive lines in memory; the server's journal holds the rest.

import { trim } from "./api.js";

const PAGE = 500;
const MAX = 3000;

export function search(items, line) {
	let low = 0;
	for (let high = items.length; low < high; ) {
		const middle = (low + high) >> 1;
		if (items[middle].line < line) low = middle + 1;
		else high = middle;
	}
	return low;
}

/** The first line from `line` on (`step` -1: upwards) that none of the sorted ranges hides. */
export function unfolded(line, folded, step = 1) {
	for (const [from, to] of step > 0 ? folded : folded.toReversed()) {
		if (line >= from && line <= to) line = step > 0 ? to + 1 : from - 1;
	}
	return line;
}

/** `base + i` names an item for good: `base` counts what was dropped from the front. */
export class LineWindow {
	epoch = "";
	first = 1; // oldest line of the journal
	last = 0; // newest line known of
	folded = []; // sorted ranges of lines
	level = "";
	#turn = 0;

	constructor(api) {
		this.api = api;
		this.#fill([], false, false);
	}

	get end() {
		return this.base + this.items.length;
	}

	get #ends() {
		return [this.items[0]?.line, this.items.at(-1)?.line];
	}

	get spread() {
		const [from, to] = this.#ends;
		return (to - from) / (this.items.length - 1) || 1;
	}

	holds(line) {
		const [from, to] = this.#ends;
		return Boolean(from) && (this.atStart || line >= from) && (this.atEnd || line <= to);
	}

	index(line) {
		return search(this.items, line);
	}

	clear(whole = false) {
		this.#turn++;
		this.#fill([], whole, whole);
	}

	async load(line) {
		const turn = ++this.#turn;
		const [older, newer] = await Promise.all(
			line ? [this.#page(-1, line, 150), this.#page(1, line, PAGE)] : [this.#page(-1, Infinity, PAGE), { lines: [], over: true }]);
		if (turn !== this.#turn) return false;
		this.#fill([...older.lines, ...newer.lines], older.over, newer.over);
		return true;
	}

	async more(step) {
		const { items, busy } = this;
		const [from, to] = this.#ends;
		if (!from || busy[step] || (step > 0 ? this.atEnd : this.atStart)) return false;
		const turn = this.#turn;
		busy[step] = true;
		const { lines, over } = await this.#page(step, step > 0 ? to + 1 : from, PAGE).finally(() => (busy[step] = false));
		if (turn !== this.#turn) return false;
		if (step > 0) {
			items.push(...lines);
			this.atEnd = over;
		} else {
			items.unshift(...lines);
			this.base -= lines.length;
			this.atStart = over;
		}
		return true;
	}

	push(lines, follow) {
		const fresh = lines.filter((line) => line.line > this.last);
		if (!fresh.length) return 0;
		if (!this.items.length) this.atStart &&= fresh[0].line <= this.first;
		const gapless = fresh[0].line <= this.last + 1 || fresh[0].before || !this.items.length;
		this.#know(fresh);
		const shown = fresh.filter(this.#shown).map(trim);
		this.atEnd &&= gapless && (follow || this.items.length < MAX);
		if (this.atEnd) {
			this.items.push(...shown);
			if (follow) this.#drop(this.items.length - MAX);
		}
		return shown.length;
	}

	fold(from, to) {
		this.folded = [...this.folded, [from, to]].sort((a, b) => a[0] - b[0]);
		this.items = this.items.filter(this.#shown);
	}

	keep(a, b) {
		this.#drop(Math.min(this.items.length - MAX, a - this.base - PAGE));
		const extra = Math.min(this.items.length - MAX, this.end - b - PAGE);
		if (extra > 0) {
			this.items.length -= extra;
			this.atEnd = false;
		}
	}

	#fill(items, atStart, atEnd) {
		Object.assign(this, { items, base: 0, atStart, atEnd, busy: {} });
		this.#know(items);
	}

	#know(lines) {
		if (!lines.length) return;
		this.epoch = lines[0].id.split("-")[0];
		this.last = Math.max(this.last, lines.at(-1).line);
	}

	#drop(count) {
		if (count <= 0) return;
		this.items.splice(0, count);
		this.base += count;
		this.atStart = false;
	}

	/** Lines from `line` on, or (`step` -1) before it; `over`: there are no more. */
	async #page(step, line, count) {
		const from = step > 0 ? unfolded(line, this.folded) : unfolded(line - 1, this.folded, -1) + 1;
		if (step > 0 ? from === Infinity : from <= this.first) return { lines: [], over: true };
		const where = step > 0 ? { from_line: from, limit: count }
			: { tail: count, before: from === Infinity ? undefined : `${this.epoch}-${Math.min(from, this.last + 1)}` };
		const lines = await this.api.lines({ ...where, level: this.level });
		this.#know(lines);
		return { lines: lines.filter(this.#shown), over: lines.length < count };
	}

	#shown = ({ line, level }) =>
		(!this.level || this.level.split(",").includes(level)) && !this.folded.some(([from, to]) => line >= from && line <= to);
}
