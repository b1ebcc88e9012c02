// Links to this job: made, listed, taken back. The server writes the list.

import { $, copy, on, put, range, renew, show } from "./dom.js";

/** Gives what the dialog needs each time it is opened. */
export function startSharing(api, viewer) {
	on("#share-make", "click", make);
	on("#share", "click", revoke);
	return opened;

	function opened() {
		const mark = viewer.marks.marked;
		show("#share-range", mark);
		$("#share-lines").checked = mark;
		if (mark) put("#share-range", `Only the marked lines, ${range(mark, " to ")}`);
		show("#share-new", false);
		renew("#shares");
	}

	async function make() {
		const mark = viewer.marks.marked;
		const made = api.send("POST", "/shares", {
			expires_in: $("#share-expires").value, can_cancel: $("#share-cancel").checked, note: $("#share-note").value,
			lines: mark && $("#share-lines").checked ? [mark.first, mark.last] : null,
		});
		const copied = copy(made.then(({ url }) => url), "link");
		$("#share-new code").textContent = $("#share-new button").dataset.copy = (await made).url;
		show("#share-new", true);
		await copied;
		await renew("#shares");
	}

	async function revoke({ target }) {
		const { share } = target.dataset;
		if (!share) return;
		await api.send("DELETE", `/shares/${share}`);
		await renew("#shares");
	}
}
