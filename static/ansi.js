// A message as a terminal shows it. Of sequences only SGR (ECMA-48 8.3.117) counts; what could hide text gets a mark.

const TOKEN = new RegExp(
	"\\x1b\\[([0-9;:]*)m" + // SGR
		"|(?:\\x1b\\[[0-?]*[ -/]*[@-~]|\\x1b[\\]PX^_][^\\x07\\x1b]*(?:\\x07|\\x1b\\\\)|\\x1b[()*+][0-9A-Z])" + // others
		"|([\\0-\\x08\\x0a-\\x1f\\x7f-\\x9f\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2028\\u2029\\u2066-\\u2069\\ufeff])",
	"g",
);
const ON = { 1: "b", 2: "d", 3: "i", 4: "u", 7: "v", 9: "s" };
const OFF = { 22: "bd", 23: "i", 24: "u", 27: "v", 29: "s" };

export const plain = (message) =>
	message.replace(TOKEN, (_, sgr, control) => (control === "\n" || control > "\x9f" ? control : ""));

/** The last state of a line drawn over and over. */
export function lastState(message) {
	if (!/\r|\x1b\[[01]?G/.test(message)) return message;
	const states = message.replace(/\x1b\[[01]?G/g, "\r").split("\r");
	return states.findLast((state) => plain(state).trim()) ?? "";
}

/** One of the 256 colours: of the theme's 16 the number. */
export function indexed(index) {
	if (!(index >= 0 && index <= 255)) return null;
	if (index < 16) return index;
	if (index > 231) return `rgb(${Array(3).fill(index * 10 - 2312)})`;
	const cube = index - 16;
	return `rgb(${[Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6].map((step) => (step ? 55 + step * 40 : 0))})`;
}

function apply(style, parameters) {
	const codes = parameters.replace(/([34]8:2):\d*:(\d+:\d+:\d+)/g, "$1:$2").split(/[;:]/).map(Number);
	for (let i = 0; i < codes.length; i++) {
		const code = codes[i];
		const side = (code >= 40 && code < 50) || code >= 100 ? "bg" : "fg";
		if (code === 0) style = { flags: "", fg: null, bg: null };
		else if (ON[code]) style.flags += style.flags.includes(ON[code]) ? "" : ON[code];
		else if (OFF[code]) style.flags = [...style.flags].filter((flag) => !OFF[code].includes(flag)).join("");
		else if (code === 38 || code === 48) {
			const [kind, ...rgb] = codes.slice(i + 1, i + 5);
			if (kind === 5) style[side] = indexed(rgb[0]);
			else if (kind === 2) style[side] = rgb.every((value) => value >= 0 && value <= 255) ? `rgb(${rgb})` : null;
			i += kind === 2 ? 4 : 2;
		} else if (code === 39 || code === 49) style[side] = null;
		else if ((code >= 30 && code < 48) || (code >= 90 && code < 108)) style[side] = (code % 10) + (code >= 90 ? 8 : 0);
	}
	return style;
}

function mark(control) {
	const code = control.codePointAt(0);
	return code < 32 ? String.fromCharCode(0x2400 + code) : `‹${code.toString(16).toUpperCase().padStart(4, "0")}›`;
}

/** `[{text, classes, fg, bg}]`: the theme's colours are classes, others `rgb()` in `fg` and `bg`. */
export function spans(message) {
	const out = [];
	let style = { flags: "", fg: null, bg: null };
	let at = 0;
	const push = (text, { flags, fg, bg }) => {
		if (!text) return;
		const classes = [...flags];
		const rgb = (colour, letter) => (typeof colour === "number" ? (classes.push(letter + colour), null) : colour);
		[fg, bg] = [rgb(fg, "f"), rgb(bg, "g")];
		out.push({ text, classes: classes.join(" "), fg, bg });
	};
	for (const match of message.matchAll(TOKEN)) {
		push(message.slice(at, match.index), style);
		at = match.index + match[0].length;
		if (match[1] !== undefined) style = apply(style, match[1]);
		else if (match[2]) push(mark(match[2]), { flags: ["ctl"], fg: null, bg: null });
	}
	push(message.slice(at), style);
	return out;
}
