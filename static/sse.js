// Server-Sent Events as a machine: text in, events out (WHATWG HTML 9.2.6). Pure.
// Not EventSource: that hides comments, so a dead connection can't be told from a quiet one, and hides why it failed.

export class Decoder {
  #rest = "";
  #event = "";
  #data = [];
  #id = null;
  retry = null;

  /** Feeds a chunk; returns the events it completed: `{event, data, id}`. `id` is null where none came. */
  feed(chunk) {
    const lines = (this.#rest + chunk).split("\n");
    this.#rest = lines.pop();
    const events = [];
    for (const raw of lines) {
      const line = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
      if (line === "") this.#dispatch(events);
      else this.#field(line);
    }
    return events;
  }

  #field(line) {
    const colon = line.indexOf(":");
    if (colon === 0) return;
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + (line[colon + 1] === " " ? 2 : 1));
    if (name === "event") this.#event = value;
    else if (name === "data") this.#data.push(value);
    else if (name === "id" && !value.includes("\0")) this.#id = value;
    else if (name === "retry" && /^\d+$/.test(value)) this.retry = Number(value);
  }

  #dispatch(events) {
    if (this.#data.length) {
      events.push({ event: this.#event || "message", data: this.#data.join("\n"), id: this.#id });
    }
    this.#event = "";
    this.#data = [];
    this.#id = null;
  }
}

/** Full jitter from half a second to 15 s: ms until attempt `n` (from 1). */
export function backoff(attempt, random = Math.random()) {
  return Math.round(250 + random * Math.min(15_000, 500 * 2 ** Math.min(attempt, 10)));
}
