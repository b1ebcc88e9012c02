// The toolbar, the keys, and what they lead to.

import { $, $$, announce, copy, el, on, pressed, put, show, toast } from "./dom.js";
import { keyOf } from "./ui.js";

const TYPING = 300; // ms after the last key until it is looked for

export function startControls({ api, view, viewer, find, errors, head, stream }) {
	const { lines, marks, moves, viewport } = viewer;
	let typed = 0;

	/** What a choice in the toolbar changes, by its name in the address and the markup. */
	const changes = {
		time: viewer.look,
		wrap() {
			viewer.look();
			announce(view.wrap ? "Long lines are wrapped" : "Long lines are not wrapped");
		},
		case: searchAnew, regex: searchAnew,
		only: filterAnew,
		async level() {
			head.truth();
			await filterAnew();
			if (view.q) await find.run();
		},
		sample_logs() {
			head.omitted = 0;
			head.truth();
			viewer.refill();
			stream.start(true);
		},
	};

	const toStart = () => moves.goto(lines.first, "top");
	const toEnd = async () => {
		await moves.toEnd();
		announce("At the end, which is followed");
	};
	const clicks = {
		"find-next": () => find.step(1), "find-prev": () => find.step(-1),
		"err-next": () => errors.hop(1), "err-prev": () => errors.hop(-1),
		follow() {
			if (!viewport.follow) return toEnd();
			moves.follow(false);
			announce("The end is not followed");
		},
		fresh: toEnd, hide,
		"mark-copy": viewer.copying.copyMark,
		"mark-link": () => copy(marks.link(), "link"),
		"mark-clear": () => marks.set(0),
	};
	const strokes = {
		Home: toStart, g: toStart, End: toEnd, G: toEnd, Escape: () => marks.set(0),
		j: () => moves.step(1), k: () => moves.step(-1), J: () => extend(1), K: () => extend(-1),
		x: () => marks.current && marks.set(marks.marked?.first === marks.current && marks.marked.last === marks.current ? 0 : marks.current, undefined, true),
		":"() {
			$("#find").value = ":";
			$("#find").focus();
		},
	};

	for (const name in clicks) on(`#${name}`, "click", clicks[name]);
	for (const name in changes) {
		const choice = $(`#${name}`).matches("select");
		on(`#${name}`, choice ? "change" : "click", ({ target }) => {
			view[name] = choice ? target.value : !view[name] && (name === "case" ? "exact" : true);
			display();
			changes[name]();
		});
	}
	on("#find", "input", () => {
		clearTimeout(typed);
		typed = setTimeout(search, TYPING);
	});
	on("#hidden", "click", ({ target }) => target.closest("button") && unhide(target.closest("button").text));
	on(document, "keydown", pushed);
	$("#find").value = view.q;
	display();
	return { search, inContext };

	/** Shows what the view says, and puts it into the address. */
	function display() {
		for (const name in changes) {
			const control = $(`#${name}`);
			if (control.matches("select")) control.value = view[name];
			else pressed(control, view[name]);
		}
		const texts = view.exclude.split("\n").filter(Boolean);
		show("#hidden", texts.length);
		$("#hidden").replaceChildren(...texts.map((text) =>
			el("button", "chip", [el("span", "", `Hidden: ${text}`), "×"], { type: "button", text, ariaLabel: `Show lines with ${text} again` })));
		marks.save();
	}

	async function searchAnew() {
		if (!view.q && !view.exclude) return;
		if (view.only || view.exclude) await moves.filter();
		await find.run();
	}

	async function filterAnew() {
		await moves.filter();
		viewer.changed();
	}

	/** Looks for what was typed, or goes where it says after a colon. */
	async function search() {
		clearTimeout(typed);
		const text = $("#find").value;
		if (text[0] === ":") return;
		view.q = text;
		display();
		if (view.only) await moves.filter();
		await find.run();
	}

	async function goTo(text) {
		const { parsePlace } = await import("./places.js");
		const place = parsePlace(text, viewer.times());
		if (!place) return toast("place", true);
		if (place.first) return marks.open(place.first, place.last);
		const line = await viewer.lineAt(place.ms);
		if (line) await moves.lead(line, "middle");
	}

	/** Hides the lines that hold what stands in the find field. */
	async function hide() {
		if (!view.q) return toast("unhidden");
		view.exclude = [...new Set([...view.exclude.split("\n"), view.q])].filter(Boolean).join("\n");
		$("#find").value = view.q = "";
		view.only = "";
		await filtered();
	}

	/** Shows a line among its neighbours, which a filter hides. What is hidden as noise stays so, unless that alone hides them. */
	async function inContext(line) {
		const { only, level } = view;
		if (!only && !level) view.exclude = "";
		view.only = view.level = "";
		marks.point(line);
		display();
		await filterAnew();
		toast(only ? "context" : "among");
	}

	async function unhide(gone) {
		view.exclude = view.exclude.split("\n").filter((text) => text !== gone).join("\n");
		await filtered();
	}

	async function filtered() {
		display();
		await filterAnew();
		await find.run();
	}

	/** Marks from the mark, or the current line, by one line more. */
	async function extend(by) {
		const { current, marked } = marks;
		const from = !marked ? current : current === marked.first ? marked.last : marked.first;
		const to = current ? await moves.step(by) : 0;
		if (to) marks.set(from, to, true);
	}

	function pushed(event) {
		const { key, ctrlKey, metaKey, target } = event;
		const inLog = !target.closest("input, dialog");
		const chords = {
			f: !$("dialog[open]") && (() => $("#find").select()),
			a: inLog && lines.last && (() => marks.set(lines.first, lines.last)),
			c: inLog && marks.marked && getSelection().isCollapsed && viewer.copying.copyMark,
		};
		const typing = {
			Escape: () => viewer.root.focus(), // browsers would empty the field
			Enter() {
				if (target.value[0] === ":") return goTo(target.value.slice(1).trim());
				return view.q === target.value && view.q ? find.step(event.shiftKey ? -1 : 1) : search();
			},
		};
		const onLine = target === viewer.root && marks.current && key === "Enter" && viewer.filters.any();
		const act = ctrlKey || metaKey ? chords[key] : target.id === "find" ? typing[key]
			: onLine ? () => inContext(marks.current) : strokes[keyOf(event)];
		if (!act) return;
		event.preventDefault();
		act();
	}
}
