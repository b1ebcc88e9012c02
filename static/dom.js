// Small helpers for the page's own nodes. Text from outside only ever goes in as text.

export const $ = (selector, root = document) => root.querySelector(selector);
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

/** A new element: `props` are properties (class, text) or, with a dash, attributes; children are nodes or text. */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name === "class") node.className = value;
    else if (name === "text") node.textContent = value;
    else if (name.includes("-") || name === "role") node.setAttribute(name, value);
    else node[name] = value;
  }
  node.append(...children.filter((child) => child !== null));
  return node;
}

/** Says it to screen readers, once. */
export function announce(text) {
  $("#announce").textContent = text;
}

let hide = 0;

/** A short note at the foot of the page; said to screen readers too. `stay`: until the next one. */
export function toast(text, { bad = false, stay = false } = {}) {
  const node = $("#toast");
  node.textContent = text;
  node.classList.toggle("bad", bad);
  node.hidden = !text;
  clearTimeout(hide);
  if (text && !stay) hide = setTimeout(() => (node.hidden = true), bad ? 9000 : 3500);
}

export async function copy(text, said = "Copied") {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // No clipboard without a secure context or a permission: the old way, through a selected field.
    const area = el("textarea", { value: text, class: "offscreen" });
    (document.querySelector("dialog[open]") ?? document.body).append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  toast(said);
}

export const number = (value) => value.toLocaleString("en-US");
export const plural = (count, word) => `${number(count)} ${word}${count === 1 ? "" : "s"}`;
