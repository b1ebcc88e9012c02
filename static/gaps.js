// Places at which lines are missing: the journal never had them, or sampling left them out.

import { toast } from "./dom.js";

export function makeGaps(api, viewer) {
	const known = new Map(); // the line before it → gap
	return { known, add, before, look };

	function add(gaps) {
		const { size } = known;
		for (const gap of gaps) known.set(gap.after, gap);
		if (known.size !== size) viewer.viewport.redraw();
	}

	/** What is missing just before a line. */
	function before(line) {
		return [...line.shown.lines.flatMap((number) => known.get(number - 1) ?? []), ...(line.before ?? [])];
	}

	/** Loads what sampling left out; looks again for what the journal never had. */
	async function look({ reason, line }) {
		if (!reason) return viewer.moves.goto(line, "middle", true);
		const late = reason === "upstream" && (await api.lines({ after: viewer.cursor(viewer.lines.last) })).length;
		toast(late ? "late" : "lost");
	}
}
