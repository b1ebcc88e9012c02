// Colours and styles: Select Graphic Rendition (ECMA-48, 8.3.117; ITU-T T.416, 13.1.8). The twin of
// `webapp/journal/sgr.py`. A style is text: the parameters that make it from nothing, in one order: "4:3;38;5;208".

// What a parameter sets, and to what. 8 (concealed) is left out: no text may be hidden.
const SETS = {
	1: ["bold", "1"], 2: ["dim", "2"], 3: ["italic", "3"], 4: ["underline", "4"], 5: ["blink", "5"], 6: ["blink", "5"],
	7: ["inverse", "7"], 9: ["strike", "9"], 21: ["underline", "4:2"], 53: ["overline", "53"],
};
const ENDS = {
	22: ["bold", "dim"], 23: ["italic"], 24: ["underline"], 25: ["blink"], 27: ["inverse"], 29: ["strike"],
	39: ["text"], 49: ["back"], 55: ["overline"], 59: ["line"],
};
const COLOURED = { 38: "text", 48: "back", 58: "line" };
const ORDER = ["bold", "dim", "italic", "underline", "blink", "inverse", "strike", "overline", "text", "back", "line"];
const MOST = 1000; // characters of parameters that are read
const KNOWN_MOST = 4096;

const known = new Map();

/** The style after `CSI parameters m`. What is not a parameter of ours changes nothing. */
export function restyle(style, parameters) {
	const key = `${style} ${parameters}`;
	let found = known.get(key);
	if (found === undefined) {
		found = read(style, parameters);
		if (known.size >= KNOWN_MOST) known.clear();
		known.set(key, found);
	}
	return found;
}

function read(style, parameters) {
	let found = parts(style);
	const groups = parameters.slice(0, MOST).split(";");
	for (let at = 0; at < groups.length; ) {
		const [code, ...rest] = groups[at++].split(":").map(value);
		if (code === 0) found = {};
		else if (COLOURED[code]) {
			const [colour, taken] = rest.length ? [withColons(code, rest), 0] : withSemicolons(code, groups.slice(at, at + 4).map(value));
			at += taken;
			if (colour) found[COLOURED[code]] = colour;
		} else if (code === 4 && rest.length) underline(found, rest[0]);
		else if (SETS[code]) found[SETS[code][0]] = SETS[code][1];
		else if ((code >= 30 && code <= 37) || (code >= 90 && code <= 97)) found.text = String(code);
		else if ((code >= 40 && code <= 47) || (code >= 100 && code <= 107)) found.back = String(code);
		for (const name of ENDS[code] ?? []) delete found[name];
	}
	return ORDER.filter((name) => name in found).map((name) => found[name]).join(";");
}

function underline(found, kind) {
	if (kind === 0) delete found.underline;
	else if (kind > 0 && kind <= 5) found.underline = kind === 1 ? "4" : `4:${kind}`;
}

/** `38:5:n`, `38:2:r:g:b`, and with the colour space that the standard has: `38:2::r:g:b`. */
function withColons(code, rest) {
	if (rest[0] === 5 && rest.length > 1) return colour(code, rest.slice(0, 2));
	if (rest[0] === 2 && rest.length > 3) return colour(code, [2, ...(rest.length > 4 ? rest.slice(2, 5) : rest.slice(1, 4))]);
	return "";
}

/** The colour, and how many parameters it took. */
function withSemicolons(code, after) {
	const taken = { 2: 4, 5: 2 }[after[0]] ?? 1;
	return [taken > 1 && after.length >= taken ? colour(code, after.slice(0, taken)) : "", taken];
}

function colour(code, values) {
	if (values.some((part) => part < 0 || part > 255)) return "";
	const [kind, index] = values;
	// The theme's own, by their own numbers.
	if (kind === 5 && index < 16 && code !== 58) return String(index < 8 ? code - 8 + index : code + 44 + index);
	return [code, ...values].join(";");
}

/** A style's parts by name. */
export function parts(style) {
	const found = {};
	const groups = style ? style.split(";") : [];
	for (let at = 0; at < groups.length; at++) {
		const code = parseInt(groups[at], 10);
		if (COLOURED[code]) {
			const taken = groups[at + 1] === "2" ? 5 : 3;
			found[COLOURED[code]] = groups.slice(at, at + taken).join(";");
			at += taken - 1;
		} else found[SETS[code]?.[0] ?? (code < 40 || (code >= 90 && code < 100) ? "text" : "back")] = groups[at];
	}
	return found;
}

const value = (text) => (/^\d{1,5}$/.test(text) ? Number(text) : text ? -1 : 0);
