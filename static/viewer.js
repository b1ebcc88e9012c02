// The log: what is in memory, what is drawn, and the parts that act on it.

import { makeCopying } from "./copying.js";
import { now } from "./clock.js";
import { $, el, on } from "./dom.js";
import { makeFolds } from "./folding.js";
import { makeGaps } from "./gaps.js";
import { makeLines } from "./lines.js";
import { makeMarks } from "./marking.js";
import { makeMoves } from "./moving.js";
import { buildRow } from "./row.js";
import { day } from "./times.js";
import { makeViewport } from "./viewport.js";

/** `view`: what the address says of it. `delegate`: `begun` when the first lines have come, `changed`, `drawn`. */
export function makeViewer(api, view, delegate) {
	const root = $("#log");
	const lines = makeLines(api);
	const viewer = {
		view, root, lines, cursor, begin, look, push, refill, reset, back, changed,
		fresh: 0, // lines that came since the reader left the end
		start: null, // timestamp of the first line
	};
	const marks = (viewer.marks = makeMarks(viewer));
	const folds = (viewer.folds = makeFolds(api, viewer));
	const moves = (viewer.moves = makeMoves(api, viewer));
	const gaps = (viewer.gaps = makeGaps(api, viewer));
	viewer.copying = makeCopying(api, viewer);
	let returnTo = 0; // the line to go back to when the first lines have come
	let away = null; // what came while the tab was hidden: {line, count}
	const viewport = (viewer.viewport = makeViewport(root, lines, {
		row: dated, more: moves.more, seek: moves.seek, left: delegate.changed, drawn: delegate.drawn,
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

	function begun() {
		delegate.begun();
		if (returnTo) moves.goto(returnTo, "top");
		returnTo = 0;
	}

	/** Takes lines of the stream. */
	function push(fresh) {
		const known = lines.last;
		const shown = lines.push(fresh, viewport.follow);
		if (known && !viewport.follow) viewer.fresh += shown;
		if (fresh[0].line === 1) viewer.start = fresh[0].timestamp;
		if (!known) begun();
		else if (viewport.follow && !lines.atEnd) moves.toEnd();
		changed();
		viewport.schedule();
	}

	/** The journal was begun anew: a mark, a fold or a place in the old one means nothing in the new. */
	function reset() {
		marks.forget();
		folds.forget();
		away = null;
		moves.follow(true);
		refill();
	}

	/** Drops the lines in memory: another stream brings its own. A reader who is at a line is led back to it. */
	function refill() {
		returnTo = viewport.follow ? 0 : moves.topLine();
		lines.last = 0;
		lines.clear(true);
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

	/** A row, under the day where a new one begins. A log that is of today alone shows none. */
	function dated(line, before) {
		const row = buildRow(line, before, rowContext());
		const today = day(line.timestamp, view.time);
		const other = before ? day(before.timestamp, view.time) : line.line === lines.first ? day(now(), view.time) : today;
		if (today !== other) row.prepend(el("div", "note day", today));
		return row;
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
