// Escape sequences in a message (ECMA-48, 5th edition), by one grammar. The twin of `webapp/journal/escapes.py`.

// A string stops at whatever could begin another one: so looking for an end costs each character but once.
const SEQUENCE = "(?:\\x1b\\[|\\x9b)(?<parameters>[0-?]*)(?<between>[ -/]*)(?<final>[@-~])"
	+ "|(?<opens>\\x1b[\\]PX^_]|[\\x90\\x98\\x9d-\\x9f])(?<string>[^\\x07\\x1b\\x90\\x98\\x9b-\\x9f]*)(?:\\x07|\\x1b\\\\|\\x9c)"
	+ "|\\x1b[ -/]+[0-~]"
	+ "|\\x1b(?<single>[0-OQ-WYZ\\\\\\x60-~])";

export const TOKEN = new RegExp(`${SEQUENCE}|(?<control>[\\0-\\x08\\x0a-\\x1f\\x7f-\\x9f])`, "g");
const HIDDEN = new RegExp(`${SEQUENCE}|[\\0-\\x08\\x0b-\\x1f\\x7f-\\x9f]`, "g");

/** The text without escape sequences and without control characters but tab and newline. */
export const plain = (message) => message.replace(HIDDEN, "");
