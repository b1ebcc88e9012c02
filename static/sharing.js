// Links to this job: made, listed, taken back.

import { $, copy, number, on, put, show, stamped } from "./dom.js";
import { ago } from "./times.js";

export class Sharing {
	constructor(api, viewer) {
		Object.assign(this, { api, viewer });
		if (!$("#share")) return;
		on("#share-make", "click", () => this.#make());
		on("#share-new button", "click", () => copy($("#share-new code").textContent));
		on("[data-open=share]", "click", () => this.#opened());
	}

	#opened() {
		const { mark } = this.viewer;
		show("#share-range", mark);
		$("#share-lines").checked = mark;
		if (mark) put("#share-range", `Only the marked lines, ${number(mark.first)} to ${number(mark.last)}`);
		show("#share-new", false);
		this.#list();
	}

	async #make() {
		const { mark } = this.viewer;
		const made = await this.api.send("POST", "/shares", {
			expires_in: $("#share-expires").value, can_cancel: $("#share-cancel").checked, note: $("#share-note").value,
			lines: mark && $("#share-lines").checked ? [mark.first, mark.last] : null,
		});
		$("#share-new code").textContent = made.url;
		show("#share-new", true);
		await copy(made.url, "The link is in the clipboard");
		await this.#list();
	}

	async #list() {
		const shares = await this.api.json("/shares");
		$("#shares").replaceChildren(...shares.map((share) => this.#item(share)));
	}

	#item(share) {
		const ends = new Date(share.expires_at).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
		const facts = [
			share.works ? `ends ${ends}` : share.revoked ? "taken back" : "ended",
			share.last_used_at ? `last used ${ago(Date.parse(share.last_used_at))}` : "never used",
			share.lines && `lines ${share.lines.join("–")}`, share.can_cancel && "may cancel",
		];
		const item = stamped("#share-item", { note: share.note || "Without a note", facts: facts.filter(Boolean).join(" · ") });
		const revoke = $("button", item);
		revoke.hidden = !share.works;
		revoke.addEventListener("click", async () => {
			await this.api.send("DELETE", `/shares/${share.id}`);
			await this.#list();
		});
		return item;
	}
}
