// Groups of lines as CI systems write them: GitHub's and Azure's `##[group]` and `::group::`, GitLab's `section_start`,
// and Buildkite's `---`, whose groups last until the next one begins.

const TIME = "(?:\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z )?"; // before each line of a log that was downloaded
const BRACKET = new RegExp(`^${TIME}(?:::group::|##\\[group\\])([^]*)`);
const BRACKET_END = new RegExp(`^${TIME}(?:::endgroup::|##\\[endgroup\\])`);
const SECTION = /section_start:\d+:[\w.:-]+(?:\[[^\]]*\])?(?:\r?(?:\x1b\[0?K))?([^]*)$/;
const SECTION_END = /section_end:\d+:[\w.:-]+/g;
const HEADER = /^(?:\x1b_bk;[^\x07]*\x07)?(?:---|\+\+\+|~~~) (\S[^]*)/;
// What else begins with these characters: files of a diff, results of Go's tests, Python's "--- Logging error ---".
const NO_HEADER = /^(?:[ab]\/|\/dev\/null|(?:FAIL|PASS|SKIP|BENCH): |[^\t]+\t)|[-+~]{3}\s*$/;

/** `{title, ends, open}`: the title of the group that begins here, if one does; how many end before it; whether it lasts
 * until the next of its kind begins. */
export function parseGroup(message) {
	const [, title] = BRACKET.exec(message) ?? [];
	if (title !== undefined) return { title, ends: 0, open: false };
	if (BRACKET_END.test(message)) return { ends: 1, open: false };
	if (message.includes("section_")) {
		const ends = message.match(SECTION_END)?.length ?? 0;
		const [, title] = SECTION.exec(message) ?? [];
		if (ends || title !== undefined) return { title, ends, open: false };
	}
	const [, header] = HEADER.exec(message) ?? [];
	return header && !NO_HEADER.test(header) ? { title: header, ends: 0, open: true } : { ends: 0, open: false };
}

/** Where the group that begins at a line ends, looked for in the lines after it: `{last, at}`, the last line that belongs
 * to it and the line that shows that. Undefined where these lines do not show it. `open`: of `parseGroup`. `isFolded`: whether the
 * group that begins at a line is folded, so that its end is not among these lines. */
export function groupEnd(open, after, isFolded = () => false) {
	let depth = 1;
	for (const at of after) {
		const group = parseGroup(at.message);
		const begins = group.title !== undefined;
		if (open && begins && group.open) return { last: at.line - 1, at };
		if (open) continue;
		depth -= group.ends;
		if (depth <= 0) return { last: begins ? at.line - 1 : at.line, at };
		if (begins && !group.open && !isFolded(at.line)) depth++;
	}
}

/** The line that begins the group which ends after these lines. */
export function groupStart(before, isFolded = () => false) {
	let depth = 1;
	return before.findLast(({ line, message }) => {
		const group = parseGroup(message);
		if (group.title !== undefined && !group.open && !isFolded(line) && --depth === 0) return true;
		depth += group.ends;
		return false;
	});
}

/** What finds, on the server, the lines that may show where such a group ends. */
export const ENDS = {
	bracket: { q: "\\[(end)?group\\]|::(end)?group::|section_(start|end):", regex: true },
	open: { q: "^(\\x1b_bk;[^\\x07]*\\x07)?(---|\\+\\+\\+|~~~) ", regex: true },
};
