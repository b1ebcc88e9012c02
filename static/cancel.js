// Cancelling: asked first, then shown as it goes: requested, acknowledged, stopped.

import { $, $$, announce, on, plural } from "./dom.js";

export class Cancel {
  constructor(api) {
    this.api = api;
    this.dialog = $("#cancel");
    if (this.dialog) on("#cancel form", "submit", this.#go);
  }

  /** How many watch, us included: said before the question is answered. */
  watching(viewers) {
    if (!this.dialog || this.asked) return;
    $("#cancel-others").textContent = viewers > 1 ? `${plural(viewers - 1, "other")} watching it now.` : "";
  }

  /** The job's status moved. */
  status(over) {
    if (!this.dialog) return;
    $("#cancel-open").hidden = over;
    if (this.asked && over) {
      this.#phase(3);
      setTimeout(() => this.dialog.close(), 1500);
    }
  }

  #phase(count) {
    const items = $$("#phases li");
    $("#phases").hidden = !count;
    items.forEach((item, i) => (item.className = i < count ? "past" : i === count ? "now" : ""));
    if (count) announce(`Cancel: ${items[count - 1].textContent}`);
  }

  #go = async (event) => {
    event.preventDefault();
    const [yes, why] = [$("#cancel-yes"), $("#cancel-why")];
    why.hidden = yes.disabled = this.asked = true;
    this.#phase(1);
    try {
      await this.api.send("POST", "/cancel");
      this.#phase(2);
      yes.hidden = true;
    } catch (error) {
      this.#phase(0);
      why.textContent = `It was not cancelled: ${error.message}`;
      why.hidden = yes.disabled = this.asked = false;
    }
  };
}
