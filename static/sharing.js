// Links to this job: made, listed, taken back.

import { $, copy, on, put, range, show } from "./dom.js";
import { ago } from "./times.js";

export function startSharing(api, viewer) {
	if (!$("#share")) return;
	on("#share-make", "click", make);
	on("#share-new button", "click", () => copy($("#share-new code").textContent));
	on("[data-open=share]", "click", opened);

	function opened() {
		const { mark } = viewer;
		show("#share-range", mark);
		$("#share-lines").checked = mark;
		if (mark) put("#share-range", `Only the marked lines, ${range(mark, " to ")}`);
		show("#share-new", false);
		list();
	}

	async function make() {
		const { mark } = viewer;
		const made = await api.send("POST", "/shares", {
			expires_in: $("#share-expires").value, can_cancel: $("#share-cancel").checked, note: $("#share-note").value,
			lines: mark && $("#share-lines").checked ? [mark.first, mark.last] : null,
		});
		$("#share-new code").textContent = made.url;
		show("#share-new", true);
		await copy(made.url, "link");
		await list();
	}

	async function list() {
		const shares = await api.json("/shares");
		$("#shares").replaceChildren(...shares.map(item));
	}

	function item({ id, works, revoked, expires_at, last_used_at, lines, can_cancel, note }) {
		const facts = [
			works ? `ends ${new Date(expires_at).toLocaleString()}` : revoked ? "taken back" : "ended",
			last_used_at ? `last used ${ago(Date.parse(last_used_at))}` : "never used",
			lines && `lines ${lines.join("–")}`, can_cancel && "may cancel",
		];
		const node = $("#share-item").content.firstElementChild.cloneNode(true);
		const revoke = $("button", node);
		$("b", node).textContent = note || "Without a note";
		$("small", node).textContent = facts.filter(Boolean).join(" · ");
		revoke.hidden = !works;
		on(revoke, "click", async () => {
			await api.send("DELETE", `/shares/${id}`);
			await list();
		});
		return node;
	}
}
