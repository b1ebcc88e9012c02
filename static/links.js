// Addresses in a line. Only http and https: nothing that a log says may become another kind of link.

const ADDRESS = /\bhttps?:\/\/[^\s<>"'\x60\\^{|}\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]{1,2000}/g;
const CLOSES = { ")": "(", "]": "[" };

/** `[[text, address or undefined], …]`: the whole text in its order. */
export function findLinks(text) {
	if (!text.includes("://")) return [[text]];
	const found = [];
	let at = 0;
	for (const { 0: match, index } of text.matchAll(ADDRESS)) {
		const address = trimmed(match);
		if (!isAddress(address)) continue;
		if (index > at) found.push([text.slice(at, index)]);
		found.push([address, address]);
		at = index + address.length;
	}
	if (at < text.length || !found.length) found.push([text.slice(at)]);
	return found;
}

/** Without the punctuation of the sentence around it. */
function trimmed(address) {
	for (;;) {
		const last = address.at(-1);
		const opens = CLOSES[last];
		if (opens ? address.split(opens).length >= address.split(last).length : !/[.,;:!?*]/.test(last)) return address;
		address = address.slice(0, -1);
	}
}

/** An address that a browser takes, with a host, and without a name and password, which could make it look like another. */
function isAddress(text) {
	const url = URL.parse?.(text) ?? parse(text);
	return Boolean(url && /^https?:$/.test(url.protocol) && url.hostname && !url.username && !url.password);
}

function parse(text) {
	try {
		return new URL(text);
	} catch {
		return null;
	}
}
