// Search over the whole log, on the server.

import { $, $$, number, put } from "./dom.js";

const MOST = 100_000;

/** What finds a match within a row; null for an expression that could take long (a link can bring any). */
export function marker(q, regex) {
	if (!q || (regex && (/\)[*+{?]|\\\d/.test(q) || q.match(/[*+{]/g)?.length > 2))) return null;
	try {
		return new RegExp(regex ? q : q.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), !regex && q === q.toLowerCase() ? "giu" : "gu");
	} catch {
		return null;
	}
}

export function makeFind(api, viewer) {
	const me = { q: "", matches: [], run, step, paint };
	let regex, at, scanned, complete, pattern, abort, scanning;
	return me;

	async function run(q, isRegex) {
		abort?.abort();
		abort = new AbortController();
		scanning = null;
		Object.assign(me, { q, matches: [] });
		[regex, at, scanned, complete, pattern] = [isRegex, -1, "", false, marker(q, isRegex)];
		$("#find").ariaInvalid = null;
		display();
		if (q) await scan(viewer.port.follow ? Infinity : viewer.port.topLine());
	}

	/** Whoever asks while one is under way waits for the same. */
	function scan(from) {
		const { signal } = abort;
		return (scanning ??= read(from, signal).finally(() => signal.aborted || (scanning = null)));
	}

	async function read(from, signal) {
		const { matches, q } = me;
		do {
			const query = { q, regex, level: viewer.view.level, after: scanned, limit: 1000 };
			const page = await api.json("/search", query, { signal }).catch((error) => {
				if (error.status === 400) {
					$("#find").ariaInvalid = "true";
					put("#found", "Invalid");
				}
				throw error;
			});
			matches.push(...page.lines.map(({ line }) => line));
			[scanned, complete] = [page.scanned_to, page.complete];
			display();
			if (from && (complete || matches.at(-1) >= from)) {
				const there = matches.findIndex((line) => line >= from);
				from = 0;
				await go(there < 0 ? matches.length - 1 : there);
			}
		} while (!complete && matches.length < MOST);
	}

	async function step(by) {
		if (at + by >= me.matches.length) await scan(0);
		const { length } = me.matches;
		await go((at + by + length) % length);
	}

	async function go(to) {
		if (!(to >= 0)) return;
		at = to;
		await viewer.goto(me.matches[at]);
		display();
	}

	function display() {
		const count = me.matches.length;
		const place = count ? `${at < 0 ? "" : `${number(at + 1)} of `}${number(count)}${complete ? "" : "+"}` : complete ? "None" : "…";
		put("#found", me.q && place);
		for (const button of $$("#find-prev, #find-next")) button.disabled = !count;
		paint();
	}

	function paint() {
		const ranges = [];
		for (const row of $$(".row", viewer.root)) {
			row.classList.toggle("current", +row.dataset.line === me.matches[at]);
			if (pattern) ranges.push(...within(row.lastChild, pattern));
		}
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
