// Server-Sent Events (WHATWG HTML 9.2.6). EventSource hides comments: a dead connection would look like a quiet one.

/** `heard`: called with all that comes, comments too. */
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
