// One line of the log as a row.

import { $, el, number, plural } from "./dom.js";
import { parseGroup } from "./groups.js";
import { terminal } from "./terminal.js";
import { textNodes } from "./text.js";
import { duration, moment, stamp } from "./times.js";

const SHOWN = 2000; // characters of a message shown at first

export const bytes = new Intl.NumberFormat("en", { notation: "compact", style: "unit", unit: "byte", unitDisplay: "narrow" }).format;

/** As Python writes it too, which has NaN and Infinity among its numbers. */
export function isJson(text) {
	if (!/^\s*[{[]/.test(text)) return false;
	try {
		JSON.parse(text.replace(/"(?:\\.|[^"\\])*"|\b(?:NaN|Infinity)\b/g, (part) => (part[0] === '"' ? part : 0)));
		return true;
	} catch {
		return false;
	}
}

const button = (kind, children, props) => el("button", `in ${kind}`, children, { type: "button", ...props });
const tag = (kind, text = kind, title = words()[kind]) => el("span", `tag ${kind}`, text, { title });
const words = () => $("#log").dataset;

export function buildRow(line, previous, view) {
	const { id, line: n, timestamp, stream, late } = line;
	const level = line.level ?? "";
	const row = el("div", `row ${level} ${stream ?? ""} ${view.isMarked(n) ? "marked" : ""} ${line.shown.lines.includes(view.current) || view.current === n ? "current" : ""}`, [
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
	const group = parseGroup(message);
	if (group.title !== undefined) return title(group.title, view.folds.get(n));
	if (group.ends) {
		const start = view.groupOf(n);
		const name = start && terminal.read(parseGroup(start.message).title).text;
		return el("span", "quiet", `└ ${start ? `${name} · ${duration(timestamp - start.timestamp)}` : ""}`);
	}
	const whole = view.whole.get(n);
	const shown = whole === undefined ? line.shown : terminal.read(whole);
	const { rows } = shown;
	const length = rows.reduce((sum, row) => row.reduce((sum, [text]) => sum + text.length, sum + 1), -1);
	const json = rows.length === 1 && rows[0].length > 0 && /^\s*[{[]/.test(rows[0][0][0]) && shown.text;
	const laidOut = view.unfolded.get(n);
	const found = json && isJson(json) ? [turn(Boolean(laidOut), n)] : [];
	if (laidOut && found.length) return [...found, el("pre", "json", laidOut(json))];
	found.push(...textNodes(rows, whole === undefined ? SHOWN : Infinity));
	const count = shown.text.trim() && Math.max(shown.states, line.states ?? 0);
	const more = whole === undefined && (length > SHOWN || (line.cut && count < 2)); // of what is drawn again its last state is all
	if (more) found.push(button("all", `… ${bytes(line.message_bytes ?? length)}, show all`));
	return [...found, ...states(count, view.drawn.get(n))];
}

const turn = (open, n) => button("unfold", open ? "▾" : "▸", { ariaExpanded: open, ariaLabel: `JSON of line ${n}` });

/** How often a line was drawn, and what it was, where that is unfolded: `{earlier, texts}`. */
function states(count, drawn) {
	if (count < 2) return [];
	const found = [button("states", `×${number(count)}`, { ariaExpanded: Boolean(drawn), title: words().states })];
	if (drawn) found.push(el("pre", "drawn", `${drawn.earlier ? `… ${number(drawn.earlier)} earlier\n` : ""}${drawn.texts.join("\n")}`));
	return found;
}

function title(text, fold) {
	const shown = terminal.read(text);
	const facts = fold && ` ${fold.count ? plural(fold.count, "line") : "still open"}${fold.ms ? ` · ${duration(fold.ms)}` : ""}`;
	const children = [el("span", "mute", fold ? "▸ " : "▾ "), el("b", "", shown.text.trim() ? textNodes(shown.rows) : "Group")];
	return button("group", fold ? [...children, el("span", "quiet mute", facts)] : children, { ariaExpanded: !fold });
}

function notes(line, { gone, away }) {
	const out = gone(line).map((gap) => {
		const text = `${gap.count ? plural(gap.count, "line") : "Lines"} ${words()[gap.reason ?? "sampled"]}`;
		return el("button", `note ${gap.reason ? "gap" : ""}`, text, { type: "button", gap });
	});
	if (away && line.shown.lines.includes(away.line)) out.push(el("div", "note away", `While you were away · ${number(away.count)} new`));
	return out;
}
