// The marked lines, which the address holds, and the current line, to which a search or a key has led.

import { formatMark, formatView, parseMark } from "./address.js";
import { $$, number, range, toast } from "./dom.js";

export function makeMarks(viewer) {
	const { lines, view, root } = viewer;
	const marks = { marked: null, current: 0, covers, set, point, open, save, link, extent, begin, fromAddress, forget };
	return marks;

	function begin() {
		marks.marked = parseMark(location.hash);
	}

	function forget() {
		marks.marked = null;
	}

	function covers(line) {
		return line >= marks.marked?.first && line <= marks.marked?.last;
	}

	/** Marks the lines between two, in either order; with 0 none. `keep`: the current line stays the current one. */
	function set(one, other = one, keep = false) {
		marks.marked = one ? { epoch: lines.epoch, first: Math.min(one, other), last: Math.max(one, other) } : null;
		save();
		point(keep ? marks.current : 0);
		viewer.changed();
	}

	/** Makes a line the current one; 0: none is. */
	function point(line) {
		marks.current = line;
		for (const row of $$(".row", root)) {
			row.classList.toggle("marked", covers(row.dataset.line));
			row.classList.toggle("current", line === Number(row.dataset.line));
		}
	}

	/** Marks lines and goes there. Gives false, and says so, where the log has no such lines. */
	async function open(first, last = first) {
		const log = first > lines.last ? await viewer.bounds() : lines; // a link may be followed before the newest lines have come
		const exist = last >= log.first && first <= log.last;
		if (exist) {
			set(Math.max(first, log.first), Math.min(last, Math.max(log.last, lines.last)));
			await viewer.moves.goto(marks.marked.first);
			viewer.moves.say(marks.marked.first);
		} else toast(`There is no line ${number(first)}: this log has ${range(log, " to ")}.`, true);
		return exist;
	}

	function save() {
		history.replaceState(null, "", location.pathname + formatView(view, viewer.defaults) + formatMark(marks.marked));
	}

	/** An address of the marked lines for others: without what the sender filters or looks for, which could hide them. */
	function link() {
		return location.origin + location.pathname + formatView({ time: view.time }, viewer.defaults) + formatMark(marks.marked);
	}

	/** The marked lines as the API asks for them. */
	function extent() {
		const { epoch, first, last } = marks.marked; // no line may have come yet that says the epoch
		return { from_line: first, before: `${epoch}-${last + 1}`, ...viewer.filters.parameters() };
	}

	/** Follows a change of the address's fragment, made by a link within the page or by hand. */
	async function fromAddress() {
		const { epoch, first, last } = parseMark(location.hash) ?? {};
		if (!epoch && location.hash) return; // the skip link's #log is no mark
		if (epoch && epoch !== lines.epoch) toast("earlier", true);
		else if (epoch && (await open(first, last))) return;
		set(0);
		// A page that was opened by a dead link has loaded nothing yet.
		if (epoch && !viewer.moves.topLine()) await viewer.moves.toEnd();
	}
}
