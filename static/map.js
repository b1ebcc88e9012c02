// The whole log at a glance: how fast it came, where it warned and failed; a click goes there.

import { $, on } from "./dom.js";

export const WIDTH = 600;
export const HEIGHT = 36;

/** Parts of the log (first, last, low_ms, high_ms, warnings, errors) as paths {rate, warn, error} of an SVG. Pure. */
export function paths(parts) {
  const count = (part) => part.last - part.first + 1;
  const rate = (part) => count(part) / Math.max(50, part.high_ms - part.low_ms);
  const most = Math.max(...parts.map(rate));
  const scale = WIDTH / (parts.at(-1).last - parts[0].first + 1);
  const draw = (height) => parts.map((part) => {
    const [h, w] = [height(part), count(part) * scale];
    return h ? `M${((part.first - parts[0].first) * scale).toFixed(1)} ${HEIGHT}v-${h.toFixed(1)}h${Math.max(w - 1, w * 0.8).toFixed(1)}V${HEIGHT}z` : "";
  }).join("");
  const full = (part) => HEIGHT * (0.1 + 0.9 * Math.sqrt(rate(part) / most));
  const share = (name) => (part) => part[name] && Math.max(2, full(part) * Math.sqrt(part[name] / count(part)));
  return { rate: draw(full), warn: draw(share("warnings")), error: draw(share("errors")) };
}

export class LogMap {
  constructor(viewer) {
    Object.assign(this, { viewer, node: $("#map") });
    const seek = ({ clientX, buttons }) => {
      const { left, width } = this.node.getBoundingClientRect();
      if (buttons) this.#go(this.first + ((clientX - left) / width) * (this.last - this.first));
    };
    on("#map", "pointerdown", seek);
    on("#map", "pointermove", seek);
    on("#map", "keydown", ({ key }) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[key];
      if (step) this.#go(viewer.port.topLine + (step * (this.last - this.first)) / 100);
    });
  }

  draw(parts) {
    this.node.hidden = parts.length < 2;
    if (this.node.hidden) return;
    Object.assign(this, { first: parts[0].first, last: parts.at(-1).last });
    for (const [name, path] of Object.entries(paths(parts))) $(`.${name}`, this.node).setAttribute("d", path);
    this.node.ariaValueMin = this.first;
    this.node.ariaValueMax = this.last;
    this.here();
  }

  here() {
    if (this.node.hidden) return;
    const { root, port } = this.viewer;
    const scale = WIDTH / (this.last - this.first + 1);
    const width = Math.max(3, (root.clientHeight / port.rowHeight) * scale);
    const rect = $("rect", this.node);
    rect.setAttribute("x", Math.min((port.topLine - this.first) * scale, WIDTH - width));
    rect.setAttribute("width", width);
    this.node.ariaValueNow = port.topLine;
  }

  #go(line) {
    this.viewer.goto(Math.round(Math.max(this.first, Math.min(this.last, line))), "top");
  }
}
