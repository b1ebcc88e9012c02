// What the address holds. Pure.

const HASH = /^#?([0-9a-z]{1,16})-(\d{1,15})(?:\.\.(\d{1,15}))?$/;
const YES = /^true$/;
const ANY = /[^]*/;
const VIEW = {
	q: ANY, regex: YES, case: /^exact$/, only: YES, exclude: ANY, level: /^((?:none,)?info,)?(warning,)?error$/,
	time: /^(local|utc|start|previous|none)$/, wrap: /^(true|false)$/, sample_logs: YES,
};

/** How a log is shown where the address says nothing of it: on a wide screen, and where there is little room. */
export const WIDE = { time: "local", wrap: false };
export const NARROW = { time: "none", wrap: true };

export function parseMark(hash) {
	const [, epoch, a, b = a] = HASH.exec(hash) ?? [];
	return epoch ? { epoch, first: Math.min(a, b), last: Math.max(a, b) } : null;
}

export const formatMark = (mark) =>
	mark ? `#${mark.epoch}-${mark.first}${mark.last > mark.first ? `..${mark.last}` : ""}` : "";

export function parseView(search, defaults = WIDE) {
	const query = new URLSearchParams(search);
	const view = {};
	for (const name in VIEW) view[name] = VIEW[name].exec(query.get(name) ?? "")?.[0] ?? "";
	view.time ||= defaults.time;
	view.wrap = view.wrap ? view.wrap === "true" : defaults.wrap;
	// A line that says nothing of its level is a plain print, and no less than info.
	view.level = view.level.replace(/^info/, "none,info");
	return view;
}

export function formatView(view, defaults = WIDE) {
	const differs = ([name, value]) => (name in defaults ? value !== defaults[name] : value);
	const shown = new URLSearchParams(Object.entries(view).filter(differs));
	return shown.size ? `?${shown}` : "";
}

/** What is looked for, as `/search` and `/logs` take it; null where nothing is. */
export const queryOf = ({ q, regex, case: cased }) => (q ? { q, regex, case: cased || "either" } : null);

export const lineOf = (cursor) => Number(cursor.split("-")[1]);
