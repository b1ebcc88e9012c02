// What the command has written after its last newline, a progress bar or a question: a last row without a number. It is no
// line: the next line of its stream takes its place.

import { $, el } from "./dom.js";
import { terminal } from "./terminal.js";
import { textNodes } from "./text.js";

export function makePartial(viewer) {
	const row = el("div", "partial", [], { id: "partial", hidden: true });
	$(".window").after(row);
	const texts = new Map(); // by stream
	return { show, over, clear };

	/** `message`: null where there is nothing any more. */
	function show({ message, stream = "" }) {
		texts.delete(stream);
		const shown = message ? terminal.read(message) : null;
		if (shown?.text.trim()) texts.set(stream, shown);
		draw();
	}

	/** A line of this stream has come. */
	function over(stream = "") {
		if (texts.delete(stream)) draw();
	}

	function clear() {
		texts.clear();
		draw();
	}

	function draw() {
		row.replaceChildren(...[...texts].map(([stream, { rows }]) => el("div", `m ${stream}`, textNodes(rows, MOST))));
		row.hidden = !texts.size;
		viewer.changed();
	}
}

const MOST = 4000; // characters
