// The whole log at a glance: how fast it came, where it warned and failed; a click goes there.

import { $, on } from "./dom.js";

const WIDTH = 600; // of the drawing, which the server makes

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
			if (step) this.#go(viewer.port.topLine() + (step * (this.last - this.first)) / 100);
		});
	}

	draw(parts, paths) {
		this.node.hidden = parts.length < 2;
		if (this.node.hidden) return;
		Object.assign(this, { first: parts[0].first, last: parts.at(-1).last });
		for (const [name, path] of Object.entries(paths)) $(`.${name}`, this.node).setAttribute("d", path);
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
		rect.setAttribute("x", Math.min((port.topLine() - this.first) * scale, WIDTH - width));
		rect.setAttribute("width", width);
		this.node.ariaValueNow = port.topLine();
	}

	#go(line) {
		this.viewer.goto(Math.round(Math.max(this.first, Math.min(this.last, line))), "top");
	}
}
