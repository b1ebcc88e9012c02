// A row of a terminal as one message wrote it, until another writes on it. The twin of `webapp/journal/row.py`.

import { Cells } from "./cells.js";
import { TOKEN, plain } from "./escapes.js";
import { restyle } from "./sgr.js";

const MOVES = /[\n\x08\r]|\x1b[78DEMc]|(?:\x1b\[|\x9b)(?:[0-9;]*[@-HPXZ\x60adefsu]|[0-9;]*[123][JK]|\?1049)/;
const LINK = /^8;[^;]*;(https?:\/\/[!-~]{1,2000})?$/;

/** Whether a message is other than its text without escape sequences. A return at its end and an erasure to the right
 * of the cursor change nothing where nothing went back. */
export function redraws(message) {
	return MOVES.test(message.endsWith("\r") ? message.replace(/\r+$/, "") : message);
}

/** A message that does not redraw, in runs of one style: `[[text, style], …]`. Other escape sequences are taken out,
 * control characters stay. */
export function runs(message, style = "") {
	const found = [];
	let [at, text] = [0, ""];
	for (const { 0: token, index, groups } of message.matchAll(TOKEN)) {
		text += message.slice(at, index);
		at = index + token.length;
		if (groups.control) text += token;
		const fresh = groups.control ? style : styled(style, groups);
		if (fresh === style) continue;
		found.push([text, style]);
		[text, style] = ["", fresh];
	}
	found.push([text + message.slice(at), style]);
	const bare = (text) => text.replace(/\r+$/, "");
	while (found.length && !bare(found.at(-1)[0])) found.pop();
	if (found.length) found.at(-1)[0] = bare(found.at(-1)[0]);
	return found.filter(([text]) => text);
}

/** The style after a sequence: SGR's parameters, and after a blank where a link (OSC 8) leads. */
export function styled(style, { final, between, parameters, opens, string }) {
	const [sgr, link] = style.split(" ");
	if (final === "m" && !between) {
		if (/[^0-9:;]/.test(parameters)) return style; // a private one
		return joined(restyle(sgr, parameters), link);
	}
	return (opens === "\x1b]" || opens === "\x9d") && string.startsWith("8;") ? joined(sgr, LINK.exec(string)?.[1]) : style;
}

const joined = (sgr, link) => (link ? `${sgr} ${link}` : sgr);

/** `message`, begun in `style`, until somebody writes on it. `ends`: the lines whose end was read here. */
export class Row {
	#cells = null;

	constructor(ends = [], message = "", style = "", states = 0) {
		this.ends = ends;
		this.message = message;
		this.style = style;
		this.states = states;
		this.version = 0;
	}

	/** To be written on. */
	get cells() {
		this.version++;
		if (!this.#cells) {
			this.#cells = new Cells();
			let x = 0;
			for (const [text, style] of runs(this.message, this.style)) x = write(this.#cells, x, plain(text), style);
		}
		return this.#cells;
	}

	get spans() {
		return this.#cells ? this.#cells.spans() : runs(this.message, this.style);
	}

	get blank() {
		return this.#cells !== null && !this.#cells.spans().length;
	}
}

/** Text that may hold tabs. Gives the column after it. */
export function write(cells, x, text, style) {
	text.split("\t").forEach((part, i) => (x = cells.put(i ? cells.tab(x) : x, part, style)));
	return x;
}
