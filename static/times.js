// Times and durations in words, from milliseconds.

const UNITS = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
const two = (value) => String(value).padStart(2, "0");
const three = (value) => String(value).padStart(3, "0");

export function clock(ms) {
	const seconds = Math.max(0, Math.floor(ms / 1000));
	const minutes = Math.floor(seconds / 60);
	return `${minutes < 60 ? minutes : `${Math.floor(minutes / 60)}:${two(minutes % 60)}`}:${two(seconds % 60)}`;
}

/** `850 ms`, `12.3 s`, `4 min 5 s`. */
export function duration(ms) {
	if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
	if (ms < 59_950) return `${(ms / 1000).toFixed(1).replace(".0", "")} s`;
	let seconds = Math.round(ms / 1000);
	const at = UNITS.findIndex(([, size]) => seconds >= size);
	return UNITS.slice(at, at + 2).map(([name, size]) => {
		const count = Math.floor(seconds / size);
		seconds %= size;
		return count ? `${count} ${name}` : "";
	}).join(" ").trim();
}

const whole = (ms) => duration(Math.floor(ms / 1000) * 1000);

/** `start`, `previous`: times of the first line and the line before, or null. */
export function stamp(ms, mode, start, previous) {
	const from = { start, previous }[mode];
	if (from === null) return "";
	if (from !== undefined) {
		const size = Math.abs(ms - from);
		return `${ms < from ? "−" : "+"}${clock(size)}.${three(Math.floor(size % 1000))}`;
	}
	const date = new Date(ms);
	if (isNaN(date)) return "?";
	if (mode === "utc") return date.toISOString().slice(11);
	return `${date.toLocaleTimeString("sv")}.${three(date.getMilliseconds())}`;
}

export function moment(ms) {
	const date = new Date(ms);
	return isNaN(date) ? String(ms) : `${date.toLocaleString()} · ${date.toISOString()}`;
}

/** The day on which a line was written, in the zone in which its time is shown; "" where times are not of the day. */
export function day(ms, mode) {
	if (mode !== "local" && mode !== "utc") return "";
	const date = new Date(ms);
	const zone = mode === "utc" ? { timeZone: "UTC" } : {};
	return isNaN(date) ? "" : date.toLocaleDateString("en-GB", { weekday: "long", day: "numeric", month: "long", year: "numeric", ...zone });
}

export function silence(quiet, recent) {
	const usual = recent.length > 2 ? (recent.at(-1) - recent[0]) / (recent.length - 1) : 0;
	if (quiet < Math.max(30_000, usual * 5)) return "";
	return `No output for ${whole(quiet)}${usual >= 1000 ? `, usually every ${whole(usual)}` : ""}`;
}
