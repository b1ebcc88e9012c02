// Rows of whatever height on a sheet that lies `top` px down a spacer. Scrolling adds and drops rows at the sheet's ends
// and moves nothing else; a leap of the scrollbar becomes a line (`makeScale`).

import { on } from "./dom.js";

const OVER = 500; // px kept drawn above and below the view
const FEW = 40; // rows a step
const HELD = 4000; // rows that a selection may keep drawn
// Browsers cap heights (Firefox at 17 million px): past CAP a log's middle is squeezed, its ends are not.
const CAP = 8e6;
const EDGE = 1e6;

export function makeViewport(scroller, lines, delegate) {
	const [spacer, sheet] = scroller.children;
	const port = { follow: false, rowHeight: 20, show, draw, redraw, renew, replace, reveal, offset, schedule, seen, keep: () => lines.keep(a0, a1) };
	let a0 = 0; // the items that are drawn
	let a1 = 0;
	let top = 0;
	let spaced = 0;
	let expected = 0;
	let frame = 0;

	on(scroller, "scroll", scrolled);
	new ResizeObserver(schedule).observe(scroller);
	return port;

	/** The rows in view. */
	function seen() {
		const from = scroller.scrollTop - top;
		const to = from + scroller.clientHeight;
		return [...sheet.children].filter((row) => row.offsetTop < to && row.offsetTop + row.offsetHeight > from);
	}

	function schedule() {
		frame ||= requestAnimationFrame(() => {
			frame = 0;
			draw();
		});
	}

	/** How far below the top of the view a drawn row begins, in px. */
	function offset(row) {
		return top + row.offsetTop - scroller.scrollTop;
	}

	/** Scrolls as little as shows the whole of a line. */
	function reveal(line) {
		const row = [...sheet.children].find((one) => one.item.line === line);
		if (!row) return show(line);
		const above = offset(row);
		const below = above + row.offsetHeight - scroller.clientHeight;
		if (above < 0 || below > 0) scroller.scrollTop += above < 0 ? above : below;
	}

	/** `place`: "top", "middle", px below the top, or "here", where the scrollbar stands. */
	function show(line, place = "middle") {
		const at = Math.min(lines.index(line), lines.items.length - 1);
		clear(lines.base + Math.max(0, at));
		top = scroller.scrollTop;
		if (place !== "here" && at >= 0) {
			const above = place === "middle" ? scroller.clientHeight / 3 : Number(place) || 0;
			top = Math.max(scale().top(lines.items[at].line), above);
			space(top + 2 * scroller.clientHeight, true);
			scroll(top - above);
		}
		draw();
	}

	function redraw() {
		const [row] = seen();
		const at = row ? top + row.offsetTop : scroller.scrollTop;
		clear(atEnd() ? lines.end : lines.base + (row ? lines.index(row.item.line) : 0));
		top = Math.max(0, at);
		draw();
	}

	/** From a line on the items have changed, and those before it have not. */
	function renew(line) {
		if (!(sheet.firstChild?.item.line < line)) return redraw();
		while (sheet.lastChild.item.line >= line) sheet.lastChild.remove();
		a1 = a0 + sheet.childElementCount;
		schedule();
	}

	function replace(row) {
		const at = lines.base + lines.index(row.item.line);
		row.replaceWith(...rows(at, at + 1));
		draw();
	}

	function draw() {
		if (!lines.items.length) clear(0);
		const end = atEnd();
		if (end && (a0 < lines.base || lines.end - a1 > 3 * FEW)) clear(lines.end);
		if (a0 < lines.base || a1 > lines.end) return redraw();
		const view = scroller.clientHeight;
		if (end) {
			append(Infinity);
			space(height() + view, true);
			top = spaced - height();
			scroll(spaced);
		}
		const low = scroller.scrollTop - OVER;
		const high = scroller.scrollTop + view + OVER;
		while (a1 < lines.end && top + height() < high) append(FEW);
		while (a0 > lines.base && top > low) prepend(FEW);
		if (getSelection().isCollapsed || sheet.childElementCount > HELD) drop(low - OVER, high + OVER);
		bounds();
		if (end) scroll(spaced);
		if (a1 === lines.end && top + height() < high) delegate.more(1);
		if (a0 === lines.base && top > low) delegate.more(-1);
		const count = sheet.childElementCount;
		if (count > 10 && height()) port.rowHeight = height() / count; // on paper it has none
		delegate.drawn();
	}

	function height() {
		return sheet.offsetHeight;
	}

	function atEnd() {
		return port.follow && lines.atEnd;
	}

	function clear(at) {
		sheet.replaceChildren();
		a0 = a1 = at;
		top = 0;
	}

	function scale() {
		return makeScale(lines.first, lines.last, port.rowHeight / lines.spread());
	}

	function rows(a, b) {
		const { items, base } = lines;
		return items.slice(a - base, b - base).map((item, i) => Object.assign(delegate.row(item, items[a - base + i - 1]), { item }));
	}

	function append(count) {
		const b = Math.min(lines.end, a1 + count);
		sheet.append(...rows(a1, b));
		a1 = b;
	}

	function prepend(count) {
		const before = height();
		const a = Math.max(lines.base, a0 - count);
		sheet.prepend(...rows(a, a0));
		a0 = a;
		top -= height() - before;
	}

	function space(px, least) {
		spaced = least ? Math.max(px, scale().height) : px;
		spacer.style.height = `${spaced}px`;
	}

	function scroll(to) {
		scroller.scrollTop = to;
		expected = scroller.scrollTop;
	}

	/** The true ends. Moving sheet and scroll position together is unseen. */
	function bounds() {
		const before = top;
		if (a0 === lines.base && lines.atStart) top = 0;
		else if (top < 0) top = Math.max(scale().top(lines.items[a0 - lines.base].line), 2 * OVER);
		sheet.style.top = `${top}px`;
		const bottom = top + height();
		const last = a1 === lines.end && lines.atEnd;
		space(last ? bottom : bottom + OVER, !last);
		if (top !== before) scroll(scroller.scrollTop + top - before); // it would end the browser's glide
	}

	function drop(low, high) {
		const drawn = [...sheet.children];
		const above = drawn.filter((row) => top + row.offsetTop + row.offsetHeight < low);
		const below = drawn.filter((row) => top + row.offsetTop > high);
		if (above.length > FEW) {
			top += drawn[above.length]?.offsetTop ?? 0;
			above.forEach((row) => row.remove());
			a0 += above.length;
		}
		if (below.length > FEW) {
			below.forEach((row) => row.remove());
			a1 -= below.length;
		}
	}

	function scrolled() {
		const { scrollTop: at, clientHeight: view } = scroller;
		const moved = Math.abs(at - expected);
		expected = at;
		if (moved <= 2 || !lines.items.length) return;
		if (atEnd() && at + view >= spaced - 2) return schedule(); // the view was resized
		port.follow = false;
		delegate.left();
		const away = at + view < top - OVER || at > top + height() + OVER;
		const leap = Math.max(3 * view, spaced / view / 2); // less than a px of the scrollbar is the wheel's
		if (away && moved > leap) delegate.seek(scale().line(at));
		else draw();
	}
}

/** Which place of the scrollbar stands for which line. */
export function makeScale(first, last, row) {
	const full = Math.max(0, last - first + 1) * row;
	const height = Math.min(full, CAP);
	const squeeze = full > CAP ? (full - 2 * EDGE) / (CAP - 2 * EDGE) : 1;
	return { height, top, line };

	function top(line) {
		const px = Math.max(0, line - first) * row;
		const below = full - px;
		return px <= EDGE ? px : below <= EDGE ? height - below : EDGE + (px - EDGE) / squeeze;
	}

	function line(px) {
		const below = height - px;
		const at = px <= EDGE ? px : below <= EDGE ? full - below : EDGE + (px - EDGE) * squeeze;
		return first + Math.max(0, Math.floor(at / row));
	}
}
