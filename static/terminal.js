// What a terminal shows of lines. What reads that (reading.js) is loaded with the first line that holds a control
// character: most logs have none.

import { later } from "./later.js";

const CONTROL = /[\0-\x08\x0a-\x1f\x7f-\x9f]/;

/** What is shown of a message without control characters, in the shape of an item of screen.js. */
const plain = (message, line) => ({ rows: message ? [[[message, ""]]] : [[]], text: message, lines: [line], states: 1, version: 0 });

/** `reading.js` while nothing has to be read. */
class PlainReading {
	items = [];

	get lines() {
		return this.items;
	}

	get ends() {
		return [this.items[0]?.line, this.items.at(-1)?.line];
	}

	append(lines) {
		for (const line of lines) line.shown = plain(line.message, line.line);
		this.items.push(...lines);
		return 0;
	}

	prepend(lines) {
		this.items.unshift(...lines);
		for (const line of lines) line.shown = plain(line.message, line.line);
		return false;
	}

	drop(count) {
		this.items.splice(0, count);
	}

	cut(count) {
		this.items.length -= count;
	}
}

/** `Reading`, `read` a message by itself, `paint` a style: as reading.js has them once it is loaded. */
export const terminal = { Reading: PlainReading, read: (message) => plain(message, 0), paint: null };

const load = later((again) => import(`./reading.js${again}`), ({ Reading, read, paint }) => Object.assign(terminal, { Reading, read, paint }));

/** To be waited for before these messages are read. */
export async function prepare(messages) {
	if (!terminal.paint && messages.some((message) => CONTROL.test(message))) await load();
}
