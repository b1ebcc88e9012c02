// What a row shows only when it is asked to: JSON laid out, the states of a line that was redrawn, and the rest of a long
// message, of which only the start was fetched.

import { json } from "./later.js";
import { prepare, terminal } from "./terminal.js";

const OPEN_MAX = 1e6; // characters of a message that are shown in place; longer ones open beside the page
const WHOLE_MAX = 20; // whole messages kept in memory
const RETURN = /\r+|(?:\x1b\[|\x9b)[01]?G/; // to the start of the line
const MANY = 10_000; // lines, the most that the service gives at once
const STATES = 200; // of a line that was redrawn the newest are shown

export function makeUnfolding(api, viewer) {
	const { folds } = viewer;
	return { unfold, reveal };

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
		if (button.matches(".unfold") && !folds.unfolded.delete(line)) folds.unfolded.set(line, await json());
		if (button.matches(".all") || cut) await showWhole(row);
		if (row.isConnected) viewer.viewport.replace(row);
	}

	/** What a row showed before: of one line all that it went back over, of several what each of them drew. */
	async function unfoldStates(row) {
		const { line, shown } = row.item;
		if (!folds.drawn.delete(line)) folds.drawn.set(line, await earlier(line, shown.lines));
		if (row.isConnected) viewer.viewport.replace(row);
	}

	/** What was found may stand in what was cut off, or in a state that was drawn over. `hidden`: its row while it is not in
	 * sight. */
	async function reveal(hidden) {
		if (hidden()?.querySelector(".all")) await showWhole(hidden().parentElement);
		const states = hidden()?.querySelector(".states:not([aria-expanded=true])");
		if (states) await unfoldStates(states.closest(".sheet > *"));
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
