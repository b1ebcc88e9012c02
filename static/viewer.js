// The log: what is in memory, what is drawn, and the parts that act on it.

import { makeCopying } from "./copying.js";
import { $, on } from "./dom.js";
import { makeFolds } from "./folding.js";
import { makeGaps } from "./gaps.js";
import { makeLines } from "./lines.js";
import { makeMarks } from "./marking.js";
import { makeMoves } from "./moving.js";
import { buildRow } from "./row.js";
import { makeViewport } from "./viewport.js";

/** `view`: what the address says of it. `delegate`: `begun` when the first lines have come, `changed`, `drawn`. */
export function makeViewer(api, view, delegate) {
	const root = $("#log");
	const lines = makeLines(api);
	const viewer = {
		view, root, lines, cursor, begin, look, push, reset, back, changed,
		fresh: 0, // lines that came since the reader left the end
		start: null, // timestamp of the first line
	};
	const marks = (viewer.marks = makeMarks(viewer));
	const folds = (viewer.folds = makeFolds(api, viewer));
	const moves = (viewer.moves = makeMoves(api, viewer));
	const gaps = (viewer.gaps = makeGaps(api, viewer));
	viewer.copying = makeCopying(api, viewer);
	let away = null; // what came while the tab was hidden: {line, count}
	const viewport = (viewer.viewport = makeViewport(root, lines, {
		row: (line, before) => buildRow(line, before, rowContext()), more: moves.more, seek: moves.seek, left: delegate.changed, drawn: delegate.drawn,
	}));
	return viewer;

	function begin() {
		on(root, "click", clicked);
		on(document, "selectionchange", () => {
			if (viewport.follow && !getSelection().isCollapsed && root.matches(":hover")) moves.follow(false);
		});
		look();
		marks.begin();
		lines.level = view.level;
		// Without a mark or a filter the stream alone fills the page: its first lines are the log's newest.
		lines.clear(!marks.marked && !view.level);
		moves.follow(!marks.marked);
	}

	/** Draws anew after a change of how lines look, and leaves the reader where they are. */
	function look() {
		const line = moves.topLine();
		root.classList.toggle("wrap", Boolean(view.wrap));
		root.dataset.time = view.time;
		if (viewport.follow || !line) viewport.redraw();
		else viewport.show(line, "top");
	}

	/** Takes lines of the stream. */
	function push(fresh) {
		const known = lines.last;
		const shown = lines.push(fresh, viewport.follow);
		if (known && !viewport.follow) viewer.fresh += shown;
		if (fresh[0].line === 1) viewer.start = fresh[0].timestamp;
		if (!known) delegate.begun();
		else if (viewport.follow && !lines.atEnd) moves.toEnd();
		changed();
		viewport.schedule();
	}

	/** Forgets every line: the journal was begun anew, or the stream is another one. */
	function reset() {
		marks.forget();
		folds.forget();
		away = null;
		lines.last = 0;
		lines.clear(true);
		moves.follow(true);
		viewport.redraw();
	}

	/** The reader is back, and had seen the log up to this line. */
	function back(left) {
		away = { line: left + 1, count: lines.last - left };
		viewport.redraw();
	}

	/** A line's cursor; "" for 0, before the first. */
	function cursor(line) {
		return line ? `${lines.epoch}-${line}` : "";
	}

	/** What a row needs to know besides its line. */
	function rowContext() {
		return {
			view, away, start: viewer.start, current: marks.current, isMarked: marks.covers, gone: gaps.before,
			folds: folds.groups, groupOf: folds.groupOf, unfolded: folds.unfolded, whole: folds.whole,
		};
	}

	function changed() {
		root.style.setProperty("--digits", Math.max(3, String(lines.last).length));
		delegate.changed();
	}

	function clicked(event) {
		const { target } = event;
		const row = target.closest(".sheet > *");
		if (target.matches(".n") && !event.ctrlKey && !event.metaKey) number(event, row.item.line);
		const button = target.closest("button");
		if (button?.gap) gaps.look(button.gap);
		else if (button?.matches(".group")) folds.fold(row.item);
		else if (button) folds.unfold(button, row);
	}

	/** A line's number marks it; with Shift all from the mark to it. */
	function number(event, line) {
		event.preventDefault();
		getSelection().removeAllRanges();
		moves.follow(false);
		const { first, last } = marks.marked ?? {};
		if (event.shiftKey && first) marks.set(line, line < first ? last : first);
		else marks.set(first === line && last === line ? 0 : line);
	}
}
