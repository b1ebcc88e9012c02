// Consecutive lines of a log as a terminal shows them in the end. The twin of `webapp/journal/terminal.py`, which says
// under which line's number a row stands, and what the bounds are; docs/terminal.md says it at length.

import { TOKEN, plain } from "./escapes.js";
import { Row, redraws, styled, write } from "./written.js";

export const REACH = 100; // rows
export const SPAN = 10_000; // lines
const COLUMNS = 1000;
const LONGEST = 1 << 20; // characters: of a longer message that is redrawn the end is read
const STYLED = /[\x1b\x9b\x9d]/;

/** What is shown under one line's number. `sources`: its rows, more than one where a line drew rows that no other ended
 * on. `lines`: all that ended on them, oldest first. `states`: how often they were drawn. */
class Item {
	sources = [];
	lines = [];
	states = 0;

	constructor(line) {
		this.line = line;
	}

	/** Each row as `[[text, style], …]`. */
	get rows() {
		return this.sources.map((row) => row.spans);
	}

	/** Without styles and control characters. */
	get text() {
		return this.rows.map((row) => row.map(([text]) => plain(text).replaceAll("\n", "")).join("")).join("\n");
	}

	/** Changes with whatever is shown. */
	get version() {
		return this.sources.reduce((sum, row) => sum + row.version + row.ends.length, this.sources.length);
	}
}

/** Reads consecutive lines. */
export class Screen {
	#rows; // null: nobody wrote there
	#base; // the place of the first row; the first line begins at 0, what it draws above it has negative ones
	#y;
	#x;
	#moved; // since something was written: what is written next is a new state of its row
	#styles; // by stream
	#style;
	#saved;
	#origin; // the place of what a program takes for the top of the screen

	constructor() {
		this.#clear();
	}

	#clear() {
		[this.#rows, this.#base, this.#y, this.#x, this.#moved] = [[], 0, 0, 0, true];
		[this.#styles, this.#style, this.#saved, this.#origin] = [new Map(), "", null, null];
	}

	/** Reads the next line. Gives what is final now. `stream`: whose styles go on. */
	feed(line, message, stream = "") {
		const final = (line - 1) % SPAN === 0 ? this.flush() : [];
		this.#style = this.#styles.get(stream) ?? "";
		if (this.#x === 0 && this.#y === this.#bottom && !redraws(message)) {
			this.#rows.push(new Row([line], message, this.#style, 1));
			this.#y++;
			if (STYLED.test(message)) for (const { groups } of message.matchAll(TOKEN)) this.#style = styled(this.#style, groups);
		} else this.#draw(line, message.slice(-LONGEST));
		if (this.#style || this.#styles.size) this.#styles.set(stream, this.#style);
		if (this.#rows.length > 2 * REACH) final.push(...this.#settle());
		return final;
	}

	/** The cursor is below all that was written, and no style goes on: a plain line changes nothing above it. */
	get resting() {
		return this.#y === this.#bottom && this.#x === 0 && ![...this.#styles.values()].some(Boolean);
	}

	/** All that is left, as it stands. Reading begins anew. */
	flush() {
		const { items } = this;
		this.#clear();
		return items;
	}

	/** What is not final, as it stands. */
	get items() {
		return items(this.#rows, this.#y - this.#base).map(([item]) => item);
	}

	get #bottom() {
		return this.#base + this.#rows.length;
	}

	#settle() {
		const found = items(this.#rows, this.#y - this.#base).filter(([, end]) => end <= this.#rows.length - REACH);
		const taken = found.at(-1)?.[1] ?? 0;
		this.#rows.splice(0, taken);
		this.#base += taken;
		return found.map(([item]) => item);
	}

	/** Where the cursor is. */
	#row() {
		while (this.#y < this.#base) {
			this.#rows.unshift(null);
			this.#base--;
		}
		while (this.#y >= this.#bottom) this.#rows.push(null);
		return (this.#rows[this.#y - this.#base] ??= new Row());
	}

	#go(y) {
		const bottom = Math.max(this.#bottom, this.#y);
		this.#y = Math.min(Math.max(y, bottom - REACH), bottom + REACH);
		this.#moved = true;
	}

	#draw(line, message) {
		let at = 0;
		for (const { 0: token, index, groups } of message.matchAll(TOKEN)) {
			if (index > at) this.#write(message.slice(at, index));
			at = index + token.length;
			if (groups.control) this.#control(line, token);
			else if (groups.final) this.#sequence(groups);
			else if (groups.single) this.#single(groups.single);
			else this.#style = styled(this.#style, groups);
		}
		if (at < message.length) this.#write(message.slice(at));
		this.#control(line, "\n");
	}

	#write(text) {
		const row = this.#row();
		row.states += this.#moved;
		this.#moved = false;
		this.#x = write(row.cells, this.#x, text, this.#style);
	}

	#control(line, control) {
		if (control === "\n") {
			const { ends } = this.#row();
			if (ends.at(-1) !== line) ends.push(line);
			this.#x = 0;
			this.#go(this.#y + 1);
		} else if (control === "\r") [this.#x, this.#moved] = [0, true];
		else if (control === "\b") [this.#x, this.#moved] = [Math.max(0, this.#x - 1), true];
		else this.#row().cells.join(this.#x, control);
	}

	#single(name) {
		if (name === "7") this.#saved = [this.#y, this.#x, this.#style];
		else if (name === "8" && this.#saved) {
			this.#go(this.#saved[0]);
			[, this.#x, this.#style] = this.#saved;
		} else if ("DEM".includes(name)) {
			if (name === "E") this.#x = 0;
			this.#go(this.#y + (name === "M" ? -1 : 1));
		} else if (name === "c") {
			this.#style = "";
			this.#turnPage();
		}
	}

	/** Where a program clears the screen, a log keeps what was on it and goes on below. */
	#turnPage() {
		this.#origin = null;
		[this.#y, this.#moved] = [Math.max(this.#bottom, this.#y), true];
	}

	#sequence(groups) {
		const { final, between, parameters } = groups;
		if (final === "m") this.#style = styled(this.#style, groups);
		else if (parameters === "?1049") this.#turnPage();
		else if (!between && !/[^0-9;]/.test(parameters)) {
			const given = parameters.slice(0, 100).split(";").map((part) => Math.min(Number(part), COLUMNS));
			this.#acts[final]?.(Math.max(1, given[0]), given);
		}
	}

	#column(column) {
		this.#moved ||= column <= this.#x;
		this.#x = Math.max(0, column - 1);
	}

	/** Which row a program means is only known from the first that it named: that one is taken to be a new one. */
	#place(row, column) {
		if (this.#origin === null || this.#origin + REACH < this.#bottom) this.#origin = Math.max(this.#bottom, this.#y);
		this.#column(Math.max(1, column ?? 1));
		this.#go(this.#origin + row - 1);
	}

	#eraseBelow(how) {
		if (how === 2 || how === 3) return this.#turnPage();
		const here = this.#y - this.#base;
		for (const row of how === 1 ? this.#rows.slice(0, Math.max(0, here)) : this.#rows.slice(Math.max(0, here + 1))) row?.cells.erase(0);
		this.#erase(how);
	}

	#erase(how) {
		if (this.#y < this.#base || this.#y >= this.#bottom || how > 2) return;
		const { cells } = this.#row();
		if (how === 0) cells.erase(this.#x);
		else cells.erase(0, how === 1 ? this.#x + 1 : Infinity);
	}

	#nextLine(rows) {
		this.#x = 0;
		this.#go(this.#y + rows);
	}

	#right(count) {
		this.#x = Math.max(this.#x, Math.min(this.#x + count, COLUMNS));
	}

	// By the final byte of a control sequence (ECMA-48, 8.3): the first parameter, 1 at least; all of them.
	#acts = {
		A: (count) => this.#go(this.#y - count), B: (count) => this.#go(this.#y + count), e: (count) => this.#go(this.#y + count),
		C: (count) => this.#right(count), a: (count) => this.#right(count), D: (count) => this.#column(this.#x - count + 1),
		E: (count) => this.#nextLine(count), F: (count) => this.#nextLine(-count),
		G: (column) => this.#column(column), "\x60": (column) => this.#column(column),
		H: (row, given) => this.#place(row, given[1]), f: (row, given) => this.#place(row, given[1]),
		d: (row) => this.#origin !== null && this.#go(this.#origin + row - 1),
		J: (_, [how]) => this.#eraseBelow(how), K: (_, [how]) => this.#erase(how),
		X: (count) => this.#row().cells.erase(this.#x, this.#x + count),
		P: (count) => this.#row().cells.delete(this.#x, count), "@": (count) => this.#row().cells.insert(this.#x, count),
		s: () => this.#single("7"), u: () => this.#single("8"),
	};
}

/** What the rows show, and after which of them each ends. From the bottom up: no row takes a later line than the one
 * below it. A row on which no line ended goes with the one below. Blank ones below the cursor are left out. */
function items(rows, cursor) {
	let end = rows.length;
	while (end > Math.max(cursor, 0) && (rows[end - 1]?.blank ?? true)) end--;
	const found = [];
	let item = null;
	for (let place = end - 1; place >= 0; place--) {
		const row = rows[place];
		if (!row) continue;
		const owner = row.ends.findLast((line) => !item?.line || line <= item.line) ?? 0;
		if (!item || (owner && item.line && owner !== item.line)) found.push([(item = new Item(owner)), place + 1]);
		item.line ||= owner;
		item.sources.push(row);
		item.lines.push(...row.ends);
		item.states = Math.max(item.states, row.states);
	}
	for (const [{ sources, lines }] of found) {
		sources.reverse();
		if (sources.length > 1) lines.splice(0, lines.length, ...[...new Set(lines)].sort((a, b) => a - b));
	}
	return found.reverse();
}

/** A message by itself: all that it draws. */
export function read(message, style = "") {
	const all = new Item(1);
	if (!redraws(message)) {
		all.sources.push(new Row([1], message, style, 1));
		all.states = 1;
		return all;
	}
	const screen = new Screen();
	screen.feed(1, message);
	for (const item of screen.items) {
		all.sources.push(...item.sources);
		all.states = Math.max(all.states, item.states);
	}
	return all;
}
