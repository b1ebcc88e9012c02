// One line of the log as a row.

import { lastState, spans } from "./ansi.js";
import { $, el, number, plural } from "./dom.js";
import { duration, moment, stamp } from "./times.js";

const SHOWN = 2000; // characters of a message shown at first

export const groupTitle = (message) => /^(?:::group::|##\[group\])(.*)/.exec(message)?.[1];
export const groupEnds = (message) => /^(?:::endgroup::|##\[endgroup\])/.test(message);

export const bytes = new Intl.NumberFormat("en", { notation: "compact", style: "unit", unit: "byte", unitDisplay: "narrow" }).format;

export function parseJson(message) {
	try {
		if (/^\s*[{[]/.test(message)) return JSON.parse(message);
	} catch {
	}
}

export const jsonNodes = (value) =>
	JSON.stringify(value, null, 2).split(/("(?:\\.|[^"\\])*":?|\b(?:true|false|null)\b|-?\d[\d.eE+-]*)/)
		.map((part, i) => (i % 2 ? el("span", part.endsWith('":') ? "jk" : part[0] === '"' ? "js" : "jn", part) : part));

const textNodes = (text) => spans(text).flatMap(({ text: part, classes, fg, bg }) => {
	if (!classes && !fg && !bg) return part.match(/[^]{1,50000}/gu); // Firefox paints no more of one text
	const node = el("span", classes, part);
	node.style.color = fg;
	node.style.backgroundColor = bg;
	return node;
});

const button = (kind, children, props) => el("button", `in ${kind}`, children, { type: "button", ...props });
const tag = (kind, text = kind, title = words()[kind]) => el("span", `tag ${kind}`, text, { title });
const words = () => $("#log").dataset;

export function buildRow(line, previous, view) {
	const { id, line: n, timestamp, stream, late } = line;
	const level = line.level ?? "";
	const row = el("div", `row ${level} ${stream ?? ""} ${view.isMarked(n) ? "marked" : ""} ${view.current === n ? "current" : ""}`, [
		el("a", "n", n, { href: `#${id}`, tabIndex: -1, ariaLabel: `Line ${n}` }),
		el("span", "t", stamp(timestamp, view.view.time, view.start, previous?.timestamp ?? null), { title: moment(timestamp) }),
		el("span", "l", "", { title: stream === "stderr" ? words().stderr : level }),
		late ? tag("late") : [],
		el("span", "m", content(line, view)),
	].flat());
	row.dataset.line = n;
	return el("div", "", [...notes(line, view), row]);
}

function content(line, view) {
	const { line: n, message, timestamp } = line;
	const title = groupTitle(message);
	if (title !== undefined) return group(title, view.folds.get(n));
	if (groupEnds(message)) {
		const start = view.groupOf(n);
		return el("span", "quiet", `└ ${start ? `${groupTitle(start.message)} · ${duration(timestamp - start.timestamp)}` : ""}`);
	}
	const all = view.whole.get(n);
	const full = all ?? message;
	const json = parseJson(full);
	const open = view.unfolded.has(n);
	const turn = json ? button("unfold", open ? "▾" : "▸", { ariaExpanded: open, ariaLabel: `JSON of line ${n}` }) : [];
	if (open && json) return [turn, el("pre", "json", jsonNodes(json))].flat();
	const text = lastState(full);
	const states = text === full ? 0 : full.split(/\r|\x1b\[1?G/).length;
	const shown = all ? text : text.slice(0, SHOWN);
	const more = shown.length < text.length || (line.cut && !all);
	return [
		turn, textNodes(shown), more ? button("all", `… ${bytes(line.message_bytes ?? full.length)}, show all`) : [],
		states > 2 ? tag("states", `×${states}`) : [],
	].flat();
}

function group(title, fold) {
	const facts = fold && ` ${fold.count ? plural(fold.count, "line") : "still open"}${fold.ms ? ` · ${duration(fold.ms)}` : ""}`;
	const children = [fold ? "▸ " : "▾ ", el("b", "", textNodes(title || "Group")), fold ? el("span", "quiet", facts) : []];
	return button("group", children.flat(), { ariaExpanded: !fold });
}

function notes(line, { gone, away }) {
	const out = gone(line).map((gap) => {
		const text = `${gap.count ? plural(gap.count, "line") : "Lines"} ${words()[gap.reason ?? "sampled"]}`;
		return el("button", `note ${gap.reason ? "gap" : ""}`, text, { type: "button", gap });
	});
	if (away?.line === line.line) out.push(el("div", "note away", `While you were away · ${number(away.count)} new`));
	return out;
}
