// On paper there is no window to scroll: the lines in memory are printed, one below the other.

import { el, number, on } from "./dom.js";

/** `rows` gives them anew. */
export function startPrinting(root, rows) {
	const sheet = el("div", "print");
	on(window, "beforeprint", () => {
		const all = rows();
		const last = Number(root.dataset.last);
		const note = all.length < last ? [el("p", "quiet", `The ${number(all.length)} lines around the reader, of ${number(last)}: the whole log can be downloaded as text.`)] : [];
		sheet.replaceChildren(...note, ...all);
		root.append(sheet);
	});
	on(window, "afterprint", () => sheet.remove());
}
