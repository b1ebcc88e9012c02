// Server-Sent Events as a machine: text in, events out (WHATWG HTML 9.2.6; our server ends lines with LF). Pure.
// Not EventSource: that hides comments, so that a dead connection looks like a quiet one, and why it was refused.

export class Decoder {
	#rest = "";

	feed(chunk) {
		const blocks = (this.#rest + chunk).split("\n\n");
		this.#rest = blocks.pop();
		return blocks.map(parse).filter((event) => event.data !== null);
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
