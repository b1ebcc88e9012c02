// The whole log at a glance: how fast it came, where it warned and failed; a click goes there.

import { $, number } from "./dom.js";

const WIDTH = 600;
const HEIGHT = 36;

/** Parts of the log (first, last, low_ms, high_ms, warnings, errors) as bars {x, w, h, warn, error}, by line. Pure. */
export function bars(parts) {
  const total = parts.length ? parts.at(-1).last - parts[0].first + 1 : 1;
  const rate = (part) => (part.last - part.first + 1) / Math.max(50, part.high_ms - part.low_ms);
  const most = Math.max(...parts.map(rate), 1e-9);
  return parts.map((part) => {
    const count = part.last - part.first + 1;
    const h = HEIGHT * (0.12 + 0.88 * Math.sqrt(rate(part) / most));
    const share = (n) => (n ? Math.max(3, h * (n / count)) : 0);
    return {
      x: ((part.first - parts[0].first) / total) * WIDTH, w: (count / total) * WIDTH, h,
      warn: share(part.warnings), error: share(part.errors),
    };
  });
}

const path = (list, key) => list.filter((bar) => bar[key])
  .map((bar) => `M${bar.x.toFixed(1)} ${HEIGHT}v-${bar[key].toFixed(1)}h${Math.max(0.6, bar.w - 0.6).toFixed(1)}V${HEIGHT}z`).join("");

export class LogMap {
  constructor(viewer) {
    this.viewer = viewer;
    this.node = $("#map");
    const svg = (tag, attributes) => {
      const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
      for (const name in attributes) node.setAttribute(name, attributes[name]);
      return node;
    };
    const root = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none" });
    this.paths = Object.fromEntries(["h", "warn", "error"].map((key) => [key, svg("path", { class: key })]));
    this.place = svg("rect", { class: "here", y: 0, height: HEIGHT });
    root.append(this.place, ...Object.values(this.paths));
    this.node.append(root);
    this.node.addEventListener("pointerdown", (event) => {
      this.node.setPointerCapture(event.pointerId);
      this.#seek(event);
    });
    this.node.addEventListener("pointermove", (event) => event.buttons && this.#seek(event));
    this.node.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1, PageDown: 10, PageUp: -10 }[event.key];
      if (step) this.#go(this.viewer.port.topLine + Math.ceil(((this.last - this.first) / 100) * step));
    });
  }

  draw(parts) {
    this.node.hidden = parts.length < 2;
    if (this.node.hidden) return;
    this.first = parts[0].first;
    this.last = parts.at(-1).last;
    const list = bars(parts);
    for (const key in this.paths) this.paths[key].setAttribute("d", path(list, key));
    this.node.setAttribute("aria-valuemin", this.first);
    this.node.setAttribute("aria-valuemax", this.last);
    this.here();
  }

  /** Where the view is. */
  here() {
    if (this.node.hidden) return;
    const top = this.viewer.port.topLine;
    const rows = this.viewer.root.clientHeight / this.viewer.port.rowHeight;
    const px = (line) => ((line - this.first) / (this.last - this.first + 1)) * WIDTH;
    const width = Math.max(4, px(top + rows) - px(top));
    this.place.setAttribute("x", Math.min(px(top), WIDTH - width));
    this.place.setAttribute("width", width);
    this.node.setAttribute("aria-valuenow", top);
    this.node.setAttribute("aria-valuetext", `Line ${number(top)}`);
  }

  #seek(event) {
    const box = this.node.getBoundingClientRect();
    this.#go(this.first + ((event.clientX - box.left) / box.width) * (this.last - this.first));
  }

  #go(line) {
    this.viewer.goto(Math.max(this.first, Math.min(this.last, Math.round(line))), "top");
  }
}
