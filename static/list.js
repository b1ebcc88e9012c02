// The list of jobs, kept up to date: one request every 5 s while it is seen.

import { $, $$, on, put, show, stamped } from "./dom.js";
import { describe } from "./status.js";
import { ago, duration } from "./times.js";
import { startUi } from "./ui.js";

const body = $("#jobs");
const { n, skip } = body.dataset;

function row(job) {
	const { state, label } = describe(job);
	const started = Date.parse(job.creation_date ?? "");
	const until = ["running", "pending", "stopping"].includes(state) ? Date.now() : Date.parse(job.job_status_date ?? "");
	const took = until >= started ? duration(until - started) : "";
	const node = stamped("#job-row", {
		name: job.job_name ?? job.name ?? job.id, id: job.id, label, started: started && ago(started), took, by: job.user_id,
	});
	Object.assign(node.dataset, { id: job.id, state });
	$("a", node).href = `/jobs/${job.id}`;
	$(".pill", node).classList.add(state);
	return node;
}

function filter() {
	const [text, state] = [$("#text").value, $("#state").value];
	const rows = $$("tr", body);
	for (const one of rows) {
		one.hidden = !one.textContent.toLowerCase().includes(text.toLowerCase()) || (state !== "" && state !== one.dataset.state);
	}
	show("#nothing", rows.length && rows.every((one) => one.hidden));
	const query = new URLSearchParams(Object.entries({ skip, text, state }).filter(([, value]) => value && value !== "0"));
	history.replaceState(null, "", `/${query.size ? `?${query}` : ""}`);
}

async function refresh() {
	if (document.hidden) return;
	try {
		const response = await fetch(`/api/jobs?n=${n}&skip=${skip}`, { headers: { "Cache-Control": "max-age=5" } });
		const answer = await response.json();
		if (!response.ok) throw new Error(answer.detail);
		const focused = document.activeElement.closest("tr")?.dataset.id;
		body.replaceChildren(...answer.jobs.map(row));
		if (focused) $(`[data-id="${focused}"] a`, body)?.focus();
		show("table", answer.jobs.length);
		show("#empty", !answer.jobs.length);
		show("#trouble", false);
		filter();
	} catch (error) {
		put("#trouble", error instanceof TypeError ? "The service does not answer. Trying again every 5 seconds." : error.message);
		show("#trouble", true);
	}
}

startUi();
on("#text", "input", filter);
on("#state", "change", filter);
on("form.filters", "submit", (event) => event.preventDefault());
document.addEventListener("visibilitychange", refresh);
setInterval(refresh, 5000);
refresh();
