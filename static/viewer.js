// The log: what is in memory, what is drawn, where the reader is.

import { formatMark, formatView, parseMark } from "./address.js";
import { plain } from "./ansi.js";
import { problem } from "./api.js";
import { $, $$, copy, inTurn, number, on, plural, range, toast } from "./dom.js";
import { makeLines } from "./lines.js";
import { buildRow, groupEnds, groupTitle } from "./row.js";
import { makeViewport } from "./viewport.js";

const COPY_MAX = 200_000; // lines
const OPEN_MAX = 1e6; // characters of a line that are shown in place

export function makeViewer(api, view, delegate) {
	const root = $("#log");
	const lines = makeLines(api);
	const port = makeViewport(root, lines, { row: (line, before) => buildRow(line, before, me), more, seek, left: delegate.changed, drawn: delegate.drawn });
	const me = {
		view, root, lines, port, goto, open, toEnd, filter, follow, id, pick, groupOf, hop: inTurn(hop), isMarked, setMark, save, extent, copyMark, back, setGaps, gone, hash, reset, push, look, begin,
		topLine: () => port.seen()[0]?.item.line ?? 0,
		fresh: 0, // lines that came since the reader left the end
		start: null, // timestamp of the first line
		current: 0, // the line that a search or a hop led to
		gaps: new Map(), // the line before it → gap
	};
	let seeking = 0;
	forget();
	return me;

	function begin() {
		on(root, "click", clicked);
		on(root, "copy", copied);
		on(document, "selectionchange", () => {
			if (port.follow && !getSelection().isCollapsed && root.matches(":hover")) follow(false);
		});
		look();
		me.mark = parseMark(location.hash);
		lines.level = view.level;
		lines.clear(!me.mark && !view.level);
		follow(!me.mark);
	}

	function look() {
		const line = me.topLine();
		root.classList.toggle("wrap", Boolean(view.wrap));
		root.dataset.time = view.time;
		if (port.follow || !line) port.redraw();
		else port.show(line, "top");
	}

	function push(fresh) {
		const known = lines.last;
		const shown = lines.push(fresh, port.follow);
		if (known && !port.follow) me.fresh += shown;
		if (fresh[0].line === 1) me.start = fresh[0].timestamp;
		if (!known) delegate.begun();
		else if (port.follow && !lines.atEnd) toEnd();
		changed();
		port.schedule();
	}

	function reset() {
		forget();
		lines.last = 0;
		lines.clear(true);
		follow(true);
		port.redraw();
	}

	async function filter(level) {
		const line = port.follow ? 0 : me.topLine();
		lines.level = level;
		await (line ? goto(line, "top", true) : toEnd(true));
	}

	function follow(on) {
		port.follow = on;
		if (on) me.fresh = 0;
		changed();
	}

	async function toEnd(anew = false) {
		follow(true);
		if (!anew && lines.atEnd) lines.halt();
		else if (!(await lines.load(0))) return;
		changed();
		port.redraw();
	}

	async function goto(line, place = "middle", anew = false) {
		follow(false);
		const hides = ([from, to]) => line >= from && line <= to;
		for (const [from] of lines.folded.filter(hides)) anew = me.folds.delete(from - 1);
		lines.folded = lines.folded.filter((fold) => !hides(fold));
		if (!anew && lines.holds(line)) lines.halt();
		else if (!(await lines.load(line))) return;
		changed();
		port.show(line, place);
	}

	function id(line) {
		return line ? `${lines.epoch}-${line}` : "";
	}

	/** From the line that one was led to, or the mark, while in view; else from what is. */
	async function hop(step) {
		if (!lines.last) return;
		const seen = port.seen().map((row) => row.item.line);
		const here = me.current || me.mark?.first;
		const from = seen.includes(here) ? here : step > 0 ? seen[0] - 1 : seen.at(-1) + 1;
		const [found] = await api.lines({ level: "error", ...(step > 0 ? { after: id(from), limit: 1 } : { before: id(from), tail: 1 }) });
		if (!found) return toast(step > 0 ? "further" : "before");
		pick(found.line);
		await goto(found.line);
	}

	function pick(line) {
		me.current = line;
		paint();
	}

	function paint() {
		for (const row of $$(".row", root)) {
			row.classList.toggle("marked", isMarked(row.dataset.line));
			row.classList.toggle("current", me.current === +row.dataset.line);
		}
	}

	/** Marks lines and goes there. False, and said, where there are none. */
	async function open(line, last = line) {
		const there = last >= lines.first && line <= lines.last;
		if (there) {
			setMark(Math.max(line, lines.first), Math.min(last, lines.last));
			await goto(me.mark.first);
		} else toast(`There is no line ${number(line)}: this log has ${range(lines, " to ")}.`, true);
		return there;
	}

	function isMarked(line) {
		return line >= me.mark?.first && line <= me.mark?.last;
	}

	function setMark(a, b = a) {
		me.mark = a ? { epoch: lines.epoch, first: Math.min(a, b), last: Math.max(a, b) } : null;
		save();
		pick(0);
		changed();
	}

	function save() {
		history.replaceState(null, "", location.pathname + formatView(view) + formatMark(me.mark));
	}

	function extent() {
		return { from_line: me.mark.first, before: id(me.mark.last + 1), level: view.level };
	}

	async function copyMark() {
		const count = me.mark.last - me.mark.first + 1;
		const what = plural(count, "line");
		if (count > COPY_MAX) return toast("many", true);
		const text = api.ask(api.url("/logs", { ...extent(), format: "text" })).then((response) => response.text());
		await copy(text.then((all) => {
			if (all) return all.slice(0, -1);
			throw problem(0, "hidden");
		}), `Copied ${what}${view.level ? ", filtered" : ""}`);
	}

	function back(left) {
		me.away = { line: left + 1, count: lines.last - left };
		port.redraw();
	}

	function setGaps(gaps) {
		const { size } = me.gaps;
		for (const gap of gaps) me.gaps.set(gap.after, gap);
		if (me.gaps.size !== size) port.redraw();
	}

	function gone(line) {
		return [me.gaps.get(line.line - 1) ?? [], line.before ?? []].flat();
	}

	async function hash() {
		const { epoch, first, last } = parseMark(location.hash) ?? {};
		if (!epoch && location.hash) return;
		if (epoch && epoch !== lines.epoch) toast("earlier", true);
		else if (epoch && (await open(first, last))) return;
		setMark(0);
		if (epoch && !me.topLine()) await toEnd();
	}

	function forget() {
		me.mark = me.away = null;
		me.folds = new Map(); // a group's line → {count, ms}
		me.unfolded = new Set(); // lines whose JSON is unfolded
		me.whole = new Map(); // line → its whole message
		lines.folded = [];
	}

	/** The group that ends at a line, where it is in memory. */
	function groupOf(end) {
		let depth = 0;
		return lines.items.slice(0, lines.index(end)).findLast((line) => (depth -= nests(line)) < 0);
	}

	/** 1 where a group begins whose end is shown, -1 where one ends. */
	function nests({ line, message }) {
		return (groupTitle(message) !== undefined && !me.folds.has(line)) - groupEnds(message);
	}

	async function more(step) {
		if (!(await lines.more(step))) return;
		port.keep();
		changed();
		port.schedule();
	}

	function seek(line) {
		clearTimeout(seeking);
		const show = () => port.show(line, "here");
		if (lines.holds(line)) return show();
		seeking = setTimeout(async () => (await lines.load(line)) && show(), 40);
	}

	function changed() {
		root.style.setProperty("--digits", Math.max(3, String(lines.last).length));
		delegate.changed();
	}

	function clicked(event) {
		const { target } = event;
		const row = target.closest(".sheet > *");
		if (target.matches(".n") && !event.ctrlKey && !event.metaKey) {
			event.preventDefault();
			getSelection().removeAllRanges();
			follow(false);
			const { line } = row.item;
			const { first, last } = me.mark ?? {};
			if (event.shiftKey && first) setMark(line, line < first ? last : first);
			else setMark(first === line && last === line ? 0 : line);
		}
		const button = target.closest("button");
		if (button?.gap) fetchGap(button.gap);
		else if (button?.matches(".group")) fold(row.item);
		else if (button) unfold(button, row);
	}

	async function unfold(button, row) {
		const { line, cut, message, message_bytes: size } = row.item;
		const where = { from_line: line, limit: 1 };
		if (size > OPEN_MAX) return window.open(api.url("/logs", { ...where, format: "text" }), "_blank", "noopener");
		if (button.matches(".unfold") && !me.unfolded.delete(line)) me.unfolded.add(line);
		if (button.matches(".all") || cut) {
			if (me.whole.size > 20) me.whole.clear();
			me.whole.set(line, cut ? (await api.json("/logs", where))[0].message : message);
		}
		if (row.isConnected) port.replace(row);
	}

	async function fetchGap({ reason, line }) {
		if (!reason) return goto(line, "middle", true);
		const late = reason === "upstream" && (await api.lines({ after: id(lines.last) })).length;
		toast(late ? "late" : "lost");
	}

	/** A group's end may be far from what is in memory: the server knows. */
	async function fold({ line, timestamp }) {
		follow(false);
		if (me.folds.delete(line)) {
			lines.folded = lines.folded.filter(([from]) => from !== line + 1);
			await lines.load(line);
		} else {
			const ends = (items, depth = 1) => items.find((item) => !(depth += nests(item)));
			const near = ends(lines.items.filter((item) => item.line > line));
			const end = near ?? ends(await api.lines({ after: id(line), limit: 1000, q: "group" }));
			me.folds.set(line, { count: end ? end.line - line - 1 : 0, ms: end ? end.timestamp - timestamp : 0 });
			lines.fold(line + 1, end?.line ?? Infinity);
		}
		port.redraw();
		$(`[data-line="${line}"] .group`, root)?.focus({ preventScroll: true });
	}

	/** The lines' own text: no numbers, no times, nothing folded. */
	function copied(event) {
		const range = getSelection().getRangeAt(0);
		const rowOf = (node) => (node.closest ? node : node.parentElement).closest(".sheet > *");
		const [first, last] = [rowOf(range.startContainer), rowOf(range.endContainer)];
		if (!first || !last || first === last) return;
		const [a, b] = [first.item.line, last.item.line];
		const texts = lines.items.filter(({ line }) => line >= a && line <= b).map((item) => plain(item.message));
		texts.push(texts.pop().slice(0, before(last, range.endContainer, range.endOffset)));
		texts[0] = texts[0].slice(before(first, range.startContainer, range.startOffset));
		event.clipboardData.setData("text/plain", texts.join("\n"));
		event.preventDefault();
	};
}

function before(row, node, offset) {
	const range = new Range();
	range.selectNodeContents($(".m", row));
	const side = range.comparePoint(node, offset);
	if (side) return side < 0 ? 0 : Infinity;
	range.setEnd(node, offset);
	return range.toString().length;
}
