// The job's live stream, brought back by itself. It asks for the newest lines: known ones are dropped by number, a hole
// is fetched when looked at. EventSource hides comments: a dead connection would look like a quiet one.
//
// Where no connection may be held, or something in between holds back an answer until it ends, it asks every few
// seconds for a stream that ends at once.

import { KEEP } from "./api.js";
import { makeSlot, manyStreams } from "./slots.js";

const DEAD = 40_000; // ms; the server comments every 15 s
const HELD_BACK = 5_000; // ms without the status, which the server sends at once
const SHORT = 1; // seconds that a short stream lasts
const PAUSE = 2_000; // ms between two of them
const STEADY = 5_000; // ms that a stream lasts which was no failed attempt

export function makeStream(api, view, delegate) {
	const slot = makeSlot(localStorage);
	let attempt, timer, watchdog, abort;
	let end = ""; // the cursor that says that all has come; the server answers it with 204
	let cursor = ""; // the newest line that a short stream brought
	let heldBack = false;
	return { start, stop };

	/** `anew`: what came before was forgotten. */
	function start(anew = false) {
		stop();
		if (anew) end = "";
		cursor = "";
		attempt = 0;
		run();
	}

	function stop() {
		clearTimeout(timer);
		clearTimeout(watchdog);
		abort?.abort();
		abort = null;
		slot.release();
	}

	async function run() {
		const mine = (abort = new AbortController());
		const why = heldBack ? "buffered" : manyStreams() || slot.claim() ? "" : "tabs";
		if (!cursor) delegate.connection(attempt ? "reconnecting" : "connecting");
		const begun = Date.now();
		let whole = false;
		try {
			whole = await read(mine, why);
		} catch (error) {
			if (abort === mine && /40[0134]/.test(error.status)) {
				stop();
				delegate.refused(error);
			}
		}
		clearTimeout(watchdog);
		if (abort !== mine) return;
		if (whole) {
			timer = setTimeout(run, PAUSE);
			return;
		}
		cursor = "";
		if (Date.now() - begun > STEADY) attempt = 0;
		const pause = backoff(++attempt);
		delegate.connection("reconnecting", Date.now() + pause);
		timer = setTimeout(run, pause);
	}

	/** `why` the stream has to be short, if it has to. Gives whether a short one ended as it should. */
	async function read(mine, why) {
		let live = false;
		const watch = (wait) => {
			clearTimeout(watchdog);
			watchdog = setTimeout(() => {
				if (!live) heldBack = !heldBack; // the other way is tried next
				mine.abort();
			}, wait);
		};
		watch(DEAD);
		const address = api.url("/events", {
			format: "batch", sample_logs: view.sample_logs || "false", refresh_seconds: 0.25, tail: 500, max_line_bytes: KEEP,
			last_event_id: end || cursor, timeout: why && SHORT,
		});
		const response = await api.ask(address, { signal: mine.signal });
		if (response.status === 204) return over();
		watch(HELD_BACK);
		for await (const { event, data, id } of events(response.body, () => live && watch(DEAD))) {
			if (abort !== mine) return;
			if (!live) {
				live = true;
				watch(DEAD);
				delegate.connection("live", 0, why);
			}
			if (!why) slot.claim(); // renews it
			const value = JSON.parse(data);
			if (why && id) cursor = id;
			if (event === "done") {
				if (why && value.reason === "timeout") return true;
				end = id ?? "";
				over();
			}
			await delegate.event(event, value);
		}
	}

	function over() {
		stop();
		delegate.connection("ended");
	}
}

/** Server-Sent Events (WHATWG HTML 9.2.6). `heard`: called with all that comes, comments too. */
export async function* events(body, heard) {
	const reader = body.pipeThrough(new TextDecoderStream()).getReader();
	let rest = "";
	for (;;) {
		const { value, done } = await reader.read();
		if (done) return;
		heard();
		const blocks = (rest + value).split("\n\n");
		rest = blocks.pop();
		yield* blocks.map(parse).filter((event) => event.data !== null);
	}
}

function parse(block) {
	const found = { event: "message", data: null, id: null };
	for (const line of block.split("\n")) {
		const [, name, value] = /^([^:]*):? ?([^]*)$/.exec(line);
		if (name === "data") found.data = found.data === null ? value : `${found.data}\n${value}`;
		else if (name in found) found[name] = value;
	}
	return found;
}

export const backoff = (attempt, random = Math.random()) => 200 + random * Math.min(15_000, 500 * 2 ** attempt);
