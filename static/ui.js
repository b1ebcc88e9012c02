// What every page has: colours, dialogs, copy buttons, keys. All declared in the markup by data- attributes.

import { $, $$, announce, copy } from "./dom.js";

const THEMES = { "": "as the system", light: "light", dark: "dark" };

function theme(choice) {
  document.documentElement.dataset.theme = choice;
  const said = `Colours: ${THEMES[choice]}`;
  $("#theme").title = `${said} (Shift+T)`;
  $("#theme").setAttribute("aria-label", said);
  return said;
}

/** The key of an event as `data-key` names it, or "" where it belongs to a field or a browser's shortcut. */
export function keyOf(event) {
  const typing = event.target.closest?.("input, select, textarea");
  return typing || event.ctrlKey || event.metaKey || event.altKey ? "" : event.key;
}

export function startUi() {
  document.documentElement.classList.add("live");
  let chosen = localStorage.getItem("theme") ?? "";
  theme(THEMES[chosen] ? chosen : (chosen = ""));
  $("#theme").addEventListener("click", () => {
    const names = Object.keys(THEMES);
    chosen = names[(names.indexOf(chosen) + 1) % names.length];
    localStorage.setItem("theme", chosen);
    announce(theme(chosen));
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy], [data-open], [data-close]");
    if (button?.dataset.copy) copy(button.dataset.copy);
    if (button?.dataset.open) $(`#${button.dataset.open}`).showModal();
    if (button && "close" in button.dataset) button.closest("dialog").close();
    if (event.target.matches("dialog")) event.target.close(); // the backdrop
  });
  document.addEventListener("keydown", (event) => {
    const key = keyOf(event);
    if (!key || $("dialog[open]")) return;
    const control = $$("[data-key]").find((node) => node.dataset.key === key && !node.hidden);
    if (!control) return;
    event.preventDefault();
    if (control.matches("input")) control.select();
    else if (control.matches("select")) turn(control);
    else control.click();
  });
}

/** The next choice of a select, said aloud. */
function turn(select) {
  select.selectedIndex = (select.selectedIndex + 1) % select.length;
  select.dispatchEvent(new Event("change"));
  announce(select.selectedOptions[0].text);
}
