// What is folded: groups of lines, JSON, the states of a line that was redrawn, and long messages of which only the start
// was fetched.

import { later } from "./api.js";
import { $ } from "./dom.js";
import { ENDS, groupEnd, groupStart, parseGroup } from "./groups.js";
import { prepare, terminal } from "./terminal.js";

const OPEN_MAX = 1e6; // characters of a message that are shown in place; longer ones open beside the page
const WHOLE_MAX = 20; // whole messages kept in memory
const SEARCHED = 1000; // lines that could end a group among which its end is looked for
const RETURN = /\r+|(?:\x1b\[|\x9b)[01]?G/; // to the start of the line
const MANY = 10_000; // lines, the most that the service gives at once
const STATES = 200; // of a line that was redrawn the newest are shown

export function makeFolds(api, viewer) {
	const { lines, root } = viewer;
	const folds = { groupOf, fold, unfold, showWhole, uncover, forget };
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

	/** Shows all of a row's message, where that is not too much for the page. */
	async function showWhole(row) {
		const { line, cut, message, message_bytes: size } = row.item;
		if (size > OPEN_MAX || folds.whole.has(line)) return;
		if (folds.whole.size > WHOLE_MAX) folds.whole.clear();
		const whole = cut ? (await api.json("/logs", { from_line: line, limit: 1 }))[0].message : message;
		await prepare([whole]);
		folds.whole.set(line, whole);
		if (row.isConnected) viewer.viewport.replace(row); // it may have been scrolled away meanwhile
	}

	/** Unfolds a row's JSON, its states or the rest of its message, or folds JSON and states again. */
	async function unfold(button, row) {
		const { line, cut, message_bytes: size } = row.item;
		if (button.matches(".states")) return unfoldStates(row);
		if (size > OPEN_MAX) {
			const address = api.url("/logs", { from_line: line, limit: 1, format: "text" });
			return window.open(address, "_blank", "noopener");
		}
		if (button.matches(".unfold") && !folds.unfolded.delete(line)) folds.unfolded.set(line, (await later(import("./json.js"))).jsonNodes);
		if (button.matches(".all") || cut) await showWhole(row);
		if (row.isConnected) viewer.viewport.replace(row);
	}

	/** What a row showed before: of one line all that it went back over, of several what each of them drew. */
	async function unfoldStates(row) {
		const { line, shown } = row.item;
		if (!folds.drawn.delete(line)) folds.drawn.set(line, await earlier(line, shown.lines));
		if (row.isConnected) viewer.viewport.replace(row);
	}

	async function earlier(line, all) {
		const numbers = new Set(all.slice(-STATES));
		const [first] = numbers;
		const found = await api.json("/logs", { from_line: first, before: viewer.cursor(line + 1), limit: MANY });
		const messages = found.filter((one) => numbers.has(one.line)).map((one) => one.message);
		await prepare(messages);
		const drawn = messages.length > 1 ? messages : messages.flatMap((message) => message.split(RETURN));
		const texts = drawn.map((text) => terminal.read(text).text).filter((text) => text.trim());
		return { earlier: Math.max(0, texts.length - STATES) + all.length - numbers.size, texts: texts.slice(-STATES) };
	}
}
