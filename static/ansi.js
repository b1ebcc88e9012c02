// What a terminal would show of a message, as spans of text. Pure.
//
// Only SGR (colours and styles, ECMA-48 8.3.117) is understood. Every other whole sequence is taken out: a log must
// not move a cursor, set a title or make a link. What could hide or reorder text (a lone ESC, control characters,
// bidirectional overrides, SGR 8 "conceal") is shown as a mark instead.

const TOKEN = new RegExp(
  [
    "\\x1b\\[([0-9;:]*)m", // SGR
    "(\\x1b\\[[0-?]*[ -/]*[@-~]|\\x1b[\\]PX^_][^\\x07\\x1b]*(?:\\x07|\\x1b\\\\)|\\x1b[()*+][0-9A-Z])", // the others
    "([\\0-\\x08\\x0a-\\x1f\\x7f-\\x9f\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2028\\u2029\\u2066-\\u2069\\ufeff])",
  ].join("|"),
  "g",
);
const STYLES = { 1: "b", 2: "d", 3: "i", 4: "u", 7: "v", 9: "s" };
const OFF = { 22: ["b", "d"], 23: ["i"], 24: ["u"], 27: ["v"], 29: ["s"] };

/** The last state of a line that was drawn over and over (`10%\r20%\r30%`). */
export function lastState(message) {
  if (!message.includes("\r") && !message.includes("\x1b[")) return message;
  const states = message.replace(/\x1b\[[01]?G/g, "\r").split("\r");
  for (let i = states.length - 1; i >= 0; i--) if (plain(states[i]).trim()) return states[i];
  return states[0];
}

/** The text alone: no sequences, no control characters but tabs and line ends. */
export function plain(message) {
  return message.replace(TOKEN, (whole, sgr, other, control) =>
    control === "\n" || (control && control > "\x9f") ? control : "");
}

/** How many CSS pixels' worth of colour: an index of the 256-colour table as `rgb()`. 0 to 15 are the theme's. */
export function indexed(index) {
  if (index > 231) return `rgb(${Array(3).fill(8 + (index - 232) * 10)})`;
  const level = (step) => (step ? 55 + step * 40 : 0);
  const cube = index - 16;
  return `rgb(${[Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6].map(level)})`;
}

/** Reads 38;5;n and 38;2;r;g;b at `at` (just past the 38): [colour or null, how many were read]. */
function extended(codes, at) {
  const [kind, a, b, c] = codes.slice(at, at + 4);
  const byte = (value) => value >= 0 && value <= 255;
  if (kind === 5) return [byte(a) ? (a < 16 ? a : indexed(a)) : null, 2];
  if (kind === 2) return [[a, b, c].every(byte) ? `rgb(${[a, b, c]})` : null, 4];
  return [null, 1];
}

function apply(style, parameters) {
  // 38:2::r:g:b has an empty colour space; the form with semicolons has none.
  const codes = parameters.replace(/([34]8):2:\d*:(\d+:\d+:\d+)/g, "$1:2:$2").split(/[;:]/).map(Number);
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i];
    if (code === 0) style = { flags: new Set(), fg: null, bg: null };
    else if (STYLES[code]) style.flags.add(STYLES[code]);
    else if (OFF[code]) OFF[code].forEach((flag) => style.flags.delete(flag));
    else if (code === 38 || code === 48) {
      const [colour, read] = extended(codes, i + 1);
      style[code === 38 ? "fg" : "bg"] = colour;
      i += read;
    } else if (code === 39) style.fg = null;
    else if (code === 49) style.bg = null;
    else if (code >= 30 && code <= 37) style.fg = code - 30;
    else if (code >= 40 && code <= 47) style.bg = code - 40;
    else if (code >= 90 && code <= 97) style.fg = code - 82;
    else if (code >= 100 && code <= 107) style.bg = code - 92;
  }
  return style;
}

/** A mark for a character that would be invisible or harmful: ␛, ␀, ‹202E›. */
function mark(control) {
  const code = control.codePointAt(0);
  if (code < 32) return String.fromCharCode(0x2400 + code);
  return code === 127 ? "␡" : `‹${code.toString(16).toUpperCase().padStart(4, "0")}›`;
}

/** A message as `[{text, classes, fg, bg}]`: `fg` and `bg` are `rgb()` texts or null, theme colours are classes. */
export function spans(message) {
  const out = [];
  let style = { flags: new Set(), fg: null, bg: null };
  let at = 0;
  const push = (text) => {
    if (!text) return;
    const classes = [...style.flags];
    if (typeof style.fg === "number") classes.push(`f${style.fg}`);
    if (typeof style.bg === "number") classes.push(`g${style.bg}`);
    const rgb = (colour) => (typeof colour === "string" ? colour : null);
    out.push({ text, classes: classes.join(" "), fg: rgb(style.fg), bg: rgb(style.bg) });
  };
  for (const match of message.matchAll(TOKEN)) {
    push(message.slice(at, match.index));
    at = match.index + match[0].length;
    if (match[1] !== undefined) style = apply(style, match[1]);
    else if (match[3]) out.push({ text: mark(match[3]), classes: "ctl", fg: null, bg: null });
  }
  push(message.slice(at));
  return out;
}
