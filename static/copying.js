// Copying gives the lines' own text: no numbers, no times, nothing folded.

import { problem } from "./api.js";
import { $, copy, on, plural, toast } from "./dom.js";

const COPY_MAX = 200_000; // lines

export function makeCopying(api, viewer) {
	on(viewer.root, "copy", (event) => copySelection(event, viewer.lines));
	return { copyMark };

	/** The marked lines, from the server, since most of a long range is not in memory. */
	async function copyMark() {
		const { first, last } = viewer.marks.marked;
		const count = last - first + 1;
		if (count > COPY_MAX) return toast("many", true);
		const text = api.ask(api.url("/logs", { ...viewer.marks.extent(), format: "text" }))
			.then((response) => response.text())
			.then((all) => {
				if (all) return all.slice(0, -1);
				throw problem(0, "hidden");
			});
		await copy(text, `Copied ${plural(count, "line")}${viewer.filters.any() ? ", filtered" : ""}`);
	}
}

/** Exactly what is selected of the lines: rows as they are shown, a row that is not drawn any more as its text. Nothing
 * else of the page: no numbers, no times, no buttons. */
function copySelection(event, lines) {
	const range = getSelection().getRangeAt(0);
	const [first, last] = [rowOf(range.startContainer), rowOf(range.endContainer)];
	if (!first || !last) return;
	const drawn = new Map([...first.parentElement.children].map((row) => [row.item, row]));
	const chosen = lines.items.slice(lines.index(first.item.line), lines.index(last.item.line + 1));
	const texts = chosen.map((line) => (drawn.has(line) ? selected(drawn.get(line), range) : line.shown.text));
	if (first !== last && texts.at(-1) === null) texts.pop(); // the selection ends before its text
	event.clipboardData.setData("text/plain", texts.map((text) => text ?? "").join("\n"));
	event.preventDefault();
}

const rowOf = (node) => (node.closest ? node : node.parentElement).closest(".sheet > *");

/** The text of a row within a range; null where the range ends before it. Of a long line that is covered to the end all
 * that is in memory. */
function selected(row, range) {
	const message = $(".m", row);
	const part = range.cloneRange();
	const [start, end] = [range.comparePoint(message, 0), range.comparePoint(message, message.childNodes.length)];
	if (start > 0) return null;
	if (end < 0) return "";
	if (start === 0) part.setStart(message, 0);
	if (end === 0) part.setEnd(message, message.childNodes.length);
	const covered = part.cloneContents();
	if (start === 0 && covered.querySelector(".all")) return row.item.shown.text;
	for (const node of covered.querySelectorAll(".in:not(.group), .tag, .mute")) node.remove();
	return covered.textContent;
}
