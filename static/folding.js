// What is folded: groups of lines, and what rows show only when they are asked to (unfolding.js).

import { $ } from "./dom.js";
import { ENDS, groupEnd, groupStart, parseGroup } from "./groups.js";
import { later } from "./later.js";

const SEARCHED = 1000; // lines that could end a group among which its end is looked for

export function makeFolds(api, viewer) {
	const { lines, root } = viewer;
	const rows = later((again) => import(`./unfolding.js${again}`), ({ makeUnfolding }) => makeUnfolding(api, viewer));
	const folds = {
		groupOf, fold, uncover, forget,
		unfold: async (...given) => (await rows()).unfold(...given),
		reveal: async (...given) => (await rows()).reveal(...given),
	};
	forget();
	return folds;

	function forget() {
		folds.groups = new Map(); // the line at which a folded group begins → {count, ms}
		folds.unfolded = new Map(); // lines whose JSON is unfolded → what lays it out
		folds.drawn = new Map(); // lines whose states are unfolded → {earlier, texts}
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

	function isFolded(line) {
		return folds.groups.has(line);
	}

	/** The line that begins the group which ends at a line, where it is in memory. */
	function groupOf(end) {
		return groupStart(lines.items.slice(0, lines.index(end)), isFolded);
	}

	async function fold({ line, timestamp, message }) {
		viewer.moves.follow(false);
		if (folds.groups.delete(line)) {
			lines.folded = lines.folded.filter(([from]) => from !== line + 1);
			await lines.load(line);
		} else {
			const { open } = parseGroup(message);
			const near = groupEnd(open, lines.items.slice(lines.index(line + 1)), isFolded);
			// The end may be far from what is in memory: the server knows.
			const end = near ?? groupEnd(open, await mayEnd(open, line));
			folds.groups.set(line, { count: end ? end.at.line - line - 1 : 0, ms: end ? end.at.timestamp - timestamp : 0 });
			lines.fold(line + 1, end?.last ?? Infinity);
		}
		viewer.viewport.redraw();
		$(`[data-line="${line}"] .group`, root)?.focus({ preventScroll: true });
	}

	async function mayEnd(open, line) {
		const found = await api.json("/search", { ...ENDS[open ? "open" : "bracket"], after: viewer.cursor(line), limit: SEARCHED });
		return found.lines;
	}
}
