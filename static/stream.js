// The job's live stream: one connection, brought back by itself.
//
// Each connection asks for the newest lines (`tail`): what is already known is dropped by its number, and a hole after
// a long absence is fetched when the reader looks at it. So a tab that slept for a million lines is back at once.

import { chunks } from "./api.js";
import { Decoder, backoff } from "./sse.js";

const TAIL = 500;
const DEAD = 40_000; // ms without a byte: the server comments every 15 s

export class Stream {
  /** `delegate`: event(name, data), connection(state, {retryAt, detail}), refused(status, detail). */
  constructor(api, delegate) {
    Object.assign(this, { api, delegate, sampled: false, doneId: "", attempt: 0, on: false });
  }

  start() {
    if (this.on) return;
    this.on = true;
    this.attempt = 0;
    this.#run();
  }

  stop() {
    this.on = false;
    clearTimeout(this.timer);
    clearTimeout(this.watchdog);
    this.abort?.abort();
  }

  /** At once, not after the pause. */
  retry() {
    if (this.on && this.waiting) this.#run();
  }

  async #run() {
    clearTimeout(this.timer);
    this.waiting = false;
    const abort = (this.abort = new AbortController());
    this.delegate.connection(this.attempt ? "reconnecting" : "connecting", {});
    try {
      await this.#read(abort);
    } catch (error) {
      if (!this.on || this.abort !== abort) return;
      if ([400, 401, 403, 404].includes(error.status)) {
        this.on = false;
        this.delegate.refused(error.status, error.message);
        return;
      }
    } finally {
      clearTimeout(this.watchdog);
    }
    if (this.on && this.abort === abort) this.#again();
  }

  #again() {
    this.attempt++;
    this.waiting = true;
    const pause = backoff(this.attempt);
    this.delegate.connection("reconnecting", { retryAt: Date.now() + pause });
    this.timer = setTimeout(() => this.#run(), pause);
  }

  async #read(abort) {
    const alive = () => {
      clearTimeout(this.watchdog);
      this.watchdog = setTimeout(() => abort.abort(), DEAD);
    };
    alive();
    const query = { format: "batch", sample_logs: String(this.sampled), refresh_seconds: "0.25", tail: TAIL };
    const address = this.api.url("/events", this.doneId ? { ...query, last_event_id: this.doneId } : query);
    const response = await this.api.ask(address, { signal: abort.signal, headers: { accept: "text/event-stream" } });
    if (response.status === 204) return this.#over();
    this.attempt = 0;
    this.delegate.connection("live", {});
    const decoder = new Decoder();
    for await (const chunk of chunks(response.body)) {
      alive();
      for (const event of decoder.feed(chunk)) {
        if (!this.on || this.abort !== abort) return;
        this.#take(event);
      }
    }
  }

  #take({ event, data, id }) {
    const value = JSON.parse(data);
    if (event === "done") {
      this.doneId = id ?? "";
      this.#over();
    }
    this.delegate.event(event, value);
  }

  #over() {
    this.on = false;
    this.delegate.connection("ended", {});
    this.abort.abort();
  }
}
