// The whole log at a glance; a click goes there.

import { $, on } from "./dom.js";

const WIDTH = 600; // of the drawing, which the server makes

export class LogMap {
	constructor(viewer) {
		Object.assign(this, { viewer, node: $("#map") });
		const seek = ({ offsetX, buttons }) => {
			const part = offsetX / this.node.clientWidth;
			if (buttons) viewer.goto(Math.round(this.first + part * (this.last - this.first)), "top");
		};
		on(this.node, "pointerdown", seek);
		on(this.node, "pointermove", seek);
	}

	draw(parts, paths) {
		this.node.hidden = parts.length < 2;
		if (this.node.hidden) return;
		Object.assign(this, { first: parts[0].first, last: parts.at(-1).last });
		for (const name in paths) $(`.${name}`, this.node).setAttribute("d", paths[name]);
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
