// What the address holds. Pure.

const HASH = /^#?([0-9a-z]{1,16})-(\d{1,15})(?:\.\.(\d{1,15}))?$/;
const YES = /^true$/;
const VIEW = { q: /[^]*/, regex: YES, level: /^((info,)?warning,)?error$/, time: /^(utc|start|previous|none)$/, wrap: YES, sample_logs: YES };

export function parseMark(hash) {
	const [, epoch, a, b = a] = HASH.exec(hash) ?? [];
	return epoch ? { epoch, first: Math.min(a, b), last: Math.max(a, b) } : null;
}

export const formatMark = (mark) =>
	mark ? `#${mark.epoch}-${mark.first}${mark.last > mark.first ? `..${mark.last}` : ""}` : "";

export function parseView(search) {
	const query = new URLSearchParams(search);
	const view = {};
	for (const name in VIEW) view[name] = VIEW[name].exec(query.get(name) ?? "")?.[0] ?? "";
	view.time ||= "local";
	return view;
}

export function formatView(view) {
	const shown = new URLSearchParams(Object.entries(view).filter(([, value]) => value && value !== "local"));
	return shown.size ? `?${shown}` : "";
}

export const lineOf = (cursor) => Number(cursor.split("-")[1]);
