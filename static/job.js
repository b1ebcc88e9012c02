// The log page: puts its parts together.

import { lineOf, parseView } from "./address.js";
import { makeApi } from "./api.js";
import { makeCancel } from "./cancel.js";
import { now } from "./clock.js";
import { $, copy, number, on, plural, pressed, put, range, show, toast } from "./dom.js";
import { makeFind } from "./find.js";
import { makeHead } from "./head.js";
import { makeMap } from "./map.js";
import { startSharing } from "./sharing.js";
import { makeStream } from "./stream.js";
import { day, silence } from "./times.js";
import { keyOf, startUi } from "./ui.js";
import { makeViewer } from "./viewer.js";

const DAY = 864e5; // ms

const api = makeApi($("#log").dataset.job);
const view = parseView(location.search);
const viewer = makeViewer(api, view, { begun, changed, drawn });
const find = makeFind(api, viewer);
const map = makeMap(viewer);
const head = makeHead(api, viewer, makeCancel(api));
const stream = makeStream(api, view, { ...head, event });
startSharing(api, viewer);

let missing = []; // what the stream said is missing before its next line
let heard = 0; // when the newest line came
let left = 0; // the newest line when the reader left
let typed = 0;

/** What goes wrong in here is a fault of this page and says nothing of the connection. */
function event(name, data) {
	try {
		events[name]?.(data);
		changed();
	} catch (error) {
		reportError(error);
	}
}

const events = {
	lines(lines) {
		if (missing.length) lines[0].before = missing;
		missing = [];
		const { line, timestamp } = lines.at(-1);
		// When an old log is opened, its last line tells; then the moment at which lines come.
		const ago = now() - timestamp;
		if (line > viewer.lines.last) heard = !heard && ago > 0 && ago < DAY ? timestamp : now();
		viewer.push(lines);
		if (left && !document.hidden && viewer.lines.last > left) {
			viewer.back(left);
			left = 0;
		}
	},
	omitted({ count, first }) {
		missing.push({ count, line: lineOf(first) });
		head.omitted += count;
	},
	gap: (gap) => viewer.gaps.add([{ ...gap, after: lineOf(gap.after) }]),
	status: head.status,
	upstream: head.upstream,
	reset() {
		viewer.reset();
		toast("anew");
	},
	done(done) {
		head.done(done);
		overview();
	},
	bye: () => head.connection("restarting"),
};

async function begun() {
	if (view.level) await viewer.moves.filter(view.level);
	if (viewer.marks.marked) await viewer.marks.fromAddress();
	if (view.q) search();
}

function changed() {
	const { lines, fresh, viewport, marks: { marked: mark } } = viewer;
	const { first, last, items } = lines;
	pressed("#follow", viewport.follow);
	show("#fresh", !viewport.follow && last);
	put("#fresh", fresh ? `${number(fresh)} new` : "To the end");
	put("#count", last ? plural(last - first + 1, "line") + (view.level ? ", filtered" : "") : "");
	show("#empty", !items.length && lines.atEnd && head.known);
	put("#empty", $("#empty").dataset[head.down ? "down" : view.level ? "level" : head.over ? "over" : "yet"]);
	show("#markbar", mark);
	if (!mark) return;
	$("#markbar b").textContent = mark.last > mark.first ? `Lines ${range(mark, "–")}` : `Line ${number(mark.first)}`;
	for (const format of ["text", "ndjson"]) $(`#mark-${format}`).href = api.url("/logs", { ...viewer.marks.extent(), format, download: true });
}

function drawn() {
	const line = viewer.viewport.seen()[0]?.item;
	const today = line ? day(line.timestamp, view.time) : "";
	put("#day", today === day(now(), view.time) ? "" : today);
	map.here();
	find.paint();
}

function controls() {
	for (const name in views) {
		const control = $(`#${name}`);
		if (control.matches("select")) control.value = view[name];
		else pressed(control, view[name]);
	}
	viewer.marks.save();
}

function search() {
	clearTimeout(typed);
	const text = $("#find").value;
	const [, a, b = a] = /^:(\d+)(?:\.\.(\d+))?$/.exec(text) ?? [];
	if (a) viewer.marks.open(+a, +b);
	else if (text[0] !== ":") {
		view.q = text;
		controls();
		find.run(text, view.regex);
	}
}

const views = {
	time: viewer.look, wrap: viewer.look,
	regex: () => view.q && find.run(view.q, view.regex),
	async level() {
		head.truth();
		await viewer.moves.filter(view.level);
		views.regex();
	},
	sample_logs() {
		head.omitted = 0;
		head.truth();
		viewer.refill();
		stream.start(true);
	},
};

const toStart = () => viewer.moves.goto(viewer.lines.first, "top");
const toEnd = () => viewer.moves.toEnd();
const clicks = {
	"find-next": () => find.step(1), "find-prev": () => find.step(-1), "err-next": () => viewer.moves.hop(1), "err-prev": () => viewer.moves.hop(-1),
	follow: () => (viewer.viewport.follow ? viewer.moves.follow(false) : toEnd()), fresh: toEnd,
	"mark-copy": viewer.copying.copyMark, "mark-link": () => copy(location.href, "link"), "mark-clear": () => viewer.marks.set(0),
};

function toolbar() {
	on("#find", "input", () => {
		clearTimeout(typed);
		typed = setTimeout(search, 300);
	});
	for (const name in clicks) on(`#${name}`, "click", clicks[name]);
	for (const name in views) {
		const choice = $(`#${name}`).matches("select");
		on(`#${name}`, choice ? "change" : "click", ({ target }) => {
			view[name] = choice ? target.value : !view[name];
			controls();
			views[name]();
		});
	}
}

const strokes = { Home: toStart, g: toStart, End: toEnd, G: toEnd, Escape: () => viewer.marks.set(0) };

function keys(event) {
	const { key, ctrlKey, metaKey, target } = event;
	const inLog = !target.closest("input, dialog");
	const chords = {
		f: !$("dialog[open]") && (() => $("#find").select()),
		a: inLog && viewer.lines.last && (() => viewer.marks.set(viewer.lines.first, viewer.lines.last)),
		c: inLog && viewer.marks.marked && getSelection().isCollapsed && viewer.copying.copyMark,
	};
	const typing = {
		Escape: () => viewer.root.focus(), // browsers would empty the field
		Enter: () => (find.q === target.value ? find.step(event.shiftKey ? -1 : 1) : search()),
	};
	const act = ctrlKey || metaKey ? chords[key] : target.id === "find" ? typing[key] : strokes[keyOf(event)];
	if (!act) return;
	event.preventDefault();
	act();
}

async function overview() {
	const data = await api.json("/overview").catch(() => null); // the stream says what is wrong
	if (!data) return;
	head.overview(data);
	map.draw(data.parts, data.paths);
}

/** A hidden tab holds no connection: HTTP/1.1 gives but six. */
function seen() {
	if (document.hidden) {
		left = viewer.lines.last;
		stream.stop();
		head.connection(head.closed ? "ended" : "paused");
	} else {
		stream.start();
		overview();
		setTimeout(() => (left = 0), 3000); // later ones are no news
	}
}

function often() {
	head.tick();
	const recent = viewer.lines.items.slice(-50).map((line) => line.timestamp);
	put("#silence", heard && !head.over && head.live ? silence(now() - heard, recent) : "");
}

function seldom() {
	find.count().catch(() => {});
	if (head.over || head.shut) return;
	if (!document.hidden) overview();
	if (document.hidden || head.closed) api.json("").then(head.status, () => {});
}

// A request that failed says so, wherever it was asked.
on(window, "unhandledrejection", (event) => {
	const { name, status, message } = event.reason;
	if (status >= 0) toast(message, true);
	if (status >= 0 || name === "AbortError") event.preventDefault();
});
startUi();
$(".sheet").replaceChildren();
viewer.begin();
viewer.root.focus();
controls();
toolbar();
$("#find").value = view.q;
on(document, "keydown", keys);
on(document, "visibilitychange", seen);
on(window, "hashchange", viewer.marks.fromAddress);
on(window, "online", seen);
on(window, "pagehide", () => stream.stop());
on(window, "pageshow", (event) => event.persisted && seen());
setInterval(often, 1000);
setInterval(seldom, 5000);
seen();
