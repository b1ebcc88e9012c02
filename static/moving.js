// Where the reader is: at the end, which is followed, or at a line.

import { $, announce, number } from "./dom.js";

const READ = 300; // characters of a line that are read out
const SEEK_DELAY = 40; // ms: a scrollbar that is dragged passes many places that nobody wants to see

export function makeMoves(api, viewer) {
	const { lines } = viewer;
	let seeking = 0;
	return { topLine, atEnd, follow, toEnd, goto, lead, say, step, filter, more, seek };

	/** The first line in view; 0 where there is none. */
	function topLine() {
		return viewer.viewport.seen()[0]?.item.line ?? 0;
	}

	function atEnd() {
		const { viewport } = viewer;
		return viewport.follow || (lines.atEnd && viewport.seen().at(-1)?.item === lines.items.at(-1));
	}

	function follow(on) {
		viewer.returnTo = 0;
		viewer.viewport.follow = on;
		if (on) viewer.fresh = 0;
		viewer.changed();
	}

	async function toEnd(anew = false) {
		follow(true);
		if (!anew && lines.atEnd) lines.halt();
		else if (!(await lines.load(0))) return;
		viewer.changed();
		viewer.viewport.redraw();
	}

	/** `place`: as of the viewport's `show`. `anew`: the lines in memory are not those that are wanted. */
	async function goto(line, place = "middle", anew = false) {
		follow(false);
		anew = viewer.folds.uncover(line) || anew;
		// Sampling may have left it out between lines that are in memory.
		const there = lines.holds(line) && (viewer.filters.any() || lines.items[lines.index(line)]?.line === line);
		if (!anew && there) lines.halt();
		else if (!(await lines.load(line))) return;
		viewer.changed();
		viewer.viewport.show(line, place);
	}

	/** Makes a line the current one, goes there, and reads it out. */
	async function lead(line, place) {
		viewer.marks.point(line);
		await goto(line, place);
		say(line);
	}

	function say(line) {
		const item = lines.items.find((one) => one.line === line);
		if (item) announce(`Line ${number(line)}: ${item.shown.text.slice(0, READ) || "empty"}`);
	}

	/** Moves the current line by one, among those that are shown. Gives it. */
	async function step(by) {
		const { viewport, marks } = viewer;
		const seen = viewport.seen().map((row) => row.item.line);
		if (!seen.length) return 0;
		let line = by > 0 ? seen[0] : seen.at(-1);
		if (seen.includes(marks.current)) {
			const at = lines.index(marks.current) + by;
			if (!lines.items[at]) await more(by);
			line = lines.items[lines.index(marks.current) + by]?.line ?? marks.current;
		}
		follow(false);
		marks.point(line);
		viewport.reveal(line);
		say(line);
		return line;
	}

	/** Other lines are shown than before. The current line, or the mark, stays where it is in the view. */
	async function filter() {
		const { viewport, marks } = viewer;
		const wanted = marks.current || marks.marked?.first;
		const rows = viewport.seen();
		const kept = rows.find((row) => row.item.line === wanted) ?? rows[0];
		const place = kept && { line: kept.item.line, at: viewport.offset(kept) };
		viewer.filters.apply();
		viewer.root.classList.add("busy");
		try {
			if (viewport.follow || !place) await toEnd(true);
			else await goto(place.line, place.at, true);
		} finally {
			viewer.root.classList.remove("busy");
		}
	}

	/** The viewport nears the end of what is in memory, or (`step` -1) its start. */
	async function more(step) {
		const edge = lines.items[0];
		if (!(await lines.more(step))) return;
		const { changed } = lines; // what follows may load again
		const row = $(".sheet > *", viewer.root);
		// The row that was the first in memory did not know of the line before it: of its day, or its time.
		if (step < 0 && row?.item === edge) viewer.viewport.replace(row);
		if (changed) viewer.viewport.redraw();
		viewer.viewport.keep();
		viewer.changed();
		viewer.viewport.schedule();
	}

	/** The scrollbar was dragged to where nothing is drawn. */
	function seek(line) {
		clearTimeout(seeking);
		const show = () => viewer.viewport.show(line, "here");
		if (lines.holds(line)) return show();
		seeking = setTimeout(async () => (await lines.load(line)) && show(), SEEK_DELAY);
	}
}
