// Cancelling: asked first, then shown as it goes: requested, acknowledged, stopped.

import { $, $$, announce, on, show } from "./dom.js";

export function startCancel(api) {
	const dialog = $("#cancel");
	let asked, ended;
	on("#cancel-yes", "click", go);
	return { status };

	/** `over`: whether the job has ended. */
	function status(over) {
		ended = over;
		if (!over || !dialog.open) return;
		if (asked) phase(3);
		setTimeout(() => {
			dialog.close();
			$("#log").focus();
		}, asked && 1500);
	}

	function phase(count) {
		const items = $$("#phases li");
		show("#phases", count);
		items.forEach((item, i) => (item.className = i < count ? "past" : i === count ? "now" : ""));
		if (count) announce(`Cancel: ${items[count - 1].textContent}`);
	}

	async function go(event) {
		event.preventDefault();
		const [yes, why] = [$("#cancel-yes"), $("#cancel-why")];
		why.hidden = yes.disabled = asked = true;
		phase(1);
		try {
			await api.send("POST", "/cancel");
			phase(2);
			yes.hidden = true;
			const close = $("button", dialog);
			close.textContent = "Close";
			close.focus();
			if (ended) status(true);
		} catch (error) {
			phase(0);
			why.textContent = `It was not cancelled: ${error.message}`;
			why.hidden = yes.disabled = asked = false;
			yes.focus();
		}
	}
}
