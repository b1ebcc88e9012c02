// The log: what is in memory, what is drawn, and the parts that act on it.

import { makeCopying } from "./copying.js";
import { now } from "./clock.js";
import { $, el, on } from "./dom.js";
import { makeFilters } from "./filters.js";
import { makeFolds } from "./folding.js";
import { makeGaps } from "./gaps.js";
import { makeLines } from "./lines.js";
import { makeMarks } from "./marking.js";
import { makeMoves } from "./moving.js";
import { startPrinting } from "./printing.js";
import { buildRow } from "./row.js";
import { day } from "./times.js";
import { makeViewport } from "./viewport.js";

const CATCH_UP = 1000; // ms between two questions for new lines that match

/**
 * `view`: what the address says of it; `defaults`: what is so where the address says nothing.
 * `delegate`: `begun` when the first lines have come, `changed`, `drawn`, `inContext(line)`.
 */
export function makeViewer(api, view, defaults, delegate) {
	const root = $("#log");
	const lines = makeLines(api);
	const viewer = {
		view, defaults, root, lines, cursor, begin, look, push, refill, reset, back, changed, bounds, times, lineAt,
		fresh: 0, // lines that came since the reader left the end
		start: null, // timestamp of the first line
		returnTo: 0, // the line to go back to when the first lines have come, unless the reader goes elsewhere
		over: false, // whether the job has ended
		failed: false,
		parts: [], // of the overview
	};
	const filters = (viewer.filters = makeFilters(api, viewer));
	const marks = (viewer.marks = makeMarks(viewer));
	const folds = (viewer.folds = makeFolds(api, viewer));
	const moves = (viewer.moves = makeMoves(api, viewer));
	const gaps = (viewer.gaps = makeGaps(api, viewer));
	viewer.copying = makeCopying(api, viewer);
	let catching = 0; // the timer of `catchUp`
	let away = null; // what came while the tab was hidden: {line, count}
	const viewport = (viewer.viewport = makeViewport(root, lines, {
		row: dated, more: moves.more, seek: moves.seek, left: delegate.changed, drawn: delegate.drawn,
	}));
	return viewer;

	function begin() {
		on(root, "click", clicked);
		startPrinting(root, () => lines.items.map((line, i) => dated(line, lines.items[i - 1])));
		on(document, "selectionchange", () => {
			if (viewport.follow && !getSelection().isCollapsed && root.matches(":hover")) moves.follow(false);
		});
		look();
		marks.begin();
		filters.apply();
		// Without a mark or a filter the stream alone fills the page: its first lines are the log's newest.
		lines.clear(!marks.marked && !filters.any());
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
		if (viewer.returnTo) moves.goto(viewer.returnTo, "top");
	}

	/** Takes lines of the stream. */
	function push(fresh) {
		const known = lines.last;
		const shown = lines.push(fresh, viewport.follow);
		if (known && !viewport.follow && !viewer.over) viewer.fresh += shown; // of a job that is over nothing is new
		if (fresh[0].line === 1) viewer.start = fresh[0].timestamp;
		if (!known) begun();
		else if (lines.search) catchUp();
		else if (viewport.follow && !lines.atEnd) moves.toEnd();
		changed();
		if (lines.changed) viewport.renew(lines.changed);
		else viewport.schedule();
	}

	/** Which of the new lines match only the service can say. A reader who is elsewhere gets them on the way down. */
	function catchUp() {
		catching ||= setTimeout(async () => {
			catching = 0;
			if (viewport.follow) await (lines.items.length ? moves.more(1) : moves.toEnd());
		}, CATCH_UP);
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
		viewer.returnTo = viewport.follow ? 0 : moves.topLine();
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
		if (filters.any()) row.lastChild.append(el("button", "in context", "In context", { type: "button", tabIndex: -1 }));
		return row;
	}

	/** The log's first and last line as the server knows them now. */
	async function bounds() {
		const { first_line, last_line } = await api.json("/overview", { parts: 1 });
		return { first: first_line, last: last_line };
	}

	/** What a time that somebody types refers to. */
	function times() {
		const end = viewer.over ? viewer.parts.at(-1)?.high_ms : now();
		return { start: viewer.start ?? end, end, utc: view.time === "utc" };
	}

	/** The first line of that moment or later; where there is none the last one. */
	async function lineAt(ms) {
		const part = viewer.parts.find(({ high_ms }) => high_ms >= ms);
		if (!part) return lines.last;
		const [found] = await api.json("/logs", { from_line: part.first, since_ms: Math.max(0, ms), limit: 1, max_line_bytes: 1 });
		return found?.line ?? lines.last;
	}

	/** What a row needs to know besides its line. */
	function rowContext() {
		return {
			view, away, start: viewer.start, current: marks.current, isMarked: marks.covers, gone: gaps.before,
			folds: folds.groups, groupOf: folds.groupOf, unfolded: folds.unfolded, whole: folds.whole, drawn: folds.drawn,
		};
	}

	function changed() {
		root.dataset.last = lines.last;
		root.style.setProperty("--digits", Math.max(3, String(lines.last).length));
		delegate.changed();
	}

	function clicked(event) {
		const { target } = event;
		const row = target.closest(".sheet > *");
		if (target.matches(".n") && !event.ctrlKey && !event.metaKey) number(event, row.item.line);
		const button = target.closest("button");
		if (button?.gap) gaps.look(button.gap);
		else if (button?.matches(".context")) delegate.inContext(row.item.line);
		else if (button?.matches(".group")) folds.fold(row.item);
		else if (button) folds.unfold(button, row);
	}

	/** A line's number marks it; with Shift, or by touch, all from the mark to it. */
	function number(event, line) {
		event.preventDefault();
		getSelection().removeAllRanges();
		moves.follow(false);
		const { first, last } = marks.marked ?? {};
		const further = event.shiftKey || (event.pointerType === "touch" && !marks.covers(line));
		if (further && first) marks.set(line, line < first ? last : first);
		else marks.set(marks.covers(line) && (first === last || event.pointerType === "touch") ? 0 : line);
	}
}
