// The head of the page. What it says of a state is a data- attribute of that name in the markup.

import { $, announce, el, fill, number, on, plural, pressed, put, show, toast } from "./dom.js";
import { jsonNodes } from "./row.js";
import { describe, finished } from "./status.js";
import { ago, clock, duration, moment } from "./times.js";

export class Head {
	omitted = 0; // lines that sampling left out
	over = false; // the job has ended
	closed = false; // the stream has, for good
	#link = "connecting";
	#up = {};
	#now = {};

	constructor(api, viewer, cancel) {
		Object.assign(this, { api, viewer, cancel });
		on("#bell", "click", this.#ring);
		on("[data-open=details]", "click", this.#details);
	}

	status(status) {
		const { state, label } = describe(status);
		const { job_name, total_tasks: total = 0, finished_tasks: done = 0 } = status;
		const name = job_name || $("#log").dataset.job;
		this.over = finished(status);
		if (this.state && state !== this.state) announce(`The job is ${label}`);
		this.state = state;
		this.#now = status;
		if (this.bell && this.over) new Notification(`${name}: ${label}`, { icon: $("#favicon").href });
		this.bell &&= !this.over;
		show("#bell", !this.over);
		$("#pill").className = `pill ${state}`;
		put("#pill", label);
		put("#name", name);
		document.title = `${label} · ${name} · jobtail`;
		$("#favicon").href = `/static/favicon-${state}.svg`;
		show("#progress", total > 1);
		Object.assign($("progress"), { max: total || 1, value: done });
		put("#progress", `${number(done)} of ${plural(total, "task")}`);
		put("#why", this.#why());
		this.cancel.status(this.over);
		this.tick();
	}

	#why({ detail, exit_code: code } = this.#now) {
		return detail ?? (code ? `exit code ${code}` : "");
	}

	done({ reason, complete, status }) {
		if (status) this.status(status);
		Object.assign(this, { complete, closed: true });
		this.trouble($("#trouble").dataset[reason]);
		this.truth();
	}

	refused(status, why) {
		this.closed = true;
		this.connection("refused");
		this.trouble(status === 401 ? $("#trouble").dataset.denied : why);
	}

	trouble(text = "") {
		put("#trouble", text);
		show("#trouble", text);
	}

	connection(link, retryAt = 0) {
		if (link === "live") {
			if (this.#link === "reconnecting") toast("Connected again");
			this.trouble();
		}
		this.#link = link;
		this.retryAt = retryAt;
		this.#connected();
	}

	upstream(up) {
		this.#up = up;
		this.#connected();
	}

	/** One dot, one truth: green only while lines can really come. */
	#connected() {
		const node = $("#connection");
		const { state: up, since, lines, detail = "" } = this.#up;
		let [state, more] = [this.#link, ""];
		if (this.retryAt > Date.now()) more = `, in ${Math.ceil((this.retryAt - Date.now()) / 1000)} s`;
		if (state === "live" && up === "retrying") [state, more] = ["down", since ? `, since ${new Date(since).toLocaleTimeString()}` : ""];
		else if (state === "live" && up === "loading") [state, more] = ["loading", lines ? `, ${plural(lines, "line")} so far` : ""];
		else if (state === "live" && this.behind > 2000) [state, more] = ["behind", `, ${plural(this.behind, "line")}`];
		if (/down|rec|live/.test(state) && state !== node.dataset.state) announce(node.dataset[state]);
		node.title = detail;
		node.dataset.state = state;
		put("#connection", node.dataset[state] + more);
	}

	get live() {
		return $("#connection").dataset.state === "live";
	}

	overview({ gaps, viewers, first_line: first, last_line: last, complete, parts }) {
		const { viewer } = this;
		viewer.setGaps(gaps);
		viewer.lines.first = first;
		viewer.start ??= parts[0]?.low_ms ?? null;
		Object.assign(this, { complete, behind: last - viewer.lines.last, newest: parts.at(-1)?.high_ms });
		show("#watching", viewers > 1);
		put("#watching", `${number(viewers)} watching`);
		this.cancel.watching(viewers);
		this.#connected();
		this.truth();
	}

	truth() {
		const { gaps, view, goto } = this.viewer;
		const list = [...gaps.values()];
		const lost = list.reduce((sum, { count }) => sum + count, 0);
		const ended = this.over ? { true: "complete", false: "openEnd" }[this.complete] : "";
		const state = list.length ? "gap" : view.sample_logs ? "sampled" : ended || "ok";
		const more = { gap: lost ? ` of ${number(lost)}` : "", sampled: `: ${number(this.omitted)} left out` }[state] ?? "";
		const { dataset } = $("#truth");
		const text = $("#truth-text").dataset;
		dataset.state = state;
		put("#truth", dataset[state] + more);
		put("#truth-text", text[state] + (view.level ? text.level : ""));
		$("#truth-gaps").replaceChildren(...list.map(({ after, count }) => el("li", "", el("button", "link",
			`${count ? plural(count, "line") : "Lines"} after line ${number(after)}`, { onclick: () => goto(after + 1) }))));
	}

	tick() {
		const { job_status_date: moved, creation_date: made } = this.#now;
		const from = Date.parse(made) || this.viewer.start;
		const end = this.over ? Date.parse(moved) || this.newest : Date.now();
		if (from > 1e9 && end >= from) put("#elapsed", this.over ? `took ${duration(end - from)}` : clock(end - from));
		if (this.retryAt) this.#connected();
	}

	#ring = async () => {
		const granted = (await Notification.requestPermission()) === "granted";
		this.bell = granted && !this.bell;
		pressed("#bell", this.bell);
		if (!granted) toast("The browser allows no notices from this page.", true);
		else toast(this.bell ? "You will be told when it ends, even while this tab is hidden." : "You will not be told.");
	};

	#details = async () => {
		const now = this.#now;
		const time = (value) => value && moment(Date.parse(value));
		fill($("#about"), {
			status: [describe(now).label, this.#why()].filter(Boolean).join(", "), since: time(now.job_status_date),
			started: time(now.creation_date), tasks: `${now.finished_tasks} of ${now.total_tasks}`,
			instance: [now.instance_id, now.instance_type, now.status].filter(Boolean).join(" · "),
			heartbeat: now.last_heartbeat && ago(Date.parse(now.last_heartbeat)),
		});
		if ($("#config")) $("#config").replaceChildren(...jsonNodes(await this.api.json("/steps-config")));
	};
}
