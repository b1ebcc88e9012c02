// The log page: puts its parts together.

import { lineOf, parseView } from "./address.js";
import { Api } from "./api.js";
import { Cancel } from "./cancel.js";
import { $, copy, number, on, plural, pressed, put, range, show, toast } from "./dom.js";
import { Find } from "./find.js";
import { Head } from "./head.js";
import { LogMap } from "./map.js";
import { Sharing } from "./sharing.js";
import { Stream } from "./stream.js";
import { silence } from "./times.js";
import { keyOf, startUi } from "./ui.js";
import { makeViewer } from "./viewer.js";

const api = new Api($("#log").dataset.job);
const view = parseView(location.search);
const viewer = makeViewer(api, view, { begun, changed, drawn });
const find = new Find(api, viewer);
const map = new LogMap(viewer);
const head = new Head(api, viewer, new Cancel(api));
const stream = new Stream(api, view, {
	event: (name, data) => events[name]?.(data),
	connection: (...state) => head.connection(...state),
	refused: (...why) => head.refused(...why),
});
new Sharing(api, viewer);

let missing = []; // what the stream said is missing before its next line
let heard = 0; // when the newest line came
let left = 0; // the newest line when the reader left

const events = {
	lines(lines) {
		if (missing.length) lines[0].before = missing;
		missing = [];
		const { line, timestamp } = lines.at(-1);
		const now = Date.now();
		if (line > viewer.lines.last) heard = !heard && timestamp > now - 864e5 && timestamp < now ? timestamp : now;
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
	gap: (gap) => viewer.setGaps([{ ...gap, after: lineOf(gap.after) }]),
	status: (status) => head.status(status),
	upstream: (up) => head.upstream(up),
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
	if (view.level) await viewer.filter(view.level);
	if (viewer.mark) await viewer.hash();
	if (view.q) search();
}

function changed() {
	const { mark, lines, fresh, port } = viewer;
	const { first, last, items } = lines;
	pressed("#follow", port.follow);
	show("#fresh", !port.follow && last);
	put("#fresh", fresh ? `${number(fresh)} new` : "To the end");
	put("#count", last ? plural(last - first + 1, "line") : "");
	show("#empty", !items.length && lines.atEnd);
	put("#empty", $("#empty").dataset[view.level ? "level" : head?.over ? "over" : "yet"]);
	show("#markbar", mark);
	if (!mark) return;
	$("#markbar b").textContent = mark.last > mark.first ? `Lines ${range(mark, "–")}` : `Line ${number(mark.first)}`;
	for (const format of ["text", "ndjson"]) $(`#mark-${format}`).href = api.url("/logs", { ...viewer.range(), format, download: true });
}

function drawn() {
	map?.here();
	if (find?.q) find.paint();
}

function controls() {
	for (const name in views) {
		const control = $(`#${name}`);
		if (control.matches("select")) control.value = view[name];
		else pressed(control, view[name]);
	}
	viewer.save();
}

function search() {
	const text = $("#find").value;
	const line = Number(/^:(\d+)$/.exec(text)?.[1]);
	if (line) viewer.open(line);
	else if (text[0] !== ":") {
		view.q = text;
		controls();
		find.run(text, view.regex);
	}
}

// What has to be done once that part of the view is another.
const views = {
	time: viewer.look, wrap: viewer.look,
	regex: () => view.q && search(),
	async level() {
		await viewer.filter(view.level);
		views.regex();
	},
	sample_logs() {
		head.omitted = 0;
		viewer.reset();
		stream.start();
	},
};

const clicks = {
	"find-next": () => find.step(1), "find-prev": () => find.step(-1), "err-next": () => viewer.hop(1), "err-prev": () => viewer.hop(-1),
	follow: () => (viewer.port.follow ? viewer.follow(false) : viewer.toEnd()), fresh: () => viewer.toEnd(),
	"mark-copy": () => viewer.copyMark(), "mark-link": () => copy(location.href, "link"), "mark-clear": () => viewer.setMark(0),
};

function toolbar() {
	let typed = 0;
	const soon = (ms) => {
		clearTimeout(typed);
		typed = setTimeout(search, ms);
	};
	on("#find", "input", () => soon(300));
	on("#find", "keydown", ({ key, shiftKey, target }) => {
		if (key === "Escape") viewer.root.focus();
		else if (key === "Enter" && find.q === target.value && find.matches.length) find.step(shiftKey ? -1 : 1);
		else if (key === "Enter") soon(0);
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

function keys(event) {
	const { key, ctrlKey, metaKey, target } = event;
	const inLog = !target.closest("input, dialog");
	if (ctrlKey || metaKey) {
		if (key === "f") $("#find").select();
		else if (key === "a" && inLog) viewer.setMark(viewer.lines.first, viewer.lines.last);
		else if (key === "c" && inLog && viewer.mark && document.getSelection().isCollapsed) viewer.copyMark();
		else return;
	} else {
		const named = keyOf(event);
		if (named === "End" || named === "G") viewer.toEnd();
		else if (named === "Home" || named === "g") viewer.goto(viewer.lines.first, "top");
		else if (named === "Escape") viewer.setMark(0);
		else return;
	}
	event.preventDefault();
}

async function overview() {
	const data = await api.json("/overview", { parts: 150 }).catch(() => null); // the stream says what is wrong
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
		setTimeout(() => (left = 0), 3000); // what comes later did not come while the reader was away
	}
}

function often() {
	head.tick();
	const recent = viewer.lines.items.slice(-50).map((line) => line.timestamp);
	put("#silence", heard && !head.over && head.live ? silence(Date.now() - heard, recent) : "");
}

function seldom() {
	if (!document.hidden) overview();
	else api.json("").then(head.status.bind(head), () => {});
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
on(window, "hashchange", viewer.hash);
on(window, "online", seen);
on(window, "pagehide", () => stream.stop());
on(window, "pageshow", (event) => event.persisted && seen());
setInterval(often, 1000);
setInterval(() => head.over || seldom(), 5000);
seen();
