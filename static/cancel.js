// Cancelling: asked first, then shown as it goes: requested, acknowledged, stopped.

import { $, $$, announce, on, plural, put, show } from "./dom.js";

export class Cancel {
	constructor(api) {
		this.api = api;
		this.dialog = $("#cancel");
		if (this.dialog) on("#cancel form", "submit", this.#go);
	}

	watching(viewers) {
		if (!this.dialog || this.asked) return;
		put("#cancel-others", viewers > 1 ? `${plural(viewers - 1, "other")} watching it now.` : "");
	}

	status(over) {
		if (!this.dialog) return;
		show("#cancel-open", !over);
		if (this.asked && over) {
			this.#phase(3);
			setTimeout(() => this.dialog.close(), 1500);
		}
	}

	#phase(count) {
		const items = $$("#phases li");
		show("#phases", count);
		items.forEach((item, i) => (item.className = i < count ? "past" : i === count ? "now" : ""));
		if (count) announce(`Cancel: ${items[count - 1].textContent}`);
	}

	#go = async (event) => {
		event.preventDefault();
		const [yes, why] = [$("#cancel-yes"), $("#cancel-why")];
		why.hidden = yes.disabled = this.asked = true;
		this.#phase(1);
		try {
			await this.api.send("POST", "/cancel");
			this.#phase(2);
			yes.hidden = true;
		} catch (error) {
			this.#phase(0);
			why.textContent = `It was not cancelled: ${error.message}`;
			why.hidden = yes.disabled = this.asked = false;
		}
	};
}
