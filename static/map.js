// The whole log at a glance; a click goes there.

import { $, on } from "./dom.js";

const WIDTH = 600; // of the drawing, which the server makes

export class LogMap {
	constructor(viewer) {
		Object.assign(this, { viewer, node: $("#map") });
		const seek = ({ clientX, buttons }) => {
			const { left, width } = this.node.getBoundingClientRect();
			const line = this.first + ((clientX - left) / width) * (this.last - this.first);
			if (buttons) viewer.goto(Math.round(line), "top");
		};
		on("#map", "pointerdown", seek);
		on("#map", "pointermove", seek);
	}

	draw(parts, paths) {
		this.node.hidden = parts.length < 2;
		if (this.node.hidden) return;
		Object.assign(this, { first: parts[0].first, last: parts.at(-1).last });
		for (const [name, path] of Object.entries(paths)) $(`.${name}`, this.node).setAttribute("d", path);
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
	}
}
