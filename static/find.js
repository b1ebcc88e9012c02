// Search over the whole log, on the server. Only the numbers of matching lines are kept.

import { $, $$, number, toast } from "./dom.js";

const MOST = 100_000;

/**
 * What marks a match within a row, or null. A reader's expression runs in the tab only while it can't take long:
 * no repeated groups and at most two repeats (a link could bring any expression).
 */
export function marker(q, regex) {
  const repeats = q.match(/[*+{]/g)?.length ?? 0;
  if (regex && (repeats > 2 || /\)[*+{?]|\\\d/.test(q))) return null;
  const either = !regex && q === q.toLowerCase();
  try {
    return new RegExp(regex ? q : q.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), either ? "giu" : "gu");
  } catch {
    return null;
  }
}

export class Find {
  matches = [];
  at = -1;
  q = "";

  constructor(api, viewer, changed) {
    Object.assign(this, { api, viewer, changed });
    this.output = $("#found");
  }

  /** Searches anew; the first match at or after what is in view is shown when it is found. */
  async run(q, regex) {
    this.abort?.abort();
    Object.assign(this, { q, regex, matches: [], at: -1, scanned: "", complete: false, jump: true });
    this.pattern = q ? marker(q, regex) : null;
    $("#find").removeAttribute("aria-invalid");
    this.show();
    if (q) await this.scan();
  }

  /** Goes on from where the last scan ended. */
  async scan() {
    if (this.busy === this.q + this.regex || !this.q) return;
    const mine = (this.busy = this.q + this.regex);
    this.abort = new AbortController();
    const { signal } = this.abort;
    const from = this.viewer.following ? Infinity : this.viewer.port.topLine;
    try {
      do {
        const params = { q: this.q, regex: this.regex, level: this.viewer.view.level, after: this.scanned, limit: 1000 };
        const page = await this.api.json("/search", params, { signal });
        for (const line of page.lines) this.matches.push(line.line);
        this.scanned = page.scanned_to;
        this.complete = page.complete;
        if (this.jump && (this.complete || this.matches.at(-1) >= from)) await this.first(from);
        this.show();
      } while (!this.complete && this.matches.length < MOST);
    } catch (error) {
      if (error.name === "AbortError") return;
      $("#find").setAttribute("aria-invalid", "true");
      toast(error.message, { bad: true });
    } finally {
      if (this.busy === mine) this.busy = "";
    }
  }

  async first(from) {
    this.jump = false;
    const next = this.matches.findIndex((line) => line >= from);
    this.at = next < 0 ? this.matches.length - 1 : next;
    if (this.at >= 0) await this.go();
  }

  async step(by) {
    if (!this.complete && this.at + by >= this.matches.length) await this.scan();
    if (!this.matches.length) return;
    this.at = (this.at + by + this.matches.length) % this.matches.length;
    await this.go();
  }

  async go() {
    this.viewer.follow(false);
    await this.viewer.goto(this.matches[this.at]);
    this.show();
    this.paint();
  }

  show() {
    const count = this.matches.length;
    const of = `${number(count)}${this.complete ? "" : "+"}`;
    this.output.textContent = !this.q ? "" : count ? `${number(this.at + 1)} of ${of}` : this.complete ? "None" : "…";
    for (const id of ["#find-prev", "#find-next"]) $(id).disabled = !count;
    this.paint();
  }

  /** Marks the matches among the rows that are drawn. */
  paint() {
    const current = this.matches[this.at];
    const ranges = [];
    for (const row of $$(".row", this.viewer.root)) {
      row.classList.toggle("current", Number(row.dataset.line) === current);
      if (this.pattern) ranges.push(...inRow($(".m", row), this.pattern));
    }
    globalThis.CSS?.highlights?.set("find", new Highlight(...ranges));
  }
}

function inRow(message, pattern) {
  const walker = document.createTreeWalker(message, NodeFilter.SHOW_TEXT);
  const nodes = [];
  while (walker.nextNode()) nodes.push(walker.currentNode);
  const text = nodes.map((node) => node.data).join("").slice(0, 4000);
  const place = (offset) => {
    for (const node of nodes) {
      if (offset <= node.length) return [node, offset];
      offset -= node.length;
    }
    return [nodes.at(-1), nodes.at(-1).length];
  };
  return [...text.matchAll(pattern)].filter((match) => match[0]).slice(0, 200).map((match) => {
    const range = new Range();
    range.setStart(...place(match.index));
    range.setEnd(...place(match.index + match[0].length));
    return range;
  });
}
