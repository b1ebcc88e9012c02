// The job's live stream, brought back by itself. It asks for the newest lines: known ones are dropped by number, a hole
// is fetched when the reader looks at it.

import { KEEP } from "./api.js";
import { backoff, events } from "./sse.js";

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
			if (abort === mine && [400, 401, 403, 404].includes(error.status)) {
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
