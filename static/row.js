// One line of the log as a row: number, time, level, message; what stands before it; what it unfolds to.

import { formatMark } from "./address.js";
import { lastState, plain, spans } from "./ansi.js";
import { el, number, plural } from "./dom.js";
import { duration, moment, stamp } from "./times.js";

const FOLD = 2000; // characters of a message shown at first
const GROUP = /^(?:::group::|##\[group\])(.*)/s;
const END = /^(?:::endgroup::|##\[endgroup\])/;
const LETTERS = { error: "E", warning: "W", debug: "D" };

export const groupTitle = (message) => GROUP.exec(message)?.[1].trim() ?? null;
export const groupEnd = (message) => END.test(message);

/** The object or list a message is, or null. */
export function parseJson(message) {
  const text = message.trim();
  if (!/^(\{[^]*\}|\[[^]*\])$/.test(text) || text.length < 3) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** `1.4 KB`, `10 MB`. */
export function bytes(count) {
  const units = ["B", "KB", "MB", "GB"];
  const step = count < 1000 ? 0 : Math.min(3, Math.floor(Math.log10(count) / 3));
  const size = count / 1000 ** step;
  return `${size < 10 && step ? size.toFixed(1) : Math.round(size)} ${units[step]}`;
}

/** Pretty JSON as nodes: keys, texts and the rest told apart. */
export function jsonNodes(value) {
  const text = JSON.stringify(value, null, 2);
  const nodes = [];
  let at = 0;
  for (const match of text.matchAll(/("(?:\\.|[^"\\])*")(:?)|\b(?:true|false|null)\b|-?\d[\d.eE+-]*/g)) {
    nodes.push(text.slice(at, match.index));
    const kind = match[1] ? (match[2] ? "jk" : "js") : "jn";
    nodes.push(el("span", { class: kind, text: match[1] ?? match[0] }), match[2] ?? "");
    at = match.index + match[0].length;
  }
  return [...nodes, text.slice(at)];
}

export function textNodes(text) {
  return spans(text).map(({ text: part, classes, fg, bg }) => {
    if (!classes && !fg && !bg) return document.createTextNode(part);
    const node = el("span", { class: classes, text: part });
    if (fg) node.style.color = fg;
    if (bg) node.style.backgroundColor = bg;
    return node;
  });
}

/**
 * `view` says how: time, start, epoch, gone (what is missing before a line), folds (group line → {to, count, ms}),
 * ends (endgroup line → its group), open (unfolded JSON lines), whole (line → its whole text), away (line, count).
 */
export function buildRow(line, previous, view) {
  const row = el("div", { class: `row ${line.level ?? ""} ${line.stream === "stderr" ? "stderr" : ""}` });
  row.dataset.line = line.line;
  const message = el("span", { class: "m" });
  row.append(
    el("a", {
      class: "n", href: formatMark({ epoch: view.epoch, first: line.line, last: line.line }), text: String(line.line),
      tabIndex: -1, "aria-label": `Line ${line.line}`,
    }),
  );
  if (view.time !== "none") {
    const shown = stamp(line.timestamp, view.time, view.start, previous?.timestamp ?? null);
    row.append(el("span", { class: "t", text: shown, title: moment(line.timestamp) }));
  }
  const letter = el("span", { class: "l", text: LETTERS[line.level] ?? "", title: line.level ?? "" });
  row.append(letter, message);
  fill(message, line, view);
  for (const [shown, text, title] of [
    [line.late, "late", "It turned up after lines with a later time had gone out."],
    [line.stream === "stderr", "stderr", "Standard error"],
  ]) if (shown) message.after(el("span", { class: `tag ${text}`, text, title }));
  const before = notes(line, view);
  return before.length ? el("div", { class: "with-note" }, ...before, row) : row;
}

function fill(message, line, view) {
  const title = groupTitle(line.message);
  if (title !== null) return message.append(group(line, title, view));
  if (groupEnd(line.message)) {
    const start = view.ends.get(line.line);
    message.classList.add("quiet");
    return message.append(start ? `└ ${start.title} · ${duration(line.timestamp - start.timestamp)}` : "└");
  }
  const full = view.whole.get(line.line) ?? line.message;
  const text = lastState(full);
  const states = text === full ? 0 : full.split("\r").length;
  const json = parseJson(full);
  if (json !== null) message.append(button("unfold", view.open.has(line.line) ? "▾" : "▸", "Unfold this JSON",
    { "aria-expanded": String(view.open.has(line.line)) }));
  if (json !== null && view.open.has(line.line)) {
    return message.append(el("pre", { class: "json" }, ...jsonNodes(json)));
  }
  const shown = view.whole.has(line.line) ? text : text.slice(0, FOLD);
  message.append(...textNodes(shown));
  const size = line.size ?? full.length;
  if (shown.length < text.length || (line.cut && !view.whole.has(line.line))) {
    message.append(button("all", `… ${line.cut && !line.size ? "more than " : ""}${bytes(size)}, show all`, "Show the whole line"));
  }
  if (states > 2) message.append(el("span", { class: "tag", text: `×${states}`, title: `A progress bar: the last of its ${states} states` }));
}

function group(line, title, view) {
  const fold = view.folds.get(line.line);
  const node = button("group", "", "", { "aria-expanded": String(!fold) });
  node.append(el("span", { class: "turn", text: fold ? "▸" : "▾" }), el("b", {}, ...textNodes(title || "Group")));
  if (fold) {
    const took = fold.ms === null ? "" : ` · ${duration(fold.ms)}`;
    node.append(el("span", { class: "quiet", text: ` ${fold.count ? plural(fold.count, "line") : "still open"}${took}` }));
  }
  return node;
}

function button(kind, text, title, attributes = {}) {
  return el("button", { type: "button", class: `in ${kind}`, text, title, ...attributes });
}

/** What stands just before a line: lines left out, lines that may be missing, where the reader left. */
function notes(line, view) {
  const out = [];
  for (const gap of view.gone(line)) {
    const node = el("button", { type: "button", class: `note ${gap.kind}` });
    node.gap = gap;
    node.textContent = gap.kind === "omitted"
      ? `${plural(gap.count, "line")} left out by sampling · show`
      : gap.reason === "trimmed"
        ? `${gap.count ? plural(gap.count, "older line") : "Older lines"} trimmed: the journal keeps them no longer`
        : `${gap.count ? plural(gap.count, "line") : "Lines"} may be missing here · look again`;
    out.push(node);
  }
  if (view.away && line.line === view.away.line) {
    out.push(el("div", { class: "note away", text: `While you were away · ${number(view.away.count)} new` }));
  }
  return out;
}

/** The text of lines as a colleague should get it. */
export const textOf = (lines) => lines.map((line) => plain(line.message)).join("\n");
