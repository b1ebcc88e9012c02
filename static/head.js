// The head of the page: the job's status, how long it takes, how true the view is, and the connection.
// What it says stands in the markup, as data- attributes named after the state.

import { $, announce, el, fill, number, on, plural, pressed, toast } from "./dom.js";
import { jsonNodes } from "./row.js";
import { describe, finished } from "./status.js";
import { ago, clock, duration, moment } from "./times.js";

export class Head {
  omitted = 0; // lines that sampling left out
  over = false; // the job has ended
  closed = false; // the stream has, and for good
  #link = "connecting";
  #up = { state: "ok" };
  #now = {};

  constructor(api, viewer, cancel) {
    Object.assign(this, { api, viewer, cancel });
    on("#bell", "click", this.#ring);
    on("[data-open=details]", "click", () => this.#details());
  }

  status(status) {
    const { state, label } = describe(status);
    const over = finished(status);
    const name = status.job_name || $("#log").dataset.job;
    if (this.state && state !== this.state) announce(`The job is ${label.toLowerCase()}`);
    if (this.bell && over) new Notification(`${name}: ${label}`, { body: $("#elapsed").textContent, icon: $("#favicon").href });
    this.bell &&= !over;
    Object.assign(this, { state, over });
    this.#now = status;
    $("#pill").className = `pill ${state}`;
    $("#pill").lastChild.textContent = label;
    $("#name").textContent = name;
    document.title = `${label} · ${name} · jobtail`;
    $("#favicon").href = `/static/favicon-${state}.svg`;
    const { total_tasks: total = 0, finished_tasks: done = 0, detail, exit_code: code } = status;
    $("#progress").hidden = total < 2;
    Object.assign($("progress"), { max: total || 1, value: done });
    $("#progress").lastChild.textContent = `${number(done)} of ${plural(total, "task")}`;
    $("#why").textContent = detail ?? (code ? `exit code ${code}` : "");
    $("#bell").hidden = over;
    this.cancel.status(over);
    this.tick();
  }

  /** The stream's last word. */
  done({ reason, complete, status }) {
    if (status) this.status(status);
    Object.assign(this, { complete, closed: true });
    this.trouble($("#trouble").dataset[reason] ?? "");
    this.truth();
  }

  refused(status, why) {
    this.closed = true;
    this.connection("refused");
    this.trouble(status === 401 ? $("#trouble").dataset.denied : why);
  }

  trouble(text) {
    $("#trouble").textContent = text;
    $("#trouble").hidden = !text;
  }

  connection(link, retryAt = 0) {
    if (link === "live") {
      if (this.#link === "reconnecting") toast("Connected again");
      this.trouble("");
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
    let state = this.#link;
    let more = "";
    if (this.retryAt > Date.now()) more = `, in ${Math.ceil((this.retryAt - Date.now()) / 1000)} s`;
    if (state === "live") {
      const { state: up, since, lines } = this.#up;
      if (up === "retrying") [state, more] = ["down", since ? `, since ${new Date(since).toLocaleTimeString()}` : ""];
      else if (up === "loading") [state, more] = ["loading", lines ? `, ${plural(lines, "line")} so far` : ""];
      else if (this.behind > 2000) [state, more] = ["behind", `, ${plural(this.behind, "line")}`];
    }
    if (["down", "reconnecting", "live"].includes(state) && state !== node.dataset.state) announce(node.dataset[state]);
    node.title = this.#up.detail ?? "";
    node.dataset.state = state;
    node.lastChild.textContent = node.dataset[state] + more;
  }

  get live() {
    return $("#connection").dataset.state === "live";
  }

  overview({ gaps, viewers, first_line: first, last_line: last, complete, parts }) {
    const { lines } = this.viewer;
    this.viewer.setGaps(gaps);
    lines.first = first;
    this.viewer.start ??= parts[0]?.low_ms ?? null;
    Object.assign(this, { complete, behind: last - lines.last, newest: parts.at(-1)?.high_ms });
    $("#watching").hidden = viewers < 2;
    $("#watching").textContent = `${number(viewers)} watching`;
    this.cancel.watching(viewers);
    this.#connected();
    this.truth();
  }

  /** Whether what is shown is all there is. */
  truth() {
    const { viewer } = this;
    const gaps = [...viewer.gaps.values()];
    const lost = gaps.reduce((sum, gap) => sum + (gap.count ?? 0), 0);
    const state = gaps.length ? "gap" : viewer.view.sample_logs ? "sampled" : !this.over ? "ok"
      : this.complete ? "complete" : this.complete === false ? "openEnd" : "ok";
    const more = { gap: lost ? ` of ${number(lost)}` : "", sampled: `: ${number(this.omitted)} left out` }[state] ?? "";
    const [badge, text] = [$("#truth"), $("#truth-text")];
    badge.dataset.state = state;
    badge.lastChild.textContent = badge.dataset[state] + more;
    text.textContent = text.dataset[state] + (viewer.view.level ? text.dataset.level : "");
    $("#truth-gaps").replaceChildren(...gaps.map((gap) => {
      const what = `${gap.count ? plural(gap.count, "line") : "Lines"} ${gap.reason === "trimmed" ? "trimmed" : "missing"} after line ${number(gap.after)}`;
      return el("li", "", el("button", "link", what, { onclick: () => viewer.goto(gap.after + 1) }));
    }));
  }

  /** Once a second: clocks run, pauses count down. */
  tick() {
    const { job_status_date: moved, creation_date: made } = this.#now;
    const from = Date.parse(made ?? "") || this.viewer.start;
    const end = this.over ? Date.parse(moved ?? "") || this.newest : Date.now();
    if (from > 1e9 && end >= from) $("#elapsed").textContent = this.over ? `took ${duration(end - from)}` : clock(end - from);
    if (this.retryAt) this.#connected();
  }

  #ring = async () => {
    const granted = this.bell || (await Notification.requestPermission()) === "granted";
    this.bell = granted && !this.bell;
    pressed("#bell", this.bell);
    if (!granted) toast("The browser allows no notices from this page.", true);
    else toast(this.bell ? "You will be told when it ends, even while this tab is hidden." : "You will not be told.");
  };

  async #details() {
    const now = this.#now;
    const time = (value) => value && moment(Date.parse(value));
    fill($("#about"), {
      status: [describe(now).label, now.detail, now.exit_code && `exit code ${now.exit_code}`].filter(Boolean).join(", "),
      since: time(now.job_status_date), started: time(now.creation_date), tasks: now.total_tasks > 1 && `${now.finished_tasks} of ${now.total_tasks}`,
      instance: [now.instance_id, now.instance_type, now.status].filter(Boolean).join(" · "),
      heartbeat: now.last_heartbeat && ago(Date.parse(now.last_heartbeat)),
    });
    const config = $("#config");
    if (!config) return;
    try {
      config.replaceChildren(...jsonNodes(await this.api.json("/steps-config")));
    } catch (error) {
      config.textContent = error.message;
    }
  }
}
