// The list of jobs, kept up to date: one request every 5 s while it is seen.

import { $, $$, el } from "./dom.js";
import { describe } from "./status.js";
import { ago, duration } from "./times.js";
import { startUi } from "./ui.js";

const body = $("#jobs");
const { n, skip } = body.dataset;

function row(job) {
  const { state, label } = describe(job);
  const started = Date.parse(job.creation_date ?? "");
  const ended = Date.parse(job.job_status_date ?? "");
  const over = !["running", "pending", "stopping"].includes(state);
  const took = started ? (over ? ended : Date.now()) - started : NaN;
  const cell = (className, ...children) => el("td", { class: className }, ...children);
  const node = el("tr", {},
    cell("", el("a", { href: `/jobs/${job.id}` }, el("b", { text: job.job_name || job.name || job.id }), el("small", { text: job.id }))),
    cell("", el("span", { class: `pill ${state}` }, el("i"), el("span", { text: label }))),
    cell("wide", el("time", { text: started ? ago(started) : "", title: started ? new Date(started).toLocaleString() : "" })),
    cell("wide num", took >= 0 ? duration(took) : ""),
    cell("wide", job.user_id ?? ""));
  Object.assign(node.dataset, { id: job.id, state });
  return node;
}

function filter() {
  const text = $("#text").value.toLowerCase();
  const state = $("#state").value;
  const rows = $$("tr", body);
  for (const one of rows) one.hidden = !one.textContent.toLowerCase().includes(text) || Boolean(state && state !== one.dataset.state);
  $("#nothing").hidden = !rows.length || rows.some((one) => !one.hidden);
  const query = new URLSearchParams(location.search);
  for (const [name, value] of [["text", text], ["state", state]]) value ? query.set(name, value) : query.delete(name);
  history.replaceState(null, "", query.size ? `?${query}` : location.pathname);
}

async function refresh() {
  if (document.hidden) return;
  const trouble = $("#trouble");
  try {
    const response = await fetch(`/api/jobs?n=${n}&skip=${skip}`);
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.detail);
    const focused = document.activeElement.closest?.("tr")?.dataset.id;
    body.replaceChildren(...answer.jobs.map(row));
    if (focused) $$("tr", body).find((one) => one.dataset.id === focused)?.querySelector("a").focus();
    $("table").hidden = !answer.jobs.length;
    $("#empty").hidden = answer.jobs.length > 0;
    trouble.hidden = true;
    filter();
  } catch (error) {
    trouble.textContent = error instanceof TypeError ? "The service does not answer. Trying again every 5 seconds." : error.message;
    trouble.hidden = false;
  }
}

startUi();
$("#text").addEventListener("input", filter);
$("#state").addEventListener("change", filter);
$("form.filters").addEventListener("submit", (event) => event.preventDefault());
document.addEventListener("visibilitychange", refresh);
setInterval(refresh, 5000);
refresh();
