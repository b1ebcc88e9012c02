// The whole log at a glance; a click goes there.

import { $, on } from "./dom.js";

const WIDTH = 600; // as the server draws it

export function makeMap(viewer) {
	const node = $("#map");
	let first, last;
	for (const event of ["pointerdown", "pointermove"]) on(node, event, seek);
	return { draw, here };

	function seek({ offsetX, buttons }) {
		if (buttons) viewer.moves.goto(Math.round(first + (offsetX / node.clientWidth) * (last - first)), "top");
	}

	function draw(parts, paths) {
		node.hidden = parts.length < 2;
		if (node.hidden) return;
		[first, last] = [parts[0].first, parts.at(-1).last];
		for (const name in paths) $(`.${name}`, node).setAttribute("d", paths[name]);
		here();
	}

	function here() {
		if (node.hidden) return;
		const { root, viewport, moves } = viewer;
		const scale = WIDTH / (last - first + 1);
		const width = Math.max(3, (root.clientHeight / viewport.rowHeight) * scale);
		const rect = $("rect", node);
		rect.setAttribute("x", Math.min((moves.topLine() - first) * scale, WIDTH - width));
		rect.setAttribute("width", width);
	}
}
