// The job's live stream, brought back by itself. It always asks for the newest lines (`tail`): known ones are dropped by
// number, a hole is fetched when the reader looks at it. So a tab that slept for a million lines is back at once.

import { chunks } from "./api.js";
import { Decoder, backoff } from "./sse.js";

const DEAD = 40_000; // ms; the server comments every 15 s

export class Stream {
	#id = "";

	constructor(api, view, delegate) {
		Object.assign(this, { api, view, delegate });
	}

	start() {
		this.stop();
		this.attempt = 0;
		this.#run();
	}

	stop() {
		clearTimeout(this.timer);
		this.abort?.abort();
		this.abort = null;
	}

	async #run() {
		const abort = (this.abort = new AbortController());
		this.delegate.connection(this.attempt ? "reconnecting" : "connecting");
		try {
			await this.#read(abort);
		} catch (error) {
			if (this.abort === abort && [400, 401, 403, 404].includes(error.status)) {
				this.stop();
				this.delegate.refused(error.status, error.message);
			}
		}
		clearTimeout(this.watchdog);
		if (this.abort !== abort) return;
		const pause = backoff(++this.attempt);
		this.delegate.connection("reconnecting", Date.now() + pause);
		this.timer = setTimeout(() => this.#run(), pause);
	}

	async #read(abort) {
		const alive = () => {
			clearTimeout(this.watchdog);
			this.watchdog = setTimeout(() => abort.abort(), DEAD);
		};
		alive();
		const address = this.api.url("/events", {
			format: "batch", sample_logs: this.view.sample_logs || "false", refresh_seconds: 0.25, tail: 500, last_event_id: this.#id,
		});
		const response = await this.api.ask(address, { signal: abort.signal });
		if (response.status === 204) return this.#over();
		this.attempt = 0;
		this.delegate.connection("live");
		const decoder = new Decoder();
		for await (const chunk of chunks(response)) {
			alive();
			for (const { event, data, id } of decoder.feed(chunk)) {
				if (this.abort !== abort) return;
				if (event === "done") {
					this.#id = id ?? "";
					this.#over();
				}
				this.delegate.event(event, JSON.parse(data));
			}
		}
	}

	#over() {
		this.stop();
		this.delegate.connection("ended");
	}
}
