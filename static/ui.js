// Colours, dialogs, copy buttons and keys, as data- attributes declare them.

import { $, $$, announce, copy, on } from "./dom.js";

const THEMES = { "": "as the system", light: "light", dark: "dark" };

/** The key that was pressed, where it is meant for the page; "" where it is not. */
export function keyOf(event) {
	const elsewhere = event.target.closest?.("input, select, textarea, dialog") || $("dialog[open]");
	// Speech input types letters by accident: WCAG 2.1.4 asks that such keys can be turned off.
	const off = event.key.length === 1 && localStorage.keys === "off";
	return elsewhere || off || event.ctrlKey || event.metaKey || event.altKey ? "" : event.key;
}

/** One stop for Tab, as the ARIA pattern for toolbars has it; arrows lead from control to control. */
function startToolbar(bar) {
	const controls = () => $$("button, select", bar).filter((node) => node.checkVisibility());
	const only = (one) => $$("button, select", bar).forEach((node) => (node.tabIndex = node === one ? 0 : -1));
	only(controls()[0]);
	on(bar, "focusin", ({ target }) => only(target));
	on(bar, "keydown", (event) => {
		const all = controls();
		const at = all.indexOf(event.target);
		const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: -1 }[event.key];
		if (to === undefined) return;
		event.preventDefault();
		event.stopPropagation(); // the log has its own Home and End
		all.at(to % all.length).focus();
	});
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
	const letters = $("#letters");
	if (letters) {
		letters.checked = localStorage.keys !== "off";
		on(letters, "change", () => (localStorage.keys = letters.checked ? "on" : "off"));
	}
	$$("[role=toolbar]").forEach(startToolbar);
	on(document, "click", clicked);
	on(document, "keydown", pushed);
}
