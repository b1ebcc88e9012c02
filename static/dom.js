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
export const put = (at, text) => ((node(at).lastElementChild ?? node(at)).textContent = text);

export function el(tag, className, children = [], props = {}) {
	const node = Object.assign(document.createElement(tag), { className, ...props });
	node.append(...[children].flat());
	return node;
}

/** The server writes this part anew, where it is still wanted then. Gives its page. */
export async function renew(part, wanted = () => true) {
	const text = await fetch(location, { headers: { accept: "text/html" } }).then((response) => response.text()).catch(() => "");
	const page = new DOMParser().parseFromString(text, "text/html");
	if ($(part, page) && wanted()) $(part).replaceWith($(part, page));
	return page;
}

/** One call after the other: no fast key is lost. */
export const inTurn = (act, turn) => (...given) => (turn = Promise.allSettled([turn]).then(() => act(...given)));

/** Says it to screen readers, which pass over a text that they have just read. */
export function announce(text) {
	const node = $("#announce");
	node.textContent = node.textContent === text ? `${text}\u00a0` : text;
}

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

/** `text`: or a promise, for Safari copies only what a click began. */
export async function copy(text, said = "copied") {
	try {
		const blob = Promise.resolve(text).then((value) => new Blob([value], { type: "text/plain" }));
		await navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })]);
	} catch {
		// the clipboard needs a secure context
		const area = el("textarea", "offscreen", [], { value: await text });
		($("dialog[open]") ?? document.body).append(area);
		area.select();
		if (!document.execCommand("copy")) said = "uncopied";
		area.remove();
	}
	toast(said, said === "uncopied");
}
