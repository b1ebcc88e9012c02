// Which lines are shown: of some levels, only those that match, none of those that are hidden.

import { lineOf, queryOf } from "./address.js";
import { KEEP } from "./api.js";

export function makeFilters(api, viewer) {
	const { view, lines } = viewer;
	return { apply, parameters, any };

	function any() {
		return Boolean(view.level || searched());
	}

	/** Whether only a search can say which lines are shown. */
	function searched() {
		return view.exclude || (view.only && view.q);
	}

	/** As `/logs` and `/search` take them. */
	function parameters() {
		return { level: view.level, exclude: view.exclude, case: view.exclude && (view.case || "either"), ...(view.only ? queryOf(view) : {}) };
	}

	function apply() {
		lines.level = view.level;
		lines.search = searched() ? makeSearch(parameters()) : null;
	}

	/** Gives lines as `api.lines` does, however many requests it takes. */
	function makeSearch(asked) {
		let quiet = { after: 0, upto: 0 }; // between these nothing matches
		const search = ({ from_line, limit, tail, before }) => (limit ? forwards(from_line - 1, limit) : backwards(before, tail));
		return search;

		async function page(more) {
			const found = await api.json("/search", { ...asked, max_line_bytes: KEEP, ...more });
			// Another filter has taken this one's place: nobody waits for the rest.
			return lines.search === search ? found : { ...found, complete: true };
		}

		async function forwards(after, limit) {
			const found = [];
			for (;;) {
				if (after >= quiet.after && after < quiet.upto) after = quiet.upto;
				const { lines: more, scanned_to, complete } = await page({ after: viewer.cursor(after), limit: limit - found.length });
				found.push(...more);
				if (complete) quiet = { after: more.at(-1)?.line ?? after, upto: lineOf(scanned_to) };
				if (complete || found.length >= limit) return found;
				after = lineOf(scanned_to);
			}
		}

		async function backwards(before, count) {
			const found = [];
			for (let at = before || ""; ; ) {
				const after = quiet.after ? "" : viewer.cursor(quiet.upto);
				const { lines: more, scanned_to, complete } = await page({ before: at, after, tail: count - found.length });
				found.unshift(...more);
				if (complete && !found.length && !before) quiet = { after: 0, upto: lines.last };
				if (complete || found.length >= count) return found;
				at = scanned_to;
			}
		}
	}
}
