// What the address holds. Pure.

import { MODES } from "./times.js";

const HASH = /^#?([0-9a-z]{1,16})-(\d{1,15})(?:\.\.(\d{1,15}))?$/;
const VIEW = { q: /[^]*/, regex: /^true$/, level: /^[a-z,]+$/, time: RegExp(`^(${MODES.join("|")})$`), wrap: /^true$/, sample_logs: /^true$/ };

export function parseMark(hash) {
	const [, epoch, a, b = a] = HASH.exec(hash) ?? [];
	return epoch ? { epoch, first: Math.min(a, b), last: Math.max(a, b) } : null;
}

export const formatMark = (mark) =>
	mark ? `#${mark.epoch}-${mark.first}${mark.last > mark.first ? `..${mark.last}` : ""}` : "";

export function parseView(search) {
	const query = new URLSearchParams(search);
	const view = {};
	for (const name in VIEW) {
		const value = query.get(name) ?? "";
		view[name] = VIEW[name].test(value) ? (value === "true" && name !== "q" ? true : value) : "";
	}
	view.time ||= "local";
	return view;
}

export function formatView(view) {
	const shown = Object.entries(view).filter(([, value]) => value && value !== "local");
	return shown.length ? `?${new URLSearchParams(shown)}` : "";
}

export const lineOf = (cursor) => Number(cursor.split("-")[1] ?? 0);
