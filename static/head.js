// The head of the page. What it says of a state is a data- attribute of that name in the markup.

import { $, $$, announce, el, number, on, plural, pressed, put, renew, show, toast } from "./dom.js";
import { jsonNodes } from "./row.js";
import { describe } from "./status.js";
import { clock, duration, moment } from "./times.js";

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
		const { state, label, over } = describe(status);
		const { job_name, total_tasks: total = 0, finished_tasks: done = 0 } = status;
		const name = job_name || $("#log").dataset.job;
		if (this.state && state !== this.state) announce(`The job is ${label}`);
		if (this.bell && over) new Notification(`${name}: ${label}`, { icon: $("#favicon").href });
		this.bell &&= !over;
		Object.assign(this, { state, over });
		this.#now = status;
		show("#bell", !over);
		$("#pill").className = `pill ${state}`;
		put("#pill", label);
		put("#name", name);
		document.title = `${label} · ${name} · jobtail`;
		$("#favicon").href = `/static/favicon-${state}.svg`;
		show("#progress", total > 1);
		Object.assign($("progress"), { max: total || 1, value: done });
		put("#progress", `${number(done)} of ${plural(total, "task")}`);
		put("#why", this.#why());
		this.cancel.status(over);
		this.tick();
	}

	#why() {
		const { detail, exit_code } = this.#now;
		return detail ?? (exit_code ? `exit code ${exit_code}` : "");
	}

	done({ reason, complete, status }) {
		if (status) this.status(status);
		Object.assign(this, { complete, closed: true });
		this.#trouble(reason);
		this.truth();
	}

	refused(status, why) {
		this.closed = true;
		this.connection("refused");
		this.#trouble(status === 401 ? "denied" : "", why);
	}

	#trouble(name, text = $("#trouble").dataset[name] ?? "") {
		put("#trouble", text);
		show("#trouble", text);
	}

	connection(link, retryAt = 0) {
		if (link === "live") {
			if (this.#link === "reconnecting") toast("Connected again");
			this.#trouble();
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
		const wait = this.retryAt - Date.now();
		const [state, more] = this.#link !== "live" ? [this.#link, wait > 0 && `in ${Math.ceil(wait / 1000)} s`]
			: up === "retrying" ? ["down", since && `since ${new Date(since).toLocaleTimeString()}`]
			: up === "loading" ? [up, lines && `${plural(lines, "line")} so far`]
			: this.behind > 2000 ? ["behind", plural(this.behind, "line")] : ["live"];
		if (/down|rec|live/.test(state) && state !== node.dataset.state) announce(node.dataset[state]);
		node.title = detail;
		node.dataset.state = state;
		put("#connection", node.dataset[state] + (more ? `, ${more}` : ""));
	}

	get live() {
		return $("#connection").dataset.state === "live";
	}

	overview({ gaps, viewers, first_line, last_line, complete, parts }) {
		const { viewer } = this;
		viewer.setGaps(gaps);
		viewer.lines.first = first_line;
		viewer.start ??= parts[0]?.low_ms ?? null;
		Object.assign(this, { complete, behind: last_line - viewer.lines.last, newest: parts.at(-1)?.high_ms });
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
		const more = { gap: lost && ` of ${number(lost)}`, sampled: `: ${number(this.omitted)} left out` }[state] || "";
		const { dataset } = $("#truth");
		const text = $("#truth-text").dataset;
		dataset.state = state;
		put("#truth", dataset[state] + more);
		put("#truth-text", text[state] + (view.level && text.level));
		$("#truth-gaps").replaceChildren(...list.map(({ after, count }) => el("li", "", el("button", "link",
			`${count ? plural(count, "line") : "Lines"} after line ${number(after)}`, { onclick: () => goto(after + 1) }))));
	}

	tick() {
		const { job_status_date, creation_date } = this.#now;
		const from = Date.parse(creation_date) || this.viewer.start;
		const end = this.over ? Date.parse(job_status_date) || this.newest : Date.now();
		if (from > 1e9 && end >= from) put("#elapsed", this.over ? `took ${duration(end - from)}` : clock(end - from));
		if (this.retryAt) this.#connected();
	}

	#ring = async () => {
		const granted = (await Notification.requestPermission()) === "granted";
		this.bell = granted && !this.bell;
		pressed("#bell", this.bell);
		toast(!granted ? "forbidden" : this.bell ? "bell" : "quiet", !granted);
	};

	#details = async () => {
		await renew("#about");
		for (const node of $$("#about time")) node.textContent = moment(Date.parse(node.dateTime));
		if ($("#config")) $("#config").replaceChildren(...jsonNodes(await this.api.json("/steps-config")));
	};
}
