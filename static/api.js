// The service's API for one job.

const KEEP = 8192; // characters of a message that stay in the tab

/** What the service refused, in its own words. `status`: 0 when it did not answer at all. */
const problem = (status, detail) => Object.assign(new Error(detail), { status });

export class Api {
	constructor(job) {
		this.base = `/api/jobs/${encodeURIComponent(job)}`;
	}

	url(path, params = {}) {
		const given = Object.entries(params).filter(([, value]) => value || value === 0);
		return `${this.base}${path}?${new URLSearchParams(given)}`;
	}

	async ask(address, options) {
		const response = await fetch(address, options).catch((error) => {
			throw error.name === "AbortError" ? error : problem(0, "The service does not answer.");
		});
		if (response.ok) return response;
		const { detail } = await response.json().catch(() => ({}));
		throw problem(response.status, detail ?? `The service answered ${response.status}.`);
	}

	async json(path, params, options) {
		return (await this.ask(this.url(path, params), options)).json();
	}

	async send(method, path, body) {
		const headers = { "content-type": "application/json" };
		const response = await this.ask(this.base + path, { method, headers, body: JSON.stringify(body) });
		return response.json().catch(() => null);
	}

	/** Read one by one, so that a 10 MB message does not stay in memory. */
	async lines(params) {
		const response = await this.ask(this.url("/logs", { ...params, format: "ndjson" }));
		const lines = [];
		let rest = [];
		for await (const chunk of chunks(response)) {
			const parts = chunk.split("\n");
			rest.push(parts.shift());
			for (const part of parts) {
				lines.push(trim(JSON.parse(rest.join(""))));
				rest = [part];
			}
		}
		return lines;
	}
}

export async function* chunks(response) {
	const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
	for (;;) {
		const { value, done } = await reader.read();
		if (done) return;
		yield value;
	}
}

export function trim(line) {
	if (line.message.length > KEEP) {
		const { message } = line;
		Object.assign(line, { message: message.slice(0, KEEP), size: line.cut ? 0 : message.length, cut: true });
	}
	return line;
}
