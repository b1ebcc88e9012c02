// Links to this job: made, listed, taken back.

import { $, copy, el, number } from "./dom.js";
import { ago } from "./times.js";

const LOOPBACK = /^(localhost|127\.|\[::1\])/;

export class Sharing {
  constructor(api, viewer) {
    Object.assign(this, { api, viewer });
    this.dialog = $("#share");
    if (!this.dialog) return;
    $("#share-make").addEventListener("click", () => this.#do(() => this.#make()));
    $("#share-new button").addEventListener("click", () => copy($("#share-new code").textContent));
    new MutationObserver(() => this.dialog.open && this.#opened()).observe(this.dialog, { attributeFilter: ["open"] });
  }

  #opened() {
    const { mark } = this.viewer;
    $("#share-range").hidden = !mark;
    $("#share-lines").checked = Boolean(mark);
    if (mark) $("#share-range span").textContent = `Only the marked lines, ${number(mark.first)} to ${number(mark.last)}`;
    $("#share-new").hidden = true;
    $("#share-local").hidden = !LOOPBACK.test(location.hostname);
    this.#do(() => this.#list());
  }

  async #do(work) {
    $("#share-why").hidden = true;
    try {
      await work();
    } catch (error) {
      $("#share-why").textContent = error.message;
      $("#share-why").hidden = false;
    }
  }

  async #make() {
    const { mark } = this.viewer;
    const lines = mark && $("#share-lines").checked ? [mark.first, mark.last] : null;
    const made = await this.api.send("POST", "/shares", {
      expires_in: $("#share-expires").value, can_cancel: $("#share-cancel").checked, note: $("#share-note").value, lines,
    });
    const link = new URL(made.url ?? made.link, location.href).href;
    $("#share-new code").textContent = link;
    $("#share-new").hidden = false;
    $("#share-local").hidden = !LOOPBACK.test(new URL(link).hostname);
    await copy(link, "The link is in the clipboard");
    await this.#list();
  }

  async #list() {
    const answer = await this.api.json("/shares");
    const shares = answer.shares ?? answer;
    $("#shares").replaceChildren(...shares.map((share) => this.#item(share)));
    if (!shares.length) $("#shares").append(el("li", { class: "quiet", text: "None yet." }));
  }

  #item(share) {
    const ends = new Date(share.ends_ms ?? share.expires_at);
    const over = share.revoked || ends < Date.now();
    const used = share.last_used_ms ?? share.last_used_at;
    const facts = [
      share.revoked ? "taken back" : over ? "ended" : `ends ${ends.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" })}`,
      used ? `last used ${ago(new Date(used).getTime())}` : "never used",
      share.lines ? `lines ${share.lines.join("–")}` : "", share.can_cancel ? "may cancel" : "",
    ];
    const item = el("li", { class: over ? "over" : "" },
      el("span", {}, el("b", { text: share.note || "Without a note" }), el("small", { text: facts.filter(Boolean).join(" · ") })));
    if (!over) {
      const revoke = el("button", { type: "button", text: "Revoke", "aria-label": `Revoke ${share.note || share.id}` });
      revoke.addEventListener("click", () => this.#do(async () => {
        await this.api.send("DELETE", `/shares/${encodeURIComponent(share.id)}`);
        await this.#list();
      }));
      item.append(revoke);
    }
    return item;
  }
}
