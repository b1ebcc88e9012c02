// The lines of a window and what a terminal shows of them: of lines that a later one drew over only that one is an item.
// What is shown of a line is its `shown` (an item of `screen.js`).

import { SPAN, Screen, read } from "./screen.js";
import { redraws } from "./written.js";

export { paint } from "./ansi.js";
export { read };

const HELD = 3 * SPAN; // lines; past it those are dropped that are behind others and out of reach

export class Reading {
	items = []; // lines that are shown
	#lines = []; // all that were read, in their order
	#screen = new Screen();
	#final = 0; // so many of the items no line can change any more
	#stale = false; // the end was cut off since the screen read it
	#alone;

	/** `alone`: the lines do not follow each other (a filter chose them), each is read by itself. */
	constructor(alone = false) {
		this.#alone = alone;
	}

	/** The numbers of the first and the last line; undefined where there is none. */
	get ends() {
		return [this.#lines[0]?.line, this.#lines.at(-1)?.line];
	}

	/** All lines, those behind others too. */
	get lines() {
		return this.#lines;
	}

	/** Reads on. Gives the first line from which on the items are others than before, apart from new ones at the end; 0:
	 * there is none. */
	append(lines) {
		if (this.#stale) this.#readAgain();
		const before = this.items.slice(this.#final).map((line) => [line, line.shown.version]);
		const from = this.#final;
		for (const line of lines) this.#feed(line);
		this.#close();
		if (this.#lines.length > HELD) this.#prune();
		const changed = before.findIndex(([line, version], i) => this.items[from + i] !== line || line.shown.version !== version);
		if (changed < 0) return 0;
		return Math.min(before[changed][0].line, this.items[from + changed]?.line ?? Infinity);
	}

	/** Reads lines that stand before those that are here. Gives whether these are shown otherwise than before. */
	prepend(lines) {
		const held = this.#lines;
		// From here on nothing depends on what stands before.
		const free = held.findIndex(({ line }, i) => line % SPAN === 1 || (i > 0 && line !== held[i - 1].line + 1));
		const front = free < 0 ? held : held.slice(0, free);
		const older = new Reading(this.#alone);
		older.append(lines);
		const apart = this.#alone || !front.length || lines.at(-1)?.line !== front[0].line - 1;
		if (apart || (older.#screen.resting && !front.some(({ message }) => redraws(message)))) {
			this.#lines = [...lines, ...held];
			this.items.unshift(...older.items);
			this.#final += older.items.length;
			return false;
		}
		if (free < 0) {
			this.#lines = [...lines, ...held];
			this.#readAgain();
			return true;
		}
		older.append(front);
		const count = this.items.findIndex(({ line }) => line >= held[free].line);
		this.#lines = [...lines, ...held];
		this.#final += older.items.length - count;
		this.items.splice(0, count, ...older.items);
		return true;
	}

	/** Drops items from the front. */
	drop(count) {
		this.items.splice(0, count);
		this.#stale ||= count > this.#final;
		this.#final = Math.max(0, this.#final - count);
		const first = this.items[0]?.line ?? Infinity;
		this.#lines.splice(0, this.#lines.findIndex(({ line }) => line >= first) >>> 0);
	}

	/** Drops items from the end. */
	cut(count) {
		this.items.length -= count;
		this.#final = Math.min(this.#final, this.items.length);
		this.#stale = true;
		const last = this.items.at(-1)?.line ?? 0;
		this.#lines.length = this.#lines.findLastIndex(({ line }) => line <= last) + 1;
	}

	#feed(line) {
		if (this.#alone) {
			this.#lines.push(line);
			line.shown = read(line.message);
			this.#final = this.items.push(line);
			return;
		}
		const follows = this.#lines.at(-1)?.line === line.line - 1;
		const final = follows ? [] : this.#screen.flush();
		this.#lines.push(line);
		final.push(...this.#screen.feed(line.line, line.message, line.stream));
		if (!final.length) return;
		this.items.length = this.#final;
		this.#final = this.#take(final);
	}

	/** What is not final stands at the end of the items. */
	#close() {
		if (this.#alone) return;
		this.items.length = this.#final;
		this.#take(this.#screen.items);
	}

	#take(found) {
		for (const item of found) {
			const line = this.#find(item.line);
			line.shown = item;
			if (item.lines.length > 1) this.#keepNotes(line, item.lines);
			this.items.push(line);
		}
		return this.items.length;
	}

	/** Where a line has been folded behind another, the notes on what is missing before it go before that one. */
	#keepNotes(line, numbers) {
		const before = new Set(numbers.flatMap((number) => this.#find(number).before ?? []));
		if (before.size) line.before = [...before];
	}

	#find(number) {
		const lines = this.#lines;
		let [low, high] = [0, lines.length - 1];
		while (low < high) {
			const middle = (low + high) >> 1;
			if (lines[middle].line < number) low = middle + 1;
			else high = middle;
		}
		return lines[low];
	}

	#readAgain() {
		const lines = this.#lines;
		[this.items, this.#lines, this.#screen, this.#final, this.#stale] = [[], [], new Screen(), 0, false];
		for (const line of lines) this.#feed(line);
		this.#close();
	}

	#prune() {
		const shown = new Set(this.items);
		const floor = this.#lines.at(-1).line - SPAN;
		this.#lines = this.#lines.filter((line) => line.line > floor || shown.has(line));
	}
}
