// What the address holds: a marked line or range after the `#`, how the log is looked at after the `?`. Pure.

import { MODES } from "./times.js";

export const LEVELS = ["debug", "info", "warning", "error"];
const HASH = /^#?([0-9a-z]{1,16})-(\d{1,15})(?:\.\.(\d{1,15}))?$/;

/** `#mb3k7-120..140` as {epoch, first, last}, or null when it is none of ours. */
export function parseMark(hash) {
  const match = HASH.exec(hash);
  if (!match) return null;
  const [a, b] = [Number(match[2]), Number(match[3] ?? match[2])];
  return { epoch: match[1], first: Math.min(a, b), last: Math.max(a, b) };
}

export function formatMark(mark) {
  if (!mark) return "";
  return `#${mark.epoch}-${mark.first}${mark.last > mark.first ? `..${mark.last}` : ""}`;
}

/** The view's state from a query; what is unknown or wrong falls back to its default. */
export function parseView(search) {
  const query = new URLSearchParams(search);
  const one = (name, allowed, otherwise) => (allowed.includes(query.get(name)) ? query.get(name) : otherwise);
  return {
    q: query.get("q") ?? "",
    regex: query.get("regex") === "true",
    level: one("level", LEVELS, ""),
    time: one("time", MODES, "local"),
    wrap: query.get("wrap") === "true",
    sampled: query.get("sample_logs") === "true",
  };
}

/** The query of a view: only what differs from the default, so that addresses stay short. */
export function formatView(view) {
  const query = new URLSearchParams();
  if (view.q) query.set("q", view.q);
  if (view.q && view.regex) query.set("regex", "true");
  if (view.level) query.set("level", view.level);
  if (view.time !== "local") query.set("time", view.time);
  if (view.wrap) query.set("wrap", "true");
  if (view.sampled) query.set("sample_logs", "true");
  const text = query.toString();
  return text ? `?${text}` : "";
}

export const lineOf = (cursor) => Number(/-(\d+)/.exec(cursor)?.[1] ?? 0);
