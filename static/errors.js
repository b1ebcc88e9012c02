// How many errors the log has, and the way from one to the next. One error is a record: its first line and what belongs
// to it, such as a traceback.

import { $, inTurn, number, put, show, toast } from "./dom.js";

const PAGE = 200; // lines
const COUNTED = 1000; // lines of errors among which records are told apart
const NEAR = 2; // lines: tools put empty ones between those of one error
const HEAD = 200; // bytes of a message that are looked at
const BEGINS = /\b(?:ERR(?:OR)?|FATAL|CRIT(?:ICAL)?|PANIC|SEVERE|FAILED)\b|^\s*[A-Za-z.]*(?:[Ee]rror|panic|fatal)\b.*:|"level": ?"?(?:error|fatal|50)/;

/** Whether an error begins with a line: `before` is the line of an error before it, or null. */
export function begins({ line, message }, before) {
	if (!before || line > before.line + NEAR) return true;
	if (line === before.line + 1 && /^Traceback|^\s/.test(before.message)) return false;
	return BEGINS.test(message) && !/^\s/.test(message);
}

export function makeErrors(api, viewer) {
	let counted = { lines: 0, records: 0, newest: null };
	return { hop: inTurn(hop), count: inTurn(count) };

	function ask(where) {
		return api.json("/logs", { level: "error", max_line_bytes: HEAD, ...where });
	}

	/** `lines`: how many lines are of an error. */
	async function count(lines) {
		if (lines < counted.lines) counted = { lines: 0, records: 0, newest: null }; // the journal was begun anew
		if (lines > counted.lines && lines <= COUNTED) {
			for (const line of await ask({ after: counted.newest?.id, limit: COUNTED })) {
				counted.records += begins(line, counted.newest);
				counted.newest = line;
			}
		}
		counted.lines = lines;
		const all = lines <= COUNTED ? counted.records : lines;
		$("#errors").classList.toggle("some", lines > 0);
		put("#errors", lines ? `${number(all)} error${all === 1 ? "" : "s"}` : "Errors");
	}

	/** To the next error or the one before: from the current line or the mark while in view, else from what is. */
	async function hop(step) {
		const { lines, marks, moves } = viewer;
		if (!lines.last) return;
		const seen = viewer.viewport.seen().map((row) => row.item.line);
		const here = marks.current || marks.marked?.first;
		const from = seen.includes(here) ? here : step > 0 ? seen[0] - 1 : seen.at(-1) + 1;
		const found = await (step > 0 ? next(from) : previous(from));
		if (found) return moves.lead(found.line);
		// What a failed job failed of is often its last words, whatever they look like.
		if (step > 0 && viewer.failed && !(moves.atEnd() && here === lines.last)) {
			await moves.toEnd();
			toast("last");
		} else toast(step > 0 ? "further" : "before");
	}

	async function next(from) {
		let before = viewer.lines.items.find(({ line, level }) => line === from && level === "error") ?? null;
		for (let after = viewer.cursor(from); ; after = before.id) {
			const page = await ask({ after, limit: PAGE });
			for (const line of page) {
				if (begins(line, before)) return line;
				before = line;
			}
			if (page.length < PAGE) return null;
		}
	}

	async function previous(from) {
		for (let before = viewer.cursor(from); ; ) {
			const page = await ask({ before, tail: PAGE });
			const whole = page.length < PAGE;
			const found = page.findLast((line, i) => (i || whole) && begins(line, page[i - 1] ?? null));
			if (found || whole) return found;
			before = page[0].id;
		}
	}
}
