// Search over the whole log, on the server: the nearest match first, then their number.

import { lineOf } from "./address.js";
import { $, $$, inTurn, number, put } from "./dom.js";

const MOST = 100_000; // matches counted

/** Finds matches within a row; null for what could take long (a link can bring any). */
export function marker(q, regex) {
	if (!q || (regex && (/\)[*+{?]|\\\d/.test(q) || q.match(/[*+{]/g)?.length > 2))) return null;
	try {
		return new RegExp(regex ? q : q.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), !regex && q === q.toLowerCase() ? "giu" : "gu");
	} catch {
		return null;
	}
}

export function makeFind(api, viewer) {
	const inOrder = inTurn(step);
	const me = { q: "", run, step: (by, from) => inOrder(abort?.signal, by, from), count: inTurn(count), paint };
	let regex, pattern, abort;
	let line, place; // the current match; which one it is, 0: unknown
	let first, moved; // the match to count up to, null until it is found; steps since
	let total, scanned, complete;
	return me;

	async function run(q, isRegex) {
		abort?.abort();
		const { signal } = (abort = new AbortController());
		me.q = q;
		[regex, pattern, line, place, first, total, scanned, complete] = [isRegex, marker(q, isRegex), 0, 0, null, 0, "", false];
		viewer.marks.point(0);
		$("#find").ariaInvalid = null;
		display();
		if (!q) return;
		const known = viewer.cursor(viewer.lines.last);
		await (viewer.viewport.follow ? me.step(-1, 0) : me.step(1, viewer.moves.topLine() - 1));
		if (signal.aborted) return;
		[first, moved] = [line, 0];
		if (!line) [scanned, complete] = [known, true];
		display();
		await me.count();
	}

	function ask(query) {
		const asked = { q: me.q, regex, level: viewer.view.level, max_line_bytes: 1, ...query };
		return api.json("/search", asked, { signal: abort.signal }).catch((error) => {
			if (error.status === 400) {
				me.q = "";
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
		if (!me.q) return $("#find").select();
		if (signal.aborted) return;
		fresh();
		const next = await nearest(by, from);
		const found = next ?? (from && await nearest(by, 0));
		if (!found) return;
		moved += next ? by : NaN;
		place = next ? place && place + by : by > 0 ? 1 : complete ? total : 0;
		if (!next && !place) [first, moved] = [found, 0];
		viewer.marks.point((line = found));
		await viewer.moves.goto(line);
		display();
		me.count();
	}

	function fresh() {
		complete &&= lineOf(scanned) >= viewer.lines.last;
	}

	/** Goes on where it was broken off, or more has come. */
	async function count() {
		fresh();
		while (me.q && first !== null && !complete && total < MOST) {
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
		put("#found", me.q && (place ? `${number(place)} of ${all}` : all));
		paint();
	}

	function paint() {
		const ranges = pattern ? $$(".row", viewer.root).flatMap((row) => within(row.lastChild, pattern)) : [];
		CSS.highlights?.set("find", new Highlight(...ranges));
	}
}

function within(message, pattern) {
	const walker = document.createTreeWalker(message, NodeFilter.SHOW_TEXT);
	const nodes = [];
	while (walker.nextNode()) nodes.push(walker.currentNode);
	const place = (offset) => {
		const node = nodes.find(({ length }) => offset <= length || ((offset -= length), false));
		return [node, offset];
	};
	const found = message.textContent.slice(0, 4000).matchAll(pattern);
	return [...found].filter(([text]) => text).slice(0, 100).map(({ 0: text, index }) => {
		const range = new Range();
		range.setStart(...place(index));
		range.setEnd(...place(index + text.length));
		return range;
	});
}
