// Find, over the whole log, on the server: the nearest match first, then how many there are.

import { lineOf, queryOf } from "./address.js";
import { $, inTurn, number, put } from "./dom.js";
import { makeHighlight } from "./highlight.js";

const COUNTED = 100_000; // matches

export function makeFind(api, viewer) {
	const { view, marks, moves } = viewer;
	const highlight = makeHighlight(api, viewer);
	const inOrder = inTurn(step);
	const find = {
		run, resume, paint: highlight.paint, count: inTurn(count),
		/** To the match after (-1: before) a line; without one the current match. */
		step: (by, from) => inOrder(abort?.signal, by, from),
	};
	let query = null;
	let waiting; // the service could not be asked for the nearest match
	let abort;
	let line, place; // the current match; which one it is, 0: unknown
	let first, moved; // the match to count up to, null until it is found; steps since
	let total, scanned, complete;
	return find;

	/** Looks for what the view says. */
	async function run() {
		abort?.abort();
		const { signal } = (abort = new AbortController());
		query = queryOf(view);
		waiting = false;
		[line, place, first, total, scanned, complete] = [0, 0, null, 0, "", false];
		marks.point(0);
		highlight.set(query);
		$("#find").ariaInvalid = null;
		display();
		if (!query) return;
		const known = viewer.cursor(viewer.lines.last);
		try {
			await (viewer.viewport.follow ? find.step(-1, 0) : find.step(1, moves.topLine() - 1));
		} catch (error) {
			waiting = !signal.aborted && query && (error.status === 0 || error.status >= 500);
			throw error;
		}
		if (signal.aborted) return;
		[first, moved] = [line, 0];
		if (!line) [scanned, complete] = [known, true];
		display();
		await find.count();
	}

	/** Goes on where the service's absence broke it off, or with what has come since. */
	function resume() {
		return (waiting ? run() : find.count()).catch(() => {});
	}

	function ask(more) {
		const asked = { ...query, level: view.level, exclude: view.exclude, max_line_bytes: 1, ...more };
		return api.json("/search", asked, { signal: abort.signal }).catch((error) => {
			if (error.status === 400) {
				query = null;
				highlight.set(null);
				$("#find").ariaInvalid = "true";
				put("#found", "Invalid");
			}
			throw error;
		});
	}

	/** The nearest match after or before a line; 0: the first or the last. */
	async function nearest(by, from) {
		for (let at = viewer.cursor(from); ; ) {
			const { lines: [found], scanned_to, complete } = await ask(by > 0 ? { limit: 1, after: at } : { tail: 1, before: at });
			if (found || complete) return found?.line;
			at = scanned_to;
		}
	}

	async function step(signal, by, from = line) {
		if (!query) return $("#find").select();
		if (signal.aborted) return;
		fresh();
		const next = await nearest(by, from);
		const found = next ?? (from && await nearest(by, 0));
		if (!found) return;
		moved += next ? by : NaN; // beyond the end it begins anew: no longer so many steps away
		place = next ? place && place + by : by > 0 ? 1 : complete ? total : 0;
		if (!next && !place) [first, moved] = [found, 0];
		await moves.lead((line = found));
		await reveal();
		display();
		find.count();
	}

	/** What was found may stand in a part of its line that is folded, or beside the view. */
	async function reveal() {
		const row = () => viewer.viewport.seen().filter(({ item }) => item.shown.lines.includes(line)).map((one) => $(".row", one))[0];
		const hidden = () => (highlight.inRow(row()).length ? null : row());
		if (row() && !query.regex && hidden()) await viewer.folds.reveal(hidden);
		const [range] = row() ? highlight.inRow(row()) : [];
		if (!range) return;
		const [at, view] = [range.getBoundingClientRect(), viewer.root.getBoundingClientRect()];
		if (at.right > view.right) viewer.root.scrollLeft += at.right - view.left - view.width / 2;
		if (at.left < view.left) viewer.root.scrollLeft = 0;
	}

	function fresh() {
		complete &&= lineOf(scanned) >= viewer.lines.last;
	}

	async function count() {
		fresh();
		while (query && first !== null && !complete && total < COUNTED) {
			const page = await ask({ limit: 0, after: scanned, before: viewer.cursor(first && first + 1) });
			total += page.count;
			scanned = page.scanned_to;
			complete = page.complete && !first;
			if (page.complete && first) [place, first] = [place || total + moved, 0];
			display();
		}
	}

	function display() {
		const all = total ? number(Math.max(total, place)) + (complete ? "" : "+") : complete ? "None" : "…";
		put("#found", query && (place ? `${number(place)} of ${all}` : all));
		highlight.paint();
	}
}
