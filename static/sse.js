// Server-Sent Events (WHATWG HTML 9.2.6). Pure. EventSource hides comments: a dead connection would look like a quiet one.

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
