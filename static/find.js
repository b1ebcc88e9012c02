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

export class Find {
	matches = [];
	q = "";

	constructor(api, viewer) {
		Object.assign(this, { api, viewer });
	}

	async run(q, regex) {
		this.abort?.abort();
		this.abort = new AbortController();
		Object.assign(this, { q, regex, matches: [], at: -1, scanned: "", complete: false, pattern: marker(q, regex) });
		$("#find").ariaInvalid = null;
		this.#show();
		const { port } = this.viewer;
		if (q) await this.#scan(port.follow ? Infinity : port.topLine());
	}

	async #scan(from) {
		const { signal } = this.abort;
		do {
			const { q, regex, viewer, scanned } = this;
			const query = { q, regex, level: viewer.view.level, after: scanned, limit: 1000 };
			const page = await this.api.json("/search", query, { signal }).catch((error) => {
				if (!signal.aborted) $("#find").ariaInvalid = "true";
				throw error;
			});
			this.matches.push(...page.lines.map(({ line }) => line));
			Object.assign(this, { scanned: page.scanned_to, complete: page.complete });
			this.#show();
			if (from && (this.complete || this.matches.at(-1) >= from)) {
				const at = this.matches.findIndex((line) => line >= from);
				from = 0;
				await this.#go(at < 0 ? this.matches.length - 1 : at);
			}
		} while (!this.complete && this.matches.length < MOST);
	}

	async step(by) {
		const at = this.at + by;
		if (at >= this.matches.length) await this.#scan(0);
		const { length } = this.matches;
		await this.#go((at + length) % length);
	}

	async #go(at) {
		if (!(at >= 0)) return;
		this.at = at;
		await this.viewer.goto(this.matches[at]);
		this.#show();
	}

	#show() {
		const { at, complete, matches: { length: count } } = this;
		const place = count ? `${number(at + 1)} of ${number(count)}${complete ? "" : "+"}` : complete ? "None" : "…";
		put("#found", this.q && place);
		for (const button of $$("#find-prev, #find-next")) button.disabled = !count;
		this.paint();
	}

	paint() {
		const ranges = [];
		for (const row of $$(".row", this.viewer.root)) {
			row.classList.toggle("current", Number(row.dataset.line) === this.matches[this.at]);
			if (this.pattern) ranges.push(...within(row.lastChild, this.pattern));
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
