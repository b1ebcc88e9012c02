// What is folded: groups of lines, JSON, and long messages of which only the start was fetched.

import { $ } from "./dom.js";
import { groupEnds, groupTitle } from "./row.js";

const OPEN_MAX = 1e6; // characters of a message that are shown in place; longer ones open beside the page
const WHOLE_MAX = 20; // whole messages kept in memory
const SEARCHED = 1000; // lines with the word "group" among which a group's end is looked for

export function makeFolds(api, viewer) {
	const { lines, root } = viewer;
	const folds = { groupOf, fold, unfold, showWhole, uncover, forget };
	forget();
	return folds;

	function forget() {
		folds.groups = new Map(); // the line at which a folded group begins → {count, ms}
		folds.unfolded = new Set(); // lines whose JSON is unfolded
		folds.whole = new Map(); // line → its whole message
		lines.folded = [];
	}

	/** Unfolds the groups that hide a line. Gives whether there were any. */
	function uncover(line) {
		const hides = ([from, to]) => line >= from && line <= to;
		const hiding = lines.folded.filter(hides);
		for (const [from] of hiding) folds.groups.delete(from - 1);
		lines.folded = lines.folded.filter((range) => !hides(range));
		return hiding.length > 0;
	}

	/** The line that begins the group which ends at a line, where it is in memory. */
	function groupOf(end) {
		let depth = 0;
		return lines.items.slice(0, lines.index(end)).findLast((line) => (depth -= nests(line)) < 0);
	}

	/** 1 where a group begins whose end is shown, -1 where one ends. */
	function nests({ line, message }) {
		return (groupTitle(message) !== undefined && !folds.groups.has(line)) - groupEnds(message);
	}

	async function fold({ line, timestamp }) {
		viewer.moves.follow(false);
		if (folds.groups.delete(line)) {
			lines.folded = lines.folded.filter(([from]) => from !== line + 1);
			await lines.load(line);
		} else {
			const endIn = (items, depth = 1) => items.find((item) => !(depth += nests(item)));
			const near = endIn(lines.items.filter((item) => item.line > line));
			// The end may be far from what is in memory: the server knows.
			const end = near ?? endIn(await api.lines({ after: viewer.cursor(line), limit: SEARCHED, q: "group" }));
			folds.groups.set(line, { count: end ? end.line - line - 1 : 0, ms: end ? end.timestamp - timestamp : 0 });
			lines.fold(line + 1, end?.line ?? Infinity);
		}
		viewer.viewport.redraw();
		$(`[data-line="${line}"] .group`, root)?.focus({ preventScroll: true });
	}

	/** Shows all of a row's message, where that is not too much for the page. */
	async function showWhole(row) {
		const { line, cut, message, message_bytes: size } = row.item;
		if (size > OPEN_MAX || folds.whole.has(line)) return;
		if (folds.whole.size > WHOLE_MAX) folds.whole.clear();
		folds.whole.set(line, cut ? (await api.json("/logs", { from_line: line, limit: 1 }))[0].message : message);
		if (row.isConnected) viewer.viewport.replace(row); // it may have been scrolled away meanwhile
	}

	/** Unfolds a row's JSON or the rest of its message, or folds its JSON again. */
	async function unfold(button, row) {
		const { line, cut, message_bytes: size } = row.item;
		if (size > OPEN_MAX) {
			const address = api.url("/logs", { from_line: line, limit: 1, format: "text" });
			return window.open(address, "_blank", "noopener");
		}
		if (button.matches(".unfold") && !folds.unfolded.delete(line)) folds.unfolded.add(line);
		if (button.matches(".all") || cut) await showWhole(row);
		if (row.isConnected) viewer.viewport.replace(row);
	}
}
