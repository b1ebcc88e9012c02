// What stands after a colon in the find field: a line, lines, or a time. Pure.

const MINUTE = 60_000;
const DAY = 86_400_000;
const UNITS = { s: 1000, m: MINUTE, h: 60 * MINUTE, d: DAY };
const CLOCK = /^(?:(\d{4})-(\d\d)-(\d\d)[ T])?(\d{1,2}):(\d\d)(?::(\d\d)(?:[.,](\d{1,3}))?)?(Z)?$/;

/**
 * `120` and `120..140` give {first, last}; `14:32`, `14:32:05`, `2026-11-26 14:32` and `-10m`, `+5m` give {ms}; what is
 * none of these gives null.
 *
 * `log`: {start, end: ms of its first and last line, or of now while it grows; utc: whether times are shown in UTC}.
 * A time without a day is the last such moment up to the log's end. `-10m` counts from the end, `+5m` from the start.
 */
export function parsePlace(text, { start, end, utc }) {
	const [, first, last = first] = /^(\d{1,15})(?:\.\.(\d{1,15}))?$/.exec(text) ?? [];
	if (first) return { first: Number(first), last: Number(last) };
	const [, sign, count, unit] = /^([-+])(\d{1,9})([smhd])$/.exec(text) ?? [];
	if (sign) return { ms: sign === "-" ? end - count * UNITS[unit] : start + count * UNITS[unit] };
	const clock = CLOCK.exec(text);
	return clock && { ms: moment(clock, end, utc) };
}

function moment([, year, month, day, hours, minutes, seconds = 0, part = "", zulu], end, utc) {
	const inUtc = utc || zulu;
	const last = new Date(end);
	const [y, m, d] = year ? [year, month - 1, day]
		: inUtc ? [last.getUTCFullYear(), last.getUTCMonth(), last.getUTCDate()]
		: [last.getFullYear(), last.getMonth(), last.getDate()];
	const at = (days) => {
		const fields = [Number(y), m, d - days, hours, minutes, seconds, Number(part.padEnd(3, "0"))];
		return inUtc ? Date.UTC(...fields) : new Date(...fields).getTime();
	};
	return !year && at(0) > end ? at(1) : at(0);
}
