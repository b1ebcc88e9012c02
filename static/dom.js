// Small helpers for the page's own nodes. Text from outside only ever goes in as text.

export const $ = (selector, root = document) => root.querySelector(selector);
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const node = (at) => (at.addEventListener ? at : $(at)); // or its selector
export const on = (at, type, act) => node(at).addEventListener(type, act);
export const show = (at, yes) => (node(at).hidden = !yes);
export const pressed = (at, yes) => (node(at).ariaPressed = Boolean(yes));
export const number = (value) => value.toLocaleString("en-US");
export const range = ({ first, last }, between) => number(first) + between + number(last);
export const plural = (count, word) => `${number(count)} ${word}${count === 1 ? "" : "s"}`;

export function put(selector, text) {
	const node = $(selector);
	(node.lastElementChild ?? node).textContent = text;
}

export function el(tag, className, children = [], props = {}) {
	const node = document.createElement(tag);
	if (className) node.className = className;
	for (const name in props) {
		if (name in node) node[name] = props[name];
		else node.setAttribute(name, props[name]);
	}
	node.append(...[children].flat());
	return node;
}

/** The server writes these parts of the page anew. Gives the page that it sent. */
export async function renew(...parts) {
	const text = await fetch(location).then((response) => response.text()).catch(() => "");
	const page = new DOMParser().parseFromString(text, "text/html");
	for (const part of parts) if ($(part, page)) $(part).replaceWith($(part, page));
	return page;
}

export const announce = (text) => put("#announce", text); // to screen readers

let hide = 0;

/** `said`: a text, or the name of one in the markup. */
export function toast(said, bad = false) {
	const node = $("#toast");
	const text = node.dataset[said] ?? said;
	node.classList.toggle("bad", bad);
	node.textContent = text;
	announce(text);
	node.hidePopover();
	node.showPopover(); // above an open dialog
	clearTimeout(hide);
	hide = setTimeout(() => node.hidePopover(), bad ? 9000 : 3500);
}

export async function copy(text, said = "copied") {
	try {
		await navigator.clipboard.writeText(text);
	} catch {
		// no clipboard without a secure context
		const area = el("textarea", "offscreen", [], { value: text });
		($("dialog[open]") ?? document.body).append(area);
		area.select();
		document.execCommand("copy");
		area.remove();
	}
	toast(said);
}
