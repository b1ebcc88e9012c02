// The job's live stream, brought back by itself. It asks for the newest lines: known ones are dropped by number, a hole
// is fetched when looked at. EventSource hides comments: a dead connection would look like a quiet one.

import { KEEP } from "./api.js";

const DEAD = 40_000; // ms; the server comments every 15 s

export function makeStream(api, view, delegate) {
	let last = "";
	let attempt, timer, watchdog, abort;
	return { start, stop };

	function start() {
		stop();
		attempt = 0;
		run();
	}

	function stop() {
		clearTimeout(timer);
		abort?.abort();
		abort = null;
	}

	async function run() {
		const mine = (abort = new AbortController());
		delegate.connection(attempt ? "reconnecting" : "connecting");
		try {
			await read(mine);
		} catch (error) {
			if (abort === mine && /40[0134]/.test(error.status)) {
				stop();
				delegate.refused(error);
			}
		}
		clearTimeout(watchdog);
		if (abort !== mine) return;
		const pause = backoff(++attempt);
		delegate.connection("reconnecting", Date.now() + pause);
		timer = setTimeout(run, pause);
	}

	async function read(mine) {
		const alive = () => {
			clearTimeout(watchdog);
			watchdog = setTimeout(() => mine.abort(), DEAD);
		};
		alive();
		const address = api.url("/events", {
			format: "batch", sample_logs: view.sample_logs || "false", refresh_seconds: 0.25, tail: 500, max_line_bytes: KEEP, last_event_id: last,
		});
		const response = await api.ask(address, { signal: mine.signal });
		if (response.status === 204) return over();
		attempt = 0;
		delegate.connection("live");
		for await (const { event, data, id } of events(response.body, alive)) {
			if (abort !== mine) return;
			if (event === "done") {
				last = id ?? "";
				over();
			}
			delegate.event(event, JSON.parse(data));
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
