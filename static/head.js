// The head of the page. What it says of a state is a data- attribute of that name in the markup.

import { now } from "./clock.js";
import { $, announce, el, number, on, plural, pressed, put, renew, show, toast } from "./dom.js";
import { json } from "./later.js";
import { clock, duration } from "./times.js";

const ENDED = { done: "Done", failed: "Failed", canceled: "Canceled", cancelled: "Canceled" };

/** A job's status in words, as in webapp/web/words.py. */
export function describe({ job_status, status, finished_job_status, terminal_status }) {
	const name = job_status ?? "";
	const over = finished_job_status ?? terminal_status ?? false;
	const ended = ENDED[name.toLowerCase()];
	if (ended) return { over, state: ended.toLowerCase(), label: ended };
	if (over) return { over, state: "ended", label: name || "Ended" };
	const label = /^cancel/i.test(name) ? "Stopping" : /pend|queue|creat|start|wait/i.test(name || status) ? "Pending" : "Running";
	return { over, state: label.toLowerCase(), label };
}

/** `changed(over)`: called with each status. */
export function makeHead(api, viewer, changed) {
	const me = {
		status, done, refused, connection, upstream, overview, tick, truth,
		omitted: 0, // lines that sampling left out
		// over: the job has ended; closed: the stream has; shut: no more may be seen; known: a status has come
	};
	const { excerpt } = $("#truth").dataset; // where a link shows some lines and not the whole log
	let link = "connecting"; // to the service
	let short = ""; // why there are short streams instead of a lasting one
	let source = {}; // how the upstream does
	let shown = {}; // the status that is shown
	let retryAt = 0;
	let state, bell, complete, behind, newest;
	on("#bell", "click", ring);
	on("[data-open=details]", "click", details);
	return me;

	function status(status) {
		me.known = true;
		const was = state;
		const { label, over } = ({ state } = describe(status));
		me.state = state;
		const { job_name, total_tasks: total = 0, finished_tasks: done = 0, detail, exit_code } = (shown = status);
		const name = job_name || $("#log").dataset.job;
		if (was && was !== state) announce(`The job is ${label}`);
		if (bell && over) notify(`${name}: ${label}`);
		bell &&= !over;
		me.over = over;
		show("#bell", !over && window.Notification);
		$("#pill").className = `pill ${state}`;
		put("#pill", label);
		put("#name", name);
		document.title = `${label} · ${name} · jobtail`;
		$("#favicon").href = new URL(`favicon-${state}.svg`, $("#favicon").href);
		show("#progress", total > 1);
		Object.assign($("progress"), { max: total || 1, value: done });
		put("#progress", `${number(done)} of ${plural(total, "task")}`);
		put("#why", detail ?? (exit_code ? `exit code ${exit_code}` : ""));
		if ($("#cancel-open")) show("#cancel-open", !over);
		changed(over);
		tick();
	}

	function done(done) {
		if (done.status) status(done.status);
		if (done.reason === "not_found") status({ ...shown, job_status: "Gone", finished_job_status: true });
		complete = done.complete;
		me.closed = me.known = true;
		me.shut = /denied|link/.test(done.reason);
		trouble(done.reason);
		truth();
	}

	function refused({ status, message }) {
		me.closed = me.shut = true;
		connection("refused");
		trouble(status === 401 ? "denied" : "", message);
	}

	function trouble(name, text = $("#trouble").dataset[name] ?? "") {
		put("#trouble", text);
		show("#trouble", text);
	}

	/** `again`: when it is tried again. `why` streams are short, if they are. */
	function connection(to, again = 0, why = "") {
		// A stream begins by saying what is wrong with the upstream, if anything is.
		if (to === "live") trouble(), (source = {});
		[link, retryAt, short] = [to, again, why];
		connected();
	}

	function upstream(is) {
		source = is;
		connected();
	}

	/** The state of the way from the job to this page, and what more there is to say of it. */
	function linkState() {
		const wait = retryAt - Date.now();
		if (link !== "live") return [link, wait > 0 && `in ${Math.ceil(wait / 1000)} s`];
		if (source.state === "retrying") return ["down", source.since && `since ${new Date(source.since).toLocaleTimeString()}`];
		if (source.state === "loading") return ["loading", source.lines && `${plural(source.lines, "line")} so far`];
		if (behind > 2000) return ["behind", plural(behind, "line")];
		return ["live", short && "every few seconds"];
	}

	/** One dot, one truth: green only while lines can really come. */
	function connected() {
		const node = $("#connection");
		const [to, more] = linkState();
		if (/down|rec|live/.test(to) && to !== node.dataset.state) announce(node.dataset[to]);
		me.live = to === "live";
		me.down = to === "down";
		node.title = source.detail ?? node.dataset[short] ?? "";
		node.dataset.state = to;
		put("#connection", node.dataset[to] + (more ? `, ${more}` : ""));
		show(node, to !== "ended"); // the job's own state says that
	}

	function overview({ gaps, viewers, first_line, last_line, complete: whole, parts }) {
		viewer.gaps.add(gaps);
		viewer.lines.first = first_line;
		viewer.start ??= parts[0]?.low_ms ?? null;
		complete = whole;
		behind = viewer.lines.last && last_line - viewer.lines.last;
		newest = parts.at(-1)?.high_ms;
		show("#watching", viewers > 1);
		put("#watching", `${number(viewers)} watching`);
		if ($("#cancel")) put("#cancel-others", viewers > 1 ? `${plural(viewers - 1, "other")} watching it now.` : "");
		connected();
		truth();
	}

	function truth() {
		if (!me.known) return;
		const list = [...viewer.gaps.known.values()];
		const lost = list.reduce((sum, { count }) => sum + count, 0);
		const ended = me.over ? { true: "complete", false: "openEnd" }[complete] : "";
		const state = list.length ? "gap" : excerpt ? "excerpt" : viewer.view.sample_logs ? "sampled" : ended || "ok";
		const more = { gap: lost && ` of ${number(lost)}`, sampled: `: ${number(me.omitted)} left out` }[state] || "";
		const { dataset } = $("#truth");
		const text = $("#truth-text").dataset;
		dataset.state = state;
		put("#truth", dataset[state] + more);
		put("#truth-text", text[state] + (viewer.view.level && text.level));
		$("#truth-gaps").replaceChildren(...list.map(({ after, count }) => el("li", "", el("a", "",
			`${count ? plural(count, "line") : "Lines"} after line ${number(after)}`, { href: `#${viewer.cursor(after + 1)}` }))));
	}

	function tick() {
		if (me.shut) return;
		const from = Date.parse(shown.creation_date) || viewer.start;
		const end = me.over ? Date.parse(shown.job_status_date) || newest : now();
		if (from > 1e9 && end >= from) put("#elapsed", me.over ? `took ${duration(end - from)}` : clock(end - from));
		if (retryAt) connected();
	}

	async function ring() {
		const granted = (await Notification.requestPermission()) === "granted";
		bell = granted && !bell;
		pressed("#bell", bell);
		toast(!granted ? "forbidden" : bell ? "bell" : "quiet", !granted);
	}

	function notify(text) {
		try {
			new Notification(text, { icon: $("#favicon").href });
		} catch {
			toast(text); // some browsers, on phones above all, have the class and let no page use it
		}
	}

	async function details() {
		await renew("#about");
		if ($("#config")) $("#config").replaceChildren(...(await config().catch((error) => [error.message])));
	}

	async function config() {
		const [nodes, answer] = await Promise.all([json(), api.ask(api.url("/steps-config"))]);
		return nodes(await answer.text());
	}
}
