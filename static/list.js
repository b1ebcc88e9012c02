// The list of jobs, kept up to date while it is seen: the server searches, and writes its rows.

import { $, on, put, renew, show } from "./dom.js";
import { startUi } from "./ui.js";

const TYPING = 250; // ms after the last key until it is searched
const EVERY = 5000; // ms

let typed = 0;

/** The address holds what is searched; another search begins at its first page. */
function search() {
	const query = new URLSearchParams(Object.entries({ text: $("#text").value, state: $("#state").value }).filter(([, value]) => value));
	history.replaceState(null, "", location.pathname + (query.size ? `?${query}` : ""));
	return refresh();
}

async function refresh() {
	if (document.hidden) return;
	const focused = document.activeElement.closest("tr")?.dataset.id;
	const asked = location.search;
	const page = await renew(".listed", () => location.search === asked);
	const trouble = $("#trouble, .card p", page)?.textContent ?? $("#trouble").dataset.down;
	put("#trouble", trouble);
	show("#trouble", trouble);
	put("#totals", $("#totals", page)?.textContent ?? "");
	if (focused) $(`[data-id="${focused}"] a`)?.focus({ preventScroll: true });
}

startUi();
on("#text", "input", () => {
	clearTimeout(typed);
	typed = setTimeout(search, TYPING);
});
on("#state", "change", search);
on("form.filters", "submit", (event) => {
	event.preventDefault();
	search();
});
on(document, "visibilitychange", refresh);
setInterval(refresh, EVERY);
