// The list of jobs, kept up to date while it is seen: the server writes its rows.

import { $, $$, on, put, renew, show } from "./dom.js";
import { startUi } from "./ui.js";

function filter() {
	const [text, state] = [$("#text").value, $("#state").value];
	const rows = $$("#jobs tr");
	for (const row of rows) {
		row.hidden = !row.textContent.toLowerCase().includes(text.toLowerCase()) || (state !== "" && state !== row.dataset.state);
	}
	show("#nothing", rows.length && rows.every((row) => row.hidden));
	const { skip } = $("#jobs").dataset;
	const query = new URLSearchParams(Object.entries({ skip, text, state }).filter(([, value]) => value && value !== "0"));
	history.replaceState(null, "", `/${query.size ? `?${query}` : ""}`);
}

async function refresh() {
	if (document.hidden) return;
	const focused = document.activeElement.closest("tr")?.dataset.id;
	const page = await renew(".listed");
	const trouble = $("#trouble, .card p", page)?.textContent ?? $("#trouble").dataset.down;
	put("#trouble", trouble);
	show("#trouble", trouble);
	if (focused) $(`[data-id="${focused}"] a`)?.focus({ preventScroll: true });
	filter();
}

startUi();
on("#text", "input", filter);
on("#state", "change", filter);
on("form.filters", "submit", (event) => event.preventDefault());
on(document, "visibilitychange", refresh);
setInterval(refresh, 5000);
filter();
