// A window of consecutive lines in memory; the server's journal holds the rest.

import { prepare, terminal } from "./terminal.js";

const PAGE = 500;
const MAX = 3000;
const MOST = 4000; // lines of a page where most are drawn over by later ones

/** The first line from `line` on (`step` -1: up) that no sorted range hides. */
export function unfolded(line, folded, step = 1) {
	for (const [from, to] of step > 0 ? folded : folded.toReversed()) {
		if (line >= from && line <= to) line = step > 0 ? to + 1 : from - 1;
	}
	return line;
}

/** `base + i` names an item for good: `base` counts what was dropped from the front. */
export function makeLines(api) {
	const me = {
		epoch: "",
		first: 1, // oldest line of the journal
		last: 0, // newest line known of
		folded: [], // sorted ranges of lines
		level: "",
		changed: 0, // the first line from which on the last call has changed what was shown before; 0: there is none
		search: null, // where only what a search finds is shown: `search(where)` gives those lines, as `api.lines` does
		holds, spread, halt, clear, load, more, push, fold, keep,
		index: (line) => me.items.findLastIndex((item) => item.line < line) + 1,
		get items() {
			return reading.items;
		},
		get end() {
			return me.base + me.items.length;
		},
	};
	let turn = 0;
	let busy;
	let reading;
	fill([], false, false);
	return me;

	function spread() {
		const { items } = me;
		return (items.at(-1)?.line - items[0]?.line) / (items.length - 1) || 1;
	}

	function holds(line) {
		const [from, to] = reading.ends;
		return Boolean(from) && (me.atStart || line >= from) && line <= (me.atEnd ? me.last : to);
	}

	/** What is still being loaded is no longer wanted. */
	function halt() {
		turn++;
	}

	function clear(whole = false) {
		halt();
		fill([], whole, whole);
	}

	async function load(line) {
		const mine = ++turn;
		const [older, newer] = await Promise.all(
			line ? [page(-1, line, 150), page(1, line, PAGE)] : [page(-1, Infinity, PAGE), { lines: [], over: true }]);
		if (mine !== turn) return false;
		halt();
		fill([...older.lines, ...newer.lines], older.over, newer.over);
		return true;
	}

	/** Loads until there are more items: a page may hold nothing but lines that were drawn over later. */
	async function more(step) {
		const [mine, asked] = [turn, busy];
		if (!reading.ends[0] || asked[step]) return false;
		const { length } = me.items;
		asked[step] = true;
		me.changed = 0;
		try {
			for (let count = PAGE; me.items.length <= length && !(step > 0 ? me.atEnd : me.atStart); count = Math.min(2 * count, MOST)) {
				const [from, to] = reading.ends;
				const { lines, over } = await page(step, step > 0 ? to + 1 : from, count);
				if (mine !== turn) return false;
				grow(step, lines, over);
				if (!lines.length) break;
			}
		} finally {
			asked[step] = false;
		}
		return me.items.length !== length || me.changed > 0;
	}

	function grow(step, lines, over) {
		upgrade();
		if (step > 0) {
			const changed = reading.append(lines);
			if (changed) me.changed = me.changed ? Math.min(me.changed, changed) : changed;
			me.atEnd = over;
			return;
		}
		const { end } = me;
		if (reading.prepend(lines)) me.changed = lines[0].line;
		me.base = end - me.items.length;
		me.atStart = over;
	}

	function push(lines, follow) {
		const fresh = lines.filter((line) => line.line > me.last);
		if (!fresh.length) return 0;
		me.changed = 0;
		upgrade();
		const { items } = me;
		if (!items.length) me.atStart &&= fresh[0].line <= me.first;
		const gapless = fresh[0].line <= me.last + 1 || fresh[0].before || !items.length;
		know(fresh);
		if (me.search) me.atEnd = false; // which of them belong here only the service can say
		const seen = me.search ? [] : fresh.filter(shown);
		me.atEnd &&= gapless && (follow || items.length < MAX);
		if (me.atEnd) {
			me.changed = reading.append(seen);
			if (follow) drop(me.items.length - MAX);
		}
		return seen.length;
	}

	function fold(from, to) {
		me.folded = [...me.folded, [from, to]].sort((a, b) => a[0] - b[0]);
		begin(reading.lines.filter(shown));
	}

	function keep(a, b) {
		drop(Math.min(me.items.length - MAX, a - me.base - PAGE));
		const extra = Math.min(me.items.length - MAX, me.end - b - PAGE);
		if (extra > 0) {
			reading.cut(extra);
			me.atEnd = false;
		}
	}

	function fill(lines, atStart, atEnd) {
		begin(lines);
		Object.assign(me, { base: 0, atStart, atEnd });
		busy = {};
		know(lines);
	}

	function begin(lines) {
		reading = new terminal.Reading(Boolean(me.level || me.search));
		reading.append(lines);
	}

	/** What reads them may have been loaded since. */
	function upgrade() {
		if (!(reading instanceof terminal.Reading)) begin(reading.lines);
	}

	function know(lines) {
		if (!lines.length) return;
		me.epoch = lines[0].id.split("-")[0];
		me.last = Math.max(me.last, lines.at(-1).line);
	}

	function drop(count) {
		if (count <= 0) return;
		reading.drop(count);
		me.base += count;
		me.atStart = false;
	}

	/** Lines from `line` on, or (`step` -1) before it; `over`: there are no more. */
	async function page(step, line, count) {
		const from = step > 0 ? unfolded(line, me.folded) : unfolded(line - 1, me.folded, -1) + 1;
		if (step > 0 ? from === Infinity : from <= me.first) return { lines: [], over: true };
		const where = step > 0 ? { from_line: from, limit: count }
			: { tail: count, before: from < Infinity && `${me.epoch}-${Math.min(from, me.last + 1)}` };
		const lines = await (me.search ?? api.lines)({ ...where, level: me.level });
		know(lines);
		await prepare(lines.map(({ message }) => message));
		return { lines: lines.filter(shown), over: lines.length < count };
	}

	function shown({ line, level }) {
		return (!me.level || me.level.split(",").includes(level ?? "none")) && !me.folded.some(([from, to]) => line >= from && line <= to);
	}
}
