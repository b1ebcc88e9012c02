// What a terminal shows, as nodes. Text from a log only ever becomes text.

import { el } from "./dom.js";
import { findLinks } from "./links.js";
import { terminal } from "./terminal.js";

const LONGEST = 50_000; // characters of one text node: Firefox does not paint longer ones
// What is seen of these is a mark: they could hide or reorder text.
const HIDING = /[\0-\x08\x0a-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069\ufeff]/;

/** `rows`: of an item of `screen.js`. At most `most` characters of them. */
export function textNodes(rows, most = Infinity) {
	const found = [];
	let left = most;
	let link = ""; // of the text before, whose address has not been shown yet
	const leave = () => {
		if (link) found.push(el("span", "mute target", ` ↗${host(link)}`, { title: link }));
		link = "";
	};
	rows.forEach((row, i) => {
		if (i && left > 0) found.push("\n");
		for (const [text, style] of row) {
			if (left <= 0) break;
			const [sgr, address = ""] = style.split(" ");
			if (address !== link) leave();
			link = address;
			found.push(...run(left < text.length ? text.slice(0, left) : text, sgr, address));
			left -= text.length;
		}
		leave();
	});
	return found;
}

/** Text of one style. */
function run(text, style, address) {
	const nodes = (address ? [[text, address]] : findLinks(text)).flatMap(([part, to]) => (to ? anchor(part, to) : marked(part)));
	if (!style) return nodes;
	const { classes, css } = terminal.paint(style);
	const node = el("span", classes, nodes);
	Object.assign(node.style, css);
	return [node];
}

const anchor = (text, href) => el("a", "out", marked(text), { href, title: href, target: "_blank", rel: "noopener noreferrer nofollow" });

function marked(text) {
	if (!HIDING.test(text)) return text.length > LONGEST ? text.match(new RegExp(`[^]{1,${LONGEST}}`, "gu")) : [text];
	return [...text.split(new RegExp(`(${HIDING.source})`))].filter(Boolean).flatMap((part) => (HIDING.test(part) ? el("span", "ctl", mark(part)) : [part]));
}

function mark(control) {
	const code = control.codePointAt(0);
	return code < 32 ? String.fromCharCode(0x2400 + code) : `‹${code.toString(16).toUpperCase().padStart(4, "0")}›`;
}

function host(address) {
	try {
		return new URL(address).host;
	} catch {
		return address.slice(0, 60);
	}
}
