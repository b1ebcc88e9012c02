// Small helpers for the page's own nodes. Text from outside only ever goes in as text.

export const $ = (selector, root = document) => root.querySelector(selector);
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
export const on = (selector, type, act) => $(selector).addEventListener(type, act);
export const show = (selector, yes) => ($(selector).hidden = !yes);
export const pressed = (selector, yes) => ($(selector).ariaPressed = Boolean(yes));
export const number = (value) => value.toLocaleString("en-US");
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

export function fill(root, values) {
	for (const node of $$("[data-field]", root)) node.textContent = values[node.dataset.field] || "–";
	return root;
}

export const stamped = (template, values) => fill($(template).content.firstElementChild.cloneNode(true), values);
export const announce = (text) => put("#announce", text); // to screen readers

let hide = 0;

export function toast(text, bad = false) {
	const node = $("#toast");
	node.classList.toggle("bad", bad);
	node.textContent = text;
	announce(text);
	node.hidePopover();
	node.showPopover(); // above an open dialog
	clearTimeout(hide);
	hide = setTimeout(() => node.hidePopover(), bad ? 9000 : 3500);
}

export async function copy(text, said = "Copied") {
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
