// The whole log at a glance: how fast it came, where it warned and failed. A click goes there.

import { $, number, on, put, show } from "./dom.js";
import { stamp } from "./times.js";

const WIDTH = 600; // as the server draws it
const FEW = 8; // parts; with fewer the lines in memory say more, where they are the whole log
const LEAST = 20; // lines that are worth a map

export function makeMap(viewer) {
	const node = $("#map");
	let first, last;
	let parts = [];
	for (const event of ["pointerdown", "pointermove"]) on(node, event, seek);
	on(node, "pointermove", describe);
	on(node, "pointerleave", () => show("#place", false));
	return { draw, here };

	function lineAt({ offsetX }) {
		return Math.min(last, Math.max(first, Math.round(first + (offsetX / node.clientWidth) * (last - first))));
	}

	function seek(event) {
		if (event.buttons) viewer.moves.goto(lineAt(event), "top");
	}

	/** Says which line and time is under the pointer. */
	function describe(event) {
		const line = lineAt(event);
		const part = parts.find((one) => line <= one.last) ?? parts.at(-1);
		const share = (line - part.first) / Math.max(1, part.last - part.first);
		const time = stamp(part.low_ms + share * (part.high_ms - part.low_ms), viewer.view.time === "utc" ? "utc" : "local", null, null);
		put("#place", [`Line ${number(line)}`, time.replace(/\.\d+/, ""), part.errors && `errors here`].filter(Boolean).join(" · "));
		show("#place", true);
		$("#place").style.left = `${Math.min(event.offsetX, node.clientWidth - 230)}px`;
	}

	async function draw(given, paths) {
		const { items, atStart, atEnd } = viewer.lines;
		const whole = given.length < FEW && atStart && atEnd && items.length > LEAST && !viewer.filters.any();
		const { partsOf, pathsOf } = whole ? await import("./drawing.js").catch(() => ({})) : {};
		if (whole && !partsOf) return; // the service is down; the next overview asks again
		parts = whole ? partsOf(items) : given;
		show(node, parts.length > 1);
		if (node.hidden) return;
		[first, last] = [parts[0].first, parts.at(-1).last];
		for (const [name, path] of Object.entries(whole ? pathsOf(parts) : paths)) $(`.${name}`, node).setAttribute("d", path);
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
