// A short log as the server draws a long one: of the lines in memory, since it has too few batches for a map. Pure.

const [WIDTH, HEIGHT] = [600, 36];
const BARS = 60;

/** The lines in memory as parts of an overview. */
export function partsOf(items) {
	const size = Math.ceil(items.length / BARS);
	return Array.from({ length: Math.ceil(items.length / size) }, (_, n) => {
		const some = items.slice(n * size, (n + 1) * size);
		const times = some.map(({ timestamp }) => timestamp);
		const count = (level) => some.filter((line) => line.level === level).length;
		return {
			first: some[0].line, last: some.at(-1).line, low_ms: Math.min(...times), high_ms: Math.max(...times),
			warnings: count("warning"), errors: count("error"),
		};
	});
}

/** As `webapp/web/map.py` draws them. What came at one moment is measured up to the next part. */
export function pathsOf(parts) {
	const [start, end] = [parts[0].first, parts.at(-1).last + 1];
	const scale = WIDTH / (end - start);
	const count = ({ first, last }) => last - first + 1;
	const rates = parts.map((part, n) => count(part) / Math.max(50, (parts[n + 1]?.low_ms ?? part.high_ms) - part.low_ms));
	const most = Math.max(...rates);
	const full = (n) => HEIGHT * (0.1 + 0.9 * Math.sqrt(rates[n] / most));
	const bar = (part, height) => {
		const width = count(part) * scale;
		return height ? `M${(part.first - start) * scale} ${HEIGHT}v-${height}h${Math.max(width - 1, width * 0.8)}V${HEIGHT}z` : "";
	};
	const loud = (name) => parts.map((part, n) => bar(part, part[name] && Math.max(2, full(n) * Math.sqrt(part[name] / count(part))))).join("");
	return { rate: parts.map((part, n) => bar(part, full(n))).join(""), warn: loud("warnings"), error: loud("errors") };
}
