// The log page: puts its parts together.

import { lineOf, NARROW, parseView, WIDE } from "./address.js";
import { makeApi } from "./api.js";
import { now } from "./clock.js";
import { startControls } from "./controls.js";
import { $, number, on, plural, pressed, put, range, show, toast } from "./dom.js";
import { makeHead } from "./head.js";
import { later } from "./later.js";
import { makeMap } from "./map.js";
import { makeStream } from "./stream.js";
import { prepare } from "./terminal.js";
import { day, silence } from "./times.js";
import { startUi } from "./ui.js";
import { makeViewer } from "./viewer.js";

const DAY = 864e5; // ms
const NEWS = 3000; // ms after the reader's return in which what comes had been missed

const defaults = matchMedia("(max-width: 760px)").matches ? NARROW : WIDE;
const api = makeApi($("#log").dataset.job);
const view = parseView(location.search, defaults);
const viewer = makeViewer(api, view, defaults, { begun, changed, drawn, inContext: (line) => controls.inContext(line) });
const errors = errorsLater();
const find = findLater();
const map = makeMap(viewer);
const head = makeHead(api, viewer, (over) => cancel?.status(over));
const stream = makeStream(api, view, { ...head, connection, event });

const unfinished = later((again) => import(`./partial.js${again}`), ({ makePartial }) => (partial = makePartial(viewer)));

let partial; // what partial.js makes, once something is unfinished
let cancel; // what cancel.js makes, once it is loaded
let missing = []; // what the stream said is missing before its next line
let heard = 0; // when the newest line came
let left = 0; // the newest line when the reader left

/** What goes wrong in here is a fault of this page and says nothing of the connection. */
async function event(name, data) {
	// Where the service is gone by now, the connection breaks off, and these lines come again.
	if (name === "lines") await prepare(data.map(({ message }) => message));
	else if (name === "partial") await Promise.all([unfinished(), prepare([data.message ?? ""])]);
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
		// The time of the last line when an old log is opened; after that, the moment at which lines come.
		const ago = now() - timestamp;
		if (line > viewer.lines.last) heard = !heard && ago > 0 && ago < DAY ? timestamp : now();
		viewer.push(lines);
		for (const { stream } of lines) partial?.over(stream);
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
	partial(data) {
		if (data.message) heard = Math.max(heard, Math.min(data.timestamp, now()));
		partial.show(data);
	},
	status,
	upstream: head.upstream,
	reset() {
		partial?.clear();
		viewer.reset();
		toast("anew");
	},
	done(done) {
		partial?.clear();
		head.done(done);
		follow();
		overview();
	},
	bye: () => head.connection("restarting"),
};

function status(status) {
	head.status(status);
	follow();
}

/** What else depends on how the job does. */
function follow() {
	viewer.over = Boolean(head.over);
	viewer.failed = head.state === "failed";
}

function connection(to, ...more) {
	head.connection(to, ...more);
	if (to === "live") find.resume();
}

async function begun() {
	overview(); // the map of a short log is drawn of its lines
	if (viewer.filters.any()) await viewer.moves.filter();
	if (viewer.marks.marked) await viewer.marks.fromAddress();
	if (view.q) await find.run();
}

function changed() {
	const { lines, fresh, viewport, filters, marks: { marked } } = viewer;
	const { first, last, items } = lines;
	pressed("#follow", viewport.follow);
	show("#fresh", !viewport.follow && last);
	put("#fresh", fresh ? `${number(fresh)} new` : "To the end");
	put("#count", last ? plural(last - first + 1, "line") + (filters.any() ? ", filtered" : "") : "");
	show("#empty", !items.length && lines.atEnd && head.known);
	put("#empty", $("#empty").dataset[head.down ? "down" : lines.search ? "search" : view.level ? "level" : head.over ? "over" : "yet"]);
	show("#markbar", marked);
	if (!marked) return;
	$("#markbar b").textContent = marked.last > marked.first ? `Lines ${range(marked, "–")}` : `Line ${number(marked.first)}`;
	for (const format of ["text", "ndjson"]) $(`#mark-${format}`).href = api.url("/logs", { ...viewer.marks.extent(), format, download: true });
}

function drawn() {
	const line = viewer.viewport.seen()[0]?.item;
	const today = line ? day(line.timestamp, view.time) : "";
	put("#day", today === day(now(), view.time) ? "" : today);
	map.here();
	find.paint();
}

async function overview() {
	const data = await api.json("/overview").catch(() => null); // the stream says what is wrong
	if (!data) return;
	viewer.parts = data.parts;
	head.overview(data);
	map.draw(data.parts, data.paths);
	errors.count(data.parts.reduce((sum, part) => sum + part.errors, 0)).catch(() => {});
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
		setTimeout(() => (left = 0), NEWS);
	}
}

function often() {
	head.tick();
	const recent = viewer.lines.items.slice(-50).map((line) => line.timestamp);
	put("#silence", heard && !head.over && head.live ? silence(now() - heard, recent) : "");
}

function seldom() {
	find.resume();
	if (head.over || head.shut) return;
	if (!document.hidden) overview();
	if (document.hidden || head.closed) api.json("").then(status, () => {});
}

// A request that failed says so, wherever it was asked.
on(window, "unhandledrejection", (event) => {
	const { name, status, message } = event.reason;
	if (status >= 0) toast(message, true);
	if (status >= 0 || name === "AbortError") event.preventDefault();
});
/** Find, loaded when somebody is about to search. */
function findLater() {
	const load = later((again) => import(`./find.js${again}`), ({ makeFind }) => (find = makeFind(api, viewer)));
	let find;
	let wanted = false; // it was searched while what searches could not be loaded
	on("#find", "focus", () => load().catch(() => {}));
	async function run() {
		if (!find && view.q) put("#found", "…");
		wanted = true;
		await load();
		wanted = false;
		await find.run();
	}
	return {
		run,
		step: async (by) => (await load()).step(by),
		resume: () => (wanted ? run().catch(() => {}) : find?.resume()),
		paint: () => find?.paint(),
	};
}

/** Errors, loaded where the log has some. */
function errorsLater() {
	const load = later((again) => import(`./errors.js${again}`), ({ makeErrors }) => (errors = makeErrors(api, viewer)));
	let errors;
	return {
		hop: async (step) => (await load()).hop(step),
		count: async (lines) => (lines || errors) && (await load()).count(lines),
	};
}

startUi();
$(".sheet").replaceChildren();
viewer.begin();
viewer.root.focus({ focusVisible: false });
const controls = startControls({ api, view, viewer, find, errors, head, stream });
// Where it cannot be loaded the form of the dialog is sent as it is without JavaScript.
if ($("#cancel")) on("#cancel-open", "click", later((again) => import(`./cancel.js${again}`), ({ startCancel }) => (cancel = startCancel(api))));
const sharing = later((again) => import(`./sharing.js${again}`), ({ startSharing }) => startSharing(api, viewer));
if ($("#share")) on("[data-open=share]", "click", async () => (await sharing())());
on(document, "visibilitychange", seen);
on(window, "hashchange", viewer.marks.fromAddress);
on(window, "online", seen);
on(window, "pagehide", () => stream.stop());
on(window, "pageshow", (event) => event.persisted && seen());
setInterval(often, 1000);
setInterval(seldom, 5000);
seen();
