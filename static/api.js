// The service's API for one job.

/** What the service refused, in its own words. `status`: 0 when it did not answer at all. */
export class Problem extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

/** More of a message than this is not kept in the tab; the whole of it is a request away. */
export const KEEP = 8192;

export class Api {
  constructor(job) {
    this.base = `/api/jobs/${encodeURIComponent(job)}`;
  }

  url(path, params = {}) {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(params)) {
      if (value !== null && value !== undefined && value !== "" && value !== false) query.set(name, value);
    }
    const text = query.toString();
    return this.base + path + (text ? `?${text}` : "");
  }

  /** The answer of a request that succeeded; else Problem. */
  async ask(address, options = {}) {
    let response;
    try {
      response = await fetch(address, { credentials: "same-origin", ...options });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Problem(0, "The service does not answer.");
    }
    if (response.ok) return response;
    const problem = await response.json().catch(() => ({}));
    throw new Problem(response.status, problem.detail || problem.title || `The service answered ${response.status}.`);
  }

  async json(path, params, options) {
    return (await this.ask(this.url(path, params), options)).json();
  }

  async send(method, path, body) {
    const headers = body ? { "content-type": "application/json" } : {};
    const response = await this.ask(this.base + path, { method, headers, body: body && JSON.stringify(body) });
    return response.status === 204 ? null : response.json().catch(() => null);
  }

  /** Lines, oldest first. They are read one by one, so that a 10 MB message does not stay in memory. */
  async lines(params, signal) {
    const response = await this.ask(this.url("/logs", { ...params, format: "ndjson" }), { signal });
    const lines = [];
    let rest = "";
    for await (const chunk of chunks(response.body)) {
      if (!chunk.includes("\n")) {
        rest += chunk;
        continue;
      }
      const parts = (rest + chunk).split("\n");
      rest = parts.pop();
      for (const part of parts) if (part) lines.push(trim(JSON.parse(part)));
    }
    if (rest.trim()) lines.push(trim(JSON.parse(rest)));
    return lines;
  }

  async text(params) {
    return (await this.ask(this.url("/logs", { ...params, format: "text" }))).text();
  }
}

export async function* chunks(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** Cuts a long message; `size` remembers how long it was (of a line the stream has cut: at least that). */
export function trim(line) {
  if (line.message.length > KEEP) {
    line.size = line.message.length;
    line.message = line.message.slice(0, KEEP);
    line.cut = true;
  }
  return line;
}
