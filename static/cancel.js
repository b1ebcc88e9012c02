// Cancelling: asked first, then shown as it goes: requested, acknowledged, stopped.

import { $, $$, announce, plural } from "./dom.js";

export class Cancel {
  constructor(api) {
    this.api = api;
    this.dialog = $("#cancel");
    if (this.dialog) $("form", this.dialog).addEventListener("submit", this.#go);
  }

  /** How many others watch, before the question is answered. */
  watching(viewers) {
    const others = viewers - 1;
    if (!this.dialog || this.asked) return;
    const also = others > 0 ? `${plural(others, "other")} ${others === 1 ? "is" : "are"} watching it. ` : "";
    $("#cancel-others").textContent = `${also}It is stopped for everybody. What it has written stays.`;
  }

  /** The job's status moved: the end of the last phase. */
  status(state, over) {
    if (!this.dialog) return;
    $("#cancel-open").hidden = over;
    if (this.asked && over) {
      this.#phase(3);
      setTimeout(() => this.dialog.close(), 1500);
    }
  }

  #phase(count) {
    $("#phases").hidden = false;
    $$("li", $("#phases")).forEach((item, i) => {
      item.className = i < count ? "past" : i === count ? "now" : "";
    });
    announce(["", "Cancel requested", "Cancel acknowledged", "The job has stopped"][count]);
  }

  #go = async (event) => {
    event.preventDefault();
    const yes = $("#cancel-yes");
    const why = $("#cancel-why");
    why.hidden = yes.disabled = true;
    this.asked = true;
    this.#phase(1);
    try {
      await this.api.send("POST", "/cancel");
      this.#phase(2);
      yes.hidden = true;
      $("[data-close]", this.dialog).textContent = "Close";
    } catch (error) {
      this.asked = false;
      $("#phases").hidden = true;
      why.textContent = `It was not cancelled: ${error.message}`;
      why.hidden = yes.disabled = false;
    }
  };
}
