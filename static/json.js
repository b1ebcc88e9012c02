// JSON as the log has it, laid out: no value is read and written anew, so numbers, escapes, equal keys and their order
// stay as they came.

import { el } from "./dom.js";

const DEEPEST = 40; // levels that are indented
const COLOURS = { key: "jk", string: "js", literal: "jn" };
const TOKEN = /"(?:\\.|[^"\\])*"|[{}[\],:]|[^\s{}[\],:"]+/g;

export const jsonNodes = (text) => layOut(text).map(([kind, part]) => (kind ? el("span", COLOURS[kind], part) : part));

/** `[[kind, text], …]` of valid JSON. Kinds: key, string, literal (numbers, true, false, null), and "". */
export function layOut(text) {
	const tokens = text.match(TOKEN);
	const found = [];
	let depth = 0;
	const line = () => `\n${"  ".repeat(Math.min(depth, DEEPEST))}`;
	tokens.forEach((token, i) => {
		const next = tokens[i + 1];
		const empty = (next === "}" || next === "]") && (token === "{" || token === "[");
		if (token === "{" || token === "[") {
			depth++;
			found.push(["", token + (empty ? "" : line())]);
		} else if (token === "}" || token === "]") {
			depth--;
			const before = tokens[i - 1];
			found.push(["", (before === "{" || before === "[" ? "" : line()) + token]);
		} else if (token === ",") found.push(["", `,${line()}`]);
		else if (token === ":") found.push(["", ": "]);
		else found.push([token[0] !== '"' ? "literal" : next === ":" ? "key" : "string", token]);
	});
	return found;
}
