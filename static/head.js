// The head of the page: the job's status, how long it takes, how true the view is, and the connection.

import { $, announce, el, number, plural, toast } from "./dom.js";
import { jsonNodes } from "./row.js";
import { describe, finished } from "./status.js";
import { ago, clock, duration, moment } from "./times.js";

const CONNECTION = {
  connecting: "Connecting…", live: "Live", paused: "Paused while hidden", ended: "Ended", refused: "Closed",
};

export class Head {
  ended = false;
  live = false;
  omitted = 0;
  state = "";

  constructor(api, viewer, cancel) {
    Object.assign(this, { api, viewer, cancel, data: $("#log").dataset });
    this.state = this.data.state;
    this.link = { state: "connecting" };
    this.up = { state: "ok" };
  }

  begin() {
    $("#bell").addEventListener("click", this.#ring);
    new MutationObserver(() => $("#details").open && this.#details()).observe($("#details"), { attributeFilter: ["open"] });
  }

  status(status) {
    this.now = status;
    const { state, label } = describe(status);
    const over = finished(status);
    const pill = $("#pill");
    pill.className = `pill ${state}`;
    pill.lastElementChild.textContent = label;
    $("#name").textContent = this.data.name = status.job_name || this.data.name;
    document.title = `${label} · ${this.data.name} · jobtail`;
    $("#favicon").href = `/static/favicon-${state}.svg`;
    const { total_tasks: total, finished_tasks: done } = status;
    $("#progress").hidden = !(total > 1);
    const bar = $("progress");
    Object.assign(bar, { max: total || 1, value: done ?? 0 });
    bar.nextElementSibling.textContent = `${number(done ?? 0)} of ${plural(total ?? 0, "task")}`;
    $("#why").textContent = status.detail ?? (status.exit_code ? `exit code ${status.exit_code}` : "");
    if (state !== this.state) announce(`The job is ${label.toLowerCase()}`);
    if (over && !finished({ finished_job_status: this.over })) this.#over(label);
    this.over = over;
    this.state = state;
    this.cancel.status(state, over);
    $("#bell").hidden = over;
    this.tick();
  }

  /** The stream's end. Only `finished` is the job's. */
  done({ reason, complete, status }) {
    this.ended = true;
    this.complete = complete;
    if (status) this.status(status);
    const why = {
      link_ended: "This link has ended. Ask for a new one.", not_found: "The upstream does not know this job any more. What the journal holds stays.",
      denied: "You may not see this job any more.", timeout: "The stream timed out.", retries_exhausted: "The upstream does not answer.",
    }[reason];
    if (why) this.trouble(why);
    this.truth();
  }

  trouble(text) {
    $("#trouble").textContent = text;
    $("#trouble").hidden = !text;
  }

  refused(status, why) {
    this.ended = true;
    this.connection("refused", {});
    this.trouble(status === 401 ? "You are signed out. Reload the page to sign in again." : why);
  }

  connection(state, more) {
    if (state === "live" && this.link.state === "reconnecting") toast("Connected again");
    this.link = { state, ...more };
    if (state === "live" && !this.ended) this.trouble("");
    this.#connected();
  }

  upstream(data) {
    this.up = data;
    this.#connected();
  }

  /** One dot, one truth: green only while lines can really come. */
  #connected() {
    let { state } = this.link;
    let text = CONNECTION[state];
    const wait = this.link.retryAt ? Math.max(0, Math.ceil((this.link.retryAt - Date.now()) / 1000)) : 0;
    if (state === "reconnecting") {
      text = this.link.bye ? "The service restarts…" : wait ? `Reconnecting in ${wait} s` : "Reconnecting…";
    } else if (state === "live" && this.up.state === "retrying") {
      state = "down";
      text = `The upstream does not answer${this.up.since ? `, since ${new Date(this.up.since).toLocaleTimeString()}` : ""}`;
      $("#connection").title = this.up.detail ?? "";
    } else if (state === "live" && (this.up.state === "loading" || this.behind > 2000)) {
      state = "behind";
      text = this.behind > 2000 ? `${number(this.behind)} lines behind` : `Loading${this.up.lines ? `, ${plural(this.up.lines, "line")} so far` : ""}`;
    }
    const node = $("#connection");
    this.live = state === "live";
    if (node.dataset.state !== state && state !== "connecting" && state !== "paused") announce(text);
    node.dataset.state = state;
    node.lastElementChild.textContent = text;
  }

  overview({ gaps = [], viewers = 1, last_line: last = 0, trimmed_to: trimmed = 0, complete, first_ms: first, last_ms: newest }) {
    const { viewer } = this;
    if (trimmed && viewer.lines.first !== trimmed + 1) {
      viewer.lines.first = trimmed + 1;
      viewer.setGaps([{ reason: "trimmed", after: trimmed, count: trimmed }]);
    }
    viewer.setGaps(gaps);
    viewer.start = first ?? viewer.start;
    this.newest = newest;
    this.complete = complete ?? this.complete;
    this.behind = last - viewer.lines.last;
    $("#watching").hidden = viewers < 2;
    $("#watching").textContent = `${number(viewers)} watching`;
    this.cancel.watching(viewers);
    this.#connected();
    this.truth();
    this.tick();
  }

  /** Whether what is shown is all there is. */
  truth() {
    const { viewer } = this;
    const gaps = [...viewer.gaps.values()];
    const lost = gaps.reduce((sum, gap) => sum + (gap.count ?? 0), 0);
    const sampled = viewer.view.sampled;
    let [state, label, text] = ["ok", "Every line", "Every line that the service has learnt of is here, once and in order."];
    if (gaps.length) {
      [state, label, text] = ["gap", lost ? `Gap of ${number(lost)}` : "Gap", "Lines are missing at the places below. A click goes there."];
    } else if (sampled) {
      [state, label, text] = ["sampled", "Sampled", `${plural(this.omitted, "line")} left out so far. Warnings and errors are kept; what was left out can be fetched at its place, and “Sampled” at the foot turns it off.`];
    } else if (this.over && this.complete) {
      [label, text] = ["Complete", "The whole log, reconciled with its source after the job ended."];
    } else if (this.over && this.complete === false) {
      [state, label, text] = ["gap", "End not confirmed", "The job has ended, but the end of its log could not be reconciled with the upstream's."];
    } else if (viewer.lines.level) {
      text += " The level filter hides some of them now.";
    }
    const badge = $("#truth");
    badge.dataset.state = state;
    badge.lastElementChild.textContent = label;
    $("#truth-text").textContent = text;
    $("#truth-gaps").replaceChildren(...gaps.map((gap) => {
      const what = `${gap.count ? plural(gap.count, "line") : "Lines"} ${gap.reason === "trimmed" ? "trimmed" : "missing"} after line ${number(gap.after)}`;
      const link = el("button", { class: "link", text: what });
      link.addEventListener("click", () => viewer.goto(gap.after + 1));
      return el("li", {}, link);
    }));
  }

  /** Once a second: clocks run, pauses count down. */
  tick() {
    const { viewer, now } = this;
    const from = Date.parse(now?.creation_date ?? "") || viewer.start;
    const end = this.over ? Date.parse(now?.job_status_date ?? "") || this.newest : Date.now();
    if (from > 1e9 && end >= from) $("#elapsed").textContent = this.over ? `took ${duration(end - from)}` : clock(end - from);
    if (this.link.state === "reconnecting") this.#connected();
  }

  #over(label) {
    if (!this.ringing) return;
    new Notification(`${this.data.name}: ${label}`, { body: $("#elapsed").textContent, icon: $("#favicon").href });
    this.ringing = false;
  }

  #ring = async () => {
    if (!this.ringing && (await Notification.requestPermission()) !== "granted") {
      toast("The browser does not allow notifications for this page.", { bad: true });
      return;
    }
    this.ringing = !this.ringing;
    $("#bell").setAttribute("aria-pressed", this.ringing);
    toast(this.ringing ? "You will be told when it ends, even while this tab is hidden." : "You will not be told.");
  };

  /** While the tab is hidden its stream is closed: a small question now and then keeps title and notice true. */
  async peek() {
    try {
      this.status(await this.api.json(""));
    } catch {
      // it will be asked again
    }
  }

  async #details() {
    const now = this.now ?? {};
    const time = (value) => (value ? moment(Date.parse(value)) : null);
    const facts = {
      Status: [describe(now).label, now.detail, now.exit_code == null ? "" : `exit code ${now.exit_code}`].filter(Boolean).join(", "),
      Since: time(now.job_status_date), Started: time(now.creation_date),
      Tasks: now.total_tasks > 1 ? `${number(now.finished_tasks)} of ${number(now.total_tasks)}` : null,
      Instance: [now.instance_id, now.instance_type, now.status].filter(Boolean).join(" · "),
      Heartbeat: now.last_heartbeat ? ago(Date.parse(now.last_heartbeat)) : null,
      Epoch: this.viewer.epoch,
    };
    const list = $("#about");
    for (const [name, value] of Object.entries(facts)) {
      let term = [...list.children].find((node) => node.textContent === name);
      if (!term) list.append((term = el("dt", { text: name })), el("dd"));
      term.nextElementSibling.textContent = value || "–";
    }
    $("#cancels").replaceChildren(...JSON.parse(this.data.cancels).map((one) =>
      el("p", { class: "quiet", text: `Cancel asked for by ${one.who}, ${moment(one.at_ms)}${one.address ? `, from ${one.address}` : ""}${one.share ? ", through a link" : ""}` })));
    const config = $("#config");
    if (!config || this.configured) return;
    try {
      config.replaceChildren(...jsonNodes(await this.api.json("/steps-config")));
      this.configured = true;
    } catch (error) {
      config.textContent = error.message;
    }
  }
}
