// Small helpers for the page's own nodes. Text from outside only ever goes in as text.

export const $ = (selector, root = document) => root.querySelector(selector);
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
export const on = (selector, type, act) => $(selector).addEventListener(type, act);
export const number = (value) => value.toLocaleString("en-US");
export const plural = (count, word) => `${number(count)} ${word}${count === 1 ? "" : "s"}`;

/** A new element of a class, with children (nodes or texts) and properties; "aria-…" and "role" are attributes. */
export function el(tag, className = "", children = [], props = {}) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  for (const [name, value] of Object.entries(props)) {
    if (name in node && !name.includes("-")) node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...[children].flat());
  return node;
}

/** Fills each `data-field` of a node with the text of that name; what is empty is hidden. */
export function fill(root, values) {
  for (const node of $$("[data-field]", root)) {
    const value = values[node.dataset.field];
    node.textContent = value ?? "";
    node.hidden = value === undefined || value === null || value === "";
  }
  return root;
}

export const stamped = (template, values) => fill($(template).content.firstElementChild.cloneNode(true), values);
export const pressed = (id, yes) => $(id).setAttribute("aria-pressed", yes);

/** Says it to screen readers. */
export const announce = (text) => ($("#announce").textContent = text);

let hide = 0;

/** A short note at the foot of the page, said to screen readers too. */
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
    // Without a secure context there is no clipboard: the old way, through a selected field.
    const area = el("textarea", "offscreen", [], { value: text });
    ($("dialog[open]") ?? document.body).append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  toast(said);
}
