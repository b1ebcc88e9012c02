// Where the reader is: at the end, which is followed, or at a line.

import { inTurn, toast } from "./dom.js";

const SEEK_DELAY = 40; // ms: a scrollbar that is dragged passes many places that nobody wants to see

export function makeMoves(api, viewer) {
	const { lines } = viewer;
	let seeking = 0;
	return { topLine, follow, toEnd, goto, filter, hop: inTurn(hop), more, seek };

	/** The first line in view; 0 where there is none. */
	function topLine() {
		return viewer.viewport.seen()[0]?.item.line ?? 0;
	}

	function follow(on) {
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
		if (!anew && lines.holds(line)) lines.halt();
		else if (!(await lines.load(line))) return;
		viewer.changed();
		viewer.viewport.show(line, place);
	}

	async function filter(level) {
		const line = viewer.viewport.follow ? 0 : topLine();
		lines.level = level;
		await (line ? goto(line, "top", true) : toEnd(true));
	}

	/** To the next error or the one before: from the current line or the mark while in view, else from what is. */
	async function hop(step) {
		if (!lines.last) return;
		const { marks, cursor } = viewer;
		const seen = viewer.viewport.seen().map((row) => row.item.line);
		const here = marks.current || marks.marked?.first;
		const from = seen.includes(here) ? here : step > 0 ? seen[0] - 1 : seen.at(-1) + 1;
		const where = step > 0 ? { after: cursor(from), limit: 1 } : { before: cursor(from), tail: 1 };
		const [found] = await api.lines({ level: "error", ...where });
		if (!found) return toast(step > 0 ? "further" : "before");
		marks.point(found.line);
		await goto(found.line);
	}

	/** The viewport nears the end of what is in memory, or (`step` -1) its start. */
	async function more(step) {
		const edge = lines.items[0];
		if (!(await lines.more(step))) return;
		const row = viewer.root.querySelector(".sheet > *");
		// The row that was the first in memory did not know of the line before it: of its day, or its time.
		if (step < 0 && row?.item === edge) viewer.viewport.replace(row);
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
