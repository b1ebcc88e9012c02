// Links to this job: made, listed, taken back.

import { $, copy, on, put, range, show } from "./dom.js";
import { ago } from "./times.js";

export class Sharing {
	constructor(api, viewer) {
		Object.assign(this, { api, viewer });
		if (!$("#share")) return;
		on("#share-make", "click", this.#make);
		on("#share-new button", "click", () => copy($("#share-new code").textContent));
		on("[data-open=share]", "click", this.#opened);
	}

	#opened = () => {
		const { mark } = this.viewer;
		show("#share-range", mark);
		$("#share-lines").checked = mark;
		if (mark) put("#share-range", `Only the marked lines, ${range(mark, " to ")}`);
		show("#share-new", false);
		this.#list();
	};

	#make = async () => {
		const { mark } = this.viewer;
		const made = await this.api.send("POST", "/shares", {
			expires_in: $("#share-expires").value, can_cancel: $("#share-cancel").checked, note: $("#share-note").value,
			lines: mark && $("#share-lines").checked ? [mark.first, mark.last] : null,
		});
		$("#share-new code").textContent = made.url;
		show("#share-new", true);
		await copy(made.url, "link");
		await this.#list();
	};

	async #list() {
		const shares = await this.api.json("/shares");
		$("#shares").replaceChildren(...shares.map((share) => this.#item(share)));
	}

	#item(share) {
		const { id, works, revoked, expires_at, last_used_at, lines, can_cancel, note } = share;
		const facts = [
			works ? `ends ${new Date(expires_at).toLocaleString()}` : revoked ? "taken back" : "ended",
			last_used_at ? `last used ${ago(Date.parse(last_used_at))}` : "never used",
			lines && `lines ${lines.join("–")}`, can_cancel && "may cancel",
		];
		const item = $("#share-item").content.firstElementChild.cloneNode(true);
		const revoke = $("button", item);
		$("b", item).textContent = note || "Without a note";
		$("small", item).textContent = facts.filter(Boolean).join(" · ");
		revoke.hidden = !works;
		on(revoke, "click", async () => {
			await this.api.send("DELETE", `/shares/${id}`);
			await this.#list();
		});
		return item;
	}
}
