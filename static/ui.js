// Colours, dialogs, copy buttons and keys, as data- attributes declare them.

import { $, $$, announce, copy, on } from "./dom.js";

const THEMES = { "": "as the system", light: "light", dark: "dark" };

export function keyOf(event) {
	const elsewhere = event.target.closest?.("input, select, textarea, dialog") || $("dialog[open]");
	return elsewhere || event.ctrlKey || event.metaKey || event.altKey ? "" : event.key;
}

function theme(choice) {
	const name = THEMES[choice] ? choice : "";
	document.documentElement.dataset.theme = localStorage.theme = name;
	return ($("#theme").title = $("#theme").ariaLabel = `Colours: ${THEMES[name]} (T)`);
}

function clicked({ target }) {
	const { copy: text, open } = target.closest("[data-copy], [data-open]")?.dataset ?? {};
	if (text) copy(text);
	if (open) $(`#${open}`).showModal();
	if (target.matches("dialog")) target.close(); // its backdrop
}

function pushed(event) {
	const control = $$("[data-key]").find((node) => node.dataset.key === keyOf(event) && node.checkVisibility());
	if (!control) return;
	event.preventDefault();
	if (control.matches("input")) control.select();
	else if (control.matches("select")) {
		control.selectedIndex = (control.selectedIndex + 1) % control.length;
		control.dispatchEvent(new Event("change"));
		announce(control.selectedOptions[0].text);
	} else control.click();
}

export function startUi() {
	document.documentElement.classList.add("live");
	theme(localStorage.theme);
	on("#theme", "click", () => {
		const names = Object.keys(THEMES);
		announce(theme(names[(names.indexOf(localStorage.theme) + 1) % 3]));
	});
	on(document, "click", clicked);
	on(document, "keydown", pushed);
}
