// Marks what was found within the rows that are drawn.
//
// A text is looked for here. Where an expression matches is asked of the server: a browser's engine can take minutes for
// one that a link brought, and it reads some expressions otherwise.

import { KEEP } from "./api.js";
import { $$ } from "./dom.js";

const MOST = 200; // matches within a row
const OURS = "button:not(.group), .tag, .mute"; // within a message
const DELAY = 60; // ms: rows that are scrolled past need no answer

/** Finds a text within a string: [start, end] of each match. */
export function finder(text, exact) {
	const pattern = new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), exact ? "gu" : "giu");
	return (string) => Array.from(string.matchAll(pattern), (match) => [match.index, match.index + match[0].length]);
}

export function makeHighlight(api, viewer) {
	let query, find;
	let places = new Map(); // line → where the server found matches in it
	let timer = 0;
	return { set, paint, inRow };

	/** `query` as `/search` takes it; null for none. */
	function set(wanted) {
		query = wanted;
		find = query && !query.regex ? finder(query.q, query.case === "exact") : null;
		places = new Map();
		paint();
	}

	function paint() {
		const rows = query ? $$(".row", viewer.root) : [];
		CSS.highlights?.set("find", new Highlight(...rows.flatMap(inRow)));
		if (query?.regex && rows.some((row) => !places.has(numberOf(row)))) {
			clearTimeout(timer);
			timer = setTimeout(() => ask(query, rows.filter((row) => row.isConnected)), DELAY);
		}
	}

	/** Ranges within a row's message. */
	function inRow(row) {
		const nodes = textNodes(row.lastChild, find ? OURS : `${OURS}, .drawn`); // the server knows nothing of earlier states
		const text = nodes.map(({ data }) => data).join("");
		const found = find ? find(text) : places.get(numberOf(row)) ?? [];
		return found.slice(0, MOST).filter(([from, to]) => to > from && to <= text.length).map((span) => rangeOf(nodes, span));
	}

	async function ask(asked, rows) {
		const numbers = rows.map(numberOf).filter((line) => !places.has(line));
		if (!numbers.length || asked !== query) return;
		for (const line of numbers) places.set(line, []);
		const where = { after: viewer.cursor(Math.min(...numbers) - 1), before: viewer.cursor(Math.max(...numbers) + 1) };
		const whole = viewer.folds.whole.has(numbers[0]) && numbers.length === 1;
		const { lines, spans } = await api.json("/search", { ...asked, ...where, limit: 1000, max_line_bytes: whole ? 0 : KEEP })
			.catch(() => ({ lines: [] })); // no mark is no harm
		if (asked !== query) return;
		lines.forEach(({ line }, i) => places.set(line, spans[i]));
		paint();
	}
}

const numberOf = (row) => Number(row.dataset.line);

/** The message's own text: no buttons, no notes. */
function textNodes(message, without) {
	const own = (node) => (node.nodeType === Node.TEXT_NODE ? NodeFilter.FILTER_ACCEPT
		: node.matches(without) ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_SKIP);
	const walker = document.createTreeWalker(message, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT, own);
	const nodes = [];
	while (walker.nextNode()) nodes.push(walker.currentNode);
	return nodes;
}

function rangeOf(nodes, [from, to]) {
	const place = (offset) => {
		const node = nodes.find(({ length }) => offset <= length || ((offset -= length), false));
		return [node, offset];
	};
	const range = new Range();
	range.setStart(...place(from));
	range.setEnd(...place(to));
	return range;
}
