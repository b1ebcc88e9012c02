// A row of a terminal: a character and a style for each column. The twin of `webapp/journal/cells.py`.

const TAB = 8;
const ZERO = /[\p{Mn}\p{Me}\p{Cf}]/u;
// East Asian wide and fullwidth characters (Unicode's EastAsianWidth.txt); emoji that are pictures are wide too.
const WIDE = new RegExp("[\\u1100-\\u115f\\u2329\\u232a\\u2e80-\\u303e\\u3041-\\u3247\\u3250-\\u4dbf\\u4e00-\\ua4c6\\ua960-\\ua97c"
	+ "\\uac00-\\ud7a3\\uf900-\\ufaff\\ufe10-\\ufe19\\ufe30-\\ufe6b\\uff01-\\uff60\\uffe0-\\uffe6\\u{16fe0}-\\u{18cff}"
	+ "\\u{1aff0}-\\u{1b2ff}\\u{1f200}-\\u{1f265}\\u{20000}-\\u{3fffd}]|(?![\\u{1f1e6}-\\u{1f1ff}])\\p{Emoji_Presentation}", "u");
const ASCII = /^[\0-\x7f]*$/;

/** 0 for what joins the character before it, 2 for East Asian wide characters and emoji, else 1. */
function width(character) {
	if (character < "\u0300") return 1;
	return ZERO.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
}

/** A text, column by column: what joins the character before it stands with it, after a wide one comes an empty text. */
export function columns(text) {
	if (ASCII.test(text)) return text.split("");
	const found = [];
	let last = -1;
	let joined = false; // by a zero width joiner: what follows is part of the same picture
	for (const character of text) {
		const wide = width(character);
		if (last >= 0 && (!wide || joined)) {
			found[last] += character;
			if (character === "\ufe0f" && last === found.length - 1) found.push(""); // an emoji, where it could be text
		} else {
			last = found.push(character) - 1;
			if (wide === 2) found.push("");
		}
		joined = character === "\u200d";
	}
	return found;
}

export class Cells {
	text = [];
	styles = [];

	/** Writes over what stands at column `x`, from 0. Gives the column after it. */
	put(x, text, style) {
		return this.#replace(x, columns(text), style);
	}

	/** Past what is there a tab is a character, so that a copy holds it; else it only moves. */
	tab(x) {
		const size = TAB - (x % TAB);
		return x >= this.text.length ? this.#replace(x, ["\t", ...Array(size - 1).fill("")], "") : x + size;
	}

	/** A control character takes no column. */
	join(x, control) {
		const { text } = this;
		const place = Math.min(x, text.length) - 1;
		if (place >= 0) text[place] += control;
		else if (text.length) text[0] = control + text[0];
		else this.put(0, control, "");
	}

	erase(start, end = Infinity) {
		if (end >= this.text.length) {
			this.#halve(start);
			this.text.length = Math.min(start, this.text.length);
			this.styles.length = this.text.length;
		} else this.#replace(start, Array(end - start).fill(" "), "");
	}

	delete(x, count) {
		this.#halve(x);
		this.#halve(x + count);
		this.text.splice(x, count);
		this.styles.splice(x, count);
	}

	insert(x, count) {
		if (x >= this.text.length) return;
		this.#halve(x);
		this.text.splice(x, 0, ...Array(count).fill(" "));
		this.styles.splice(x, 0, ...Array(count).fill(""));
	}

	/** Runs of one style. Blanks at the end are what is left of earlier states. */
	spans() {
		const { text, styles } = this;
		let size = text.length;
		while (size && text[size - 1] === " " && !styles[size - 1]) size--;
		const found = [];
		for (let start = 0, at = 1; at <= size; at++) {
			if (at < size && styles[at] === styles[start]) continue;
			found.push([text.slice(start, at).join(""), styles[start]]);
			start = at;
		}
		return found;
	}

	#replace(x, fresh, style) {
		const { text, styles } = this;
		while (text.length < x) {
			text.push(" ");
			styles.push("");
		}
		const end = x + fresh.length;
		this.#halve(x);
		this.#halve(end);
		for (let i = 0; i < fresh.length; i++) {
			text[x + i] = fresh[i];
			styles[x + i] = style;
		}
		return end;
	}

	/** Of a wide character that is cut in two only blanks are left. */
	#halve(x) {
		const { text } = this;
		if (!(x > 0 && x < text.length) || text[x]) return;
		let [first, last] = [x, x];
		while (first > 0 && !text[first]) first--;
		while (last < text.length && !text[last]) last++;
		text.fill(" ", first, last);
	}
}
