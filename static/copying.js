// Copying gives the lines' own text: no numbers, no times, nothing folded.

import { plain } from "./ansi.js";
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

/** A selection over several rows. One within a row is copied by the browser itself. */
function copySelection(event, lines) {
	const range = getSelection().getRangeAt(0);
	const rowOf = (node) => (node.closest ? node : node.parentElement).closest(".sheet > *");
	const [first, last] = [rowOf(range.startContainer), rowOf(range.endContainer)];
	if (!first || !last || first === last) return;
	const [from, to] = [first.item.line, last.item.line];
	const texts = lines.items.filter(({ line }) => line >= from && line <= to).map((item) => plain(item.message));
	texts.push(texts.pop().slice(0, offsetWithin(last, range.endContainer, range.endOffset)));
	texts[0] = texts[0].slice(offsetWithin(first, range.startContainer, range.startOffset));
	event.clipboardData.setData("text/plain", texts.join("\n"));
	event.preventDefault();
}

/** How many characters of the row's message stand before a place in the document. */
function offsetWithin(row, node, offset) {
	const range = new Range();
	range.selectNodeContents($(".m", row));
	const side = range.comparePoint(node, offset);
	if (side) return side < 0 ? 0 : Infinity;
	range.setEnd(node, offset);
	return range.toString().length;
}
