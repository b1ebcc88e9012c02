// Times and durations in words. Pure; everything is in milliseconds.

export const MODES = ["local", "utc", "start", "previous", "none"];

const two = (value) => String(value).padStart(2, "0");

/** `12:04` or `1:02:03`: a running clock. */
export function clock(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** `850 ms`, `12.3 s`, `4 min 5 s`, `2 h 4 min`, `3 d 2 h`: two units at most. */
export function duration(ms) {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1).replace(/\.0$/, "")} s`;
  const seconds = Math.round(ms / 1000);
  const units = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
  const first = units.findIndex(([, size]) => seconds >= size);
  const [name, size] = units[first];
  const [nextName, nextSize] = units[first + 1] ?? ["", 1];
  const rest = nextName ? Math.floor((seconds % size) / nextSize) : 0;
  return `${Math.floor(seconds / size)} ${name}${rest ? ` ${rest} ${nextName}` : ""}`;
}

/** `just now`, `4 min ago`. */
export function ago(ms, now = Date.now()) {
  const past = now - ms;
  return past < 5000 ? "just now" : `${duration(past < 60_000 ? Math.floor(past / 1000) * 1000 : past)} ago`;
}

function offset(ms) {
  const sign = ms < 0 ? "−" : "+";
  const size = Math.abs(ms);
  return `${sign}${clock(size)}.${String(Math.floor(size % 1000)).padStart(3, "0")}`;
}

/** The time column of a line. `start`: the first line's time; `previous`: that of the line before, or null. */
export function stamp(ms, mode, start, previous) {
  if (mode === "none") return "";
  if (mode === "start") return start === null ? "" : offset(ms - start);
  if (mode === "previous") return previous === null ? "" : offset(ms - previous);
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) return "?";
  if (mode === "utc") return date.toISOString().slice(11, 23) + "Z";
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

/** The whole moment, for titles: in the reader's zone and in UTC. */
export function moment(ms) {
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) return String(ms);
  return `${date.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "long" })} · ${date.toISOString()}`;
}

/** How often lines come: the mean distance of the newest ones, or null where that says nothing. */
export function usualGap(timestamps) {
  const newest = timestamps.slice(-50);
  const span = newest.at(-1) - newest[0];
  return newest.length > 2 && span > 0 ? span / (newest.length - 1) : null;
}

/** The words for a job that fell silent, or "" while that is no news. */
export function silence(quiet, usual) {
  if (quiet < Math.max(30_000, (usual ?? 0) * 5)) return "";
  const often = usual ? `, usually every ${usual < 1000 ? "moment" : duration(Math.round(usual / 1000) * 1000)}` : "";
  return `No output for ${duration(Math.floor(quiet / 1000) * 1000)}${often}`;
}
