// The service's API for one job.

import { hear } from "./clock.js";

export const KEEP = 8192; // bytes of a message that come to the tab

export const SILENT = "The service does not answer.";

/** `status`: 0 where the service did not answer. */
export const problem = (status, detail) => Object.assign(new Error(detail), { status });

export function makeApi(job) {
	// This file is at `<root>static/<version>/api.js`.
	const base = `${new URL("../../", import.meta.url).pathname}api/jobs/${encodeURIComponent(job)}`;
	return { url, ask, json, send, lines: (params) => json("/logs", { ...params, max_line_bytes: KEEP }) };

	function url(path, params = {}) {
		const given = Object.entries(params).filter(([, value]) => value || value === 0);
		return `${base}${path}?${new URLSearchParams(given)}`;
	}

	async function ask(address, options) {
		const sent = Date.now();
		const response = await fetch(address, options).catch((error) => {
			throw error.name === "AbortError" ? error : problem(0, SILENT);
		});
		hear(response.headers.get("date"), sent);
		if (response.ok) return response;
		const { detail } = await response.json().catch(() => ({}));
		throw problem(response.status, detail ?? `The service answered ${response.status}.`);
	}

	async function json(path, params, options) {
		return (await ask(url(path, params), options)).json();
	}

	async function send(method, path, body) {
		const headers = { "content-type": "application/json" };
		const response = await ask(base + path, { method, headers, body: JSON.stringify(body) });
		return response.json().catch(() => null);
	}
}
