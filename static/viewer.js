// The log: what is in memory, what is drawn, where the reader is.

import { formatMark, formatView, parseMark } from "./address.js";
import { plain } from "./ansi.js";
import { $, $$, copy, number, plural, toast } from "./dom.js";
import { LineWindow } from "./lines.js";
import { buildRow, groupEnds, groupTitle } from "./row.js";
import { Viewport } from "./viewport.js";

const COPY_MAX = 200_000; // lines
const OPEN_MAX = 1e6; // characters of a line that are shown in place

export class Viewer {
	fresh = 0; // lines that came since the reader left the end
	start = null; // timestamp of the first line
	gaps = new Map(); // the line before it → gap
	root = $("#log");

	/** `view`: the state of the address; `delegate`: begun() (the first lines are here), changed(), drawn(). */
	constructor(api, view, delegate) {
		Object.assign(this, { api, view, delegate });
		this.lines = new LineWindow(api);
		this.port = new Viewport(this.root, this.lines, {
			row: (line, previous) => this.#row(line, previous),
			more: (step) => this.#more(step),
			seek: (line) => this.#seek(line),
			left: delegate.changed,
			drawn: delegate.drawn,
		});
		this.#forget();
	}

	get time() {
		return this.view.time;
	}

	get epoch() {
		return this.lines.epoch;
	}

	get following() {
		return this.port.follow;
	}

	begin() {
		this.root.addEventListener("click", this.#clicked);
		this.root.addEventListener("copy", this.#copied);
		document.addEventListener("selectionchange", () => {
			if (this.following && !document.getSelection().isCollapsed && this.root.matches(":hover")) this.follow(false);
		});
		this.look();
		this.mark = parseMark(location.hash);
		this.lines.level = this.view.level;
		this.lines.clear(!this.mark && !this.view.level);
		this.follow(!this.mark);
	}

	look() {
		this.root.classList.toggle("wrap", Boolean(this.view.wrap));
		this.root.dataset.time = this.time;
		this.port.redraw();
	}

	push(lines) {
		const known = this.lines.last;
		const shown = this.lines.push(lines, this.following);
		if (known && !this.following) this.fresh += shown;
		if (lines[0].line === 1) this.start = lines[0].timestamp;
		if (!known) this.delegate.begun();
		else if (this.following && !this.lines.atEnd) this.toEnd();
		this.#changed();
		this.port.schedule();
	}

	reset() {
		this.#forget();
		this.lines.last = 0;
		this.lines.clear(true);
		this.follow(true);
		this.port.redraw();
	}

	async filter(level) {
		const line = this.following ? 0 : this.port.topLine;
		this.lines.level = level;
		await (line ? this.goto(line, "top", true) : this.toEnd(true));
	}

	follow(on) {
		this.port.follow = on;
		if (on) this.fresh = 0;
		this.#changed();
	}

	async toEnd(anew = false) {
		this.follow(true);
		if (anew || !this.lines.atEnd) await this.lines.load(0);
		this.#changed();
		this.port.draw();
	}

	goto = async (line, place = "middle", anew = false) => {
		this.follow(false);
		if ((anew || !this.lines.holds(line)) && !(await this.lines.load(line))) return false;
		this.#changed();
		this.port.show(line, place);
		return this.lines.items[this.lines.index(line)]?.line === line;
	};

	async hop(step) {
		const here = `${this.epoch}-${this.mark?.first ?? this.port.topLine}`;
		const where = step > 0 ? { after: here, limit: 1 } : { before: here, tail: 1 };
		const [found] = await this.api.lines({ level: "error", ...where });
		if (!found) return toast(`No ${step > 0 ? "further" : "earlier"} error`);
		this.setMark(found.line);
		await this.goto(found.line);
	}

	isMarked(line) {
		return Boolean(this.mark) && line >= this.mark.first && line <= this.mark.last;
	}

	setMark(a, b = a) {
		this.mark = a ? { epoch: this.epoch, first: Math.min(a, b), last: Math.max(a, b) } : null;
		this.save();
		for (const row of $$(".row", this.root)) row.classList.toggle("marked", this.isMarked(Number(row.dataset.line)));
		this.#changed();
	}

	save() {
		history.replaceState(null, "", location.pathname + formatView(this.view) + formatMark(this.mark));
	}

	range() {
		return { from_line: this.mark.first, before: `${this.epoch}-${this.mark.last + 1}` };
	}

	async copyMark() {
		const count = this.mark.last - this.mark.first + 1;
		if (count > COPY_MAX) return toast(`${plural(count, "line")} are too many to copy: download them`, true);
		const response = await this.api.ask(this.api.url("/logs", { ...this.range(), format: "text" }));
		await copy((await response.text()).replace(/\n$/, ""), `Copied ${plural(count, "line")}`);
	}

	back(left) {
		const count = this.lines.last - left;
		this.away = count > 0 ? { line: left + 1, count } : null;
		this.port.redraw();
	}

	setGaps(gaps) {
		const { size } = this.gaps;
		for (const gap of gaps) this.gaps.set(gap.after, gap);
		if (this.gaps.size !== size) this.port.redraw();
	}

	gone = (line) => [this.gaps.get(line.line - 1) ?? [], line.before ?? []].flat();

	async hash() {
		this.mark = parseMark(location.hash);
		if (!this.mark) return;
		const { epoch, first, last } = this.mark;
		let why = "";
		if (epoch !== this.epoch) why = "This link is of an earlier journal of this job, whose lines are no longer kept.";
		else if (!(await this.goto(first))) why = `There is no line ${number(first)}: this log has ${number(this.lines.last)} so far.`;
		this.setMark(why ? 0 : first, last);
		if (!why) return;
		toast(why, true);
		await this.toEnd();
	}

	#forget() {
		this.mark = this.away = null;
		this.folds = new Map(); // a group's line → {count, ms}
		this.ends = new Map(); // the line that ends a group → the group's
		this.open = new Set(); // lines whose JSON is unfolded
		this.whole = new Map(); // line → its whole message
		this.lines.folded = [];
	}

	#row(line, previous) {
		if (groupTitle(line.message) !== undefined) this.groupAt = line;
		const ended = groupEnds(line.message) && this.groupAt?.line < line.line && !this.ends.has(line.line);
		if (ended) this.ends.set(line.line, this.groupAt);
		return buildRow(line, previous, this);
	}

	async #more(step) {
		if (!(await this.lines.more(step))) return;
		this.lines.keep(this.port.a0, this.port.a1);
		this.#changed();
		this.port.schedule();
	}

	#seek(line) {
		clearTimeout(this.seeking);
		const show = () => this.port.show(line, "here");
		if (this.lines.holds(line)) return show();
		this.seeking = setTimeout(async () => (await this.lines.load(line)) && show(), 40);
	}

	#changed() {
		this.root.style.setProperty("--digits", Math.max(3, String(this.lines.last).length));
		this.delegate.changed();
	}

	#clicked = (event) => {
		const { target } = event;
		const row = target.closest(".sheet > *");
		if (target.matches(".n") && !event.ctrlKey && !event.metaKey) {
			event.preventDefault();
			document.getSelection().removeAllRanges();
			this.follow(false);
			const { line } = row.item;
			const { first, last } = this.mark ?? {};
			if (event.shiftKey && first) this.setMark(line, line < first ? last : first);
			else this.setMark(first === line && last === line ? 0 : line);
		}
		const button = target.closest("button");
		if (button?.gap) this.#fetchGap(button.gap);
		else if (button?.matches(".group")) this.#fold(row.item);
		else if (button) this.#unfold(button, row);
	};

	async #unfold(button, row) {
		const { line, cut, message, size = 0 } = row.item;
		const where = { from_line: line, limit: 1 };
		if (size > OPEN_MAX) return window.open(this.api.url("/logs", { ...where, format: "text" }), "_blank", "noopener");
		if (button.matches(".unfold") && !this.open.delete(line)) this.open.add(line);
		if (button.matches(".all") || cut) {
			if (this.whole.size > 20) this.whole.clear();
			this.whole.set(line, cut ? (await this.api.json("/logs", where))[0].message : message);
		}
		if (row.isConnected) this.port.replace(row);
	}

	/** What sampling left out is in the journal; what the upstream lost may have turned up since. */
	async #fetchGap({ reason, line }) {
		if (!reason) return this.goto(line, "middle", true);
		const late = reason === "upstream" && (await this.api.lines({ after: `${this.epoch}-${this.lines.last}` })).length;
		toast(late ? "Lines have turned up: they stand at the end, marked “late”." : "These lines are still not to be had.");
	}

	/** Folds a group, or opens it. Its end may be far outside of what is in memory: the server knows. */
	async #fold({ line, timestamp }) {
		const { lines } = this;
		this.follow(false);
		if (this.folds.delete(line)) {
			lines.folded = lines.folded.filter(([from]) => from !== line + 1);
			await lines.load(line);
		} else {
			const near = lines.items.find((item) => item.line > line && groupEnds(item.message));
			const end = near ?? (await this.api.lines({ after: `${this.epoch}-${line}`, limit: 1, q: "::endgroup::" }))[0];
			this.folds.set(line, { count: end ? end.line - line - 1 : 0, ms: end ? end.timestamp - timestamp : 0 });
			lines.fold(line + 1, end?.line ?? Infinity);
		}
		this.port.redraw();
		$(`[data-line="${line}"] .group`, this.root)?.focus({ preventScroll: true });
	}

	/** A selection over several rows is copied as the lines' own text: no numbers, no times, nothing folded. */
	#copied = (event) => {
		const range = document.getSelection().getRangeAt(0);
		const rowOf = (node) => (node.closest ? node : node.parentElement).closest(".row");
		const [first, last] = [rowOf(range.startContainer), rowOf(range.endContainer)];
		if (!first || !last || first === last) return;
		const [a, b] = [first, last].map((row) => Number(row.dataset.line));
		const texts = this.lines.items.filter(({ line }) => line >= a && line <= b).map(({ message }) => plain(message));
		texts.push(texts.pop().slice(0, before(last, range.endContainer, range.endOffset)));
		texts[0] = texts[0].slice(before(first, range.startContainer, range.startOffset));
		event.clipboardData.setData("text/plain", texts.join("\n"));
		event.preventDefault();
	};
}

function before(row, node, offset) {
	const range = new Range();
	range.selectNodeContents(row.lastChild);
	const side = range.comparePoint(node, offset);
	if (side) return side < 0 ? 0 : Infinity;
	range.setEnd(node, offset);
	return range.toString().length;
}
