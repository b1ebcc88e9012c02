// Over HTTP/1.1 a browser opens six connections to a host, for all its tabs together. Streams may take four of them:
// with six, the next tab would hang without a word. Hidden tabs hold none.

const STREAMS = 4;
const KEPT = 40_000; // ms until a slot is free again whose tab died; a live stream says something every 15 s
const KEY = "stream-";

/** `storage`: shared by the tabs. Two that claim one slot in the same moment make one stream more, which is harmless. */
export function makeSlot(storage, now = Date.now) {
	const mine = Math.random().toString(36).slice(2);
	return { claim, release };

	/** Takes a slot, or renews the one that is held. False: all are taken. */
	function claim() {
		const slots = Array.from({ length: STREAMS }, (_, n) => KEY + n);
		const owner = (slot) => (storage[slot] ?? "").split(" ");
		const held = slots.find((slot) => owner(slot)[0] === mine);
		if (held && Number(owner(held)[1]) > now() + KEPT / 2) return true; // asked often, written seldom
		const slot = held ?? slots.find((slot) => !(Number(owner(slot)[1]) > now()));
		if (slot) storage[slot] = `${mine} ${now() + KEPT}`;
		return Boolean(slot);
	}

	function release() {
		for (const [slot, value] of Object.entries(storage)) {
			if (slot.startsWith(KEY) && value.startsWith(mine)) delete storage[slot];
		}
	}
}

/** Whether many streams share one connection, as in HTTP/2 and 3. */
export function manyStreams() {
	return /^h[23]/.test(performance.getEntriesByType("navigation")[0]?.nextHopProtocol);
}
