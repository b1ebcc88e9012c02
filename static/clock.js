// The service's clock, by which the page shows all times, since the reader's own may be wrong.

const WHOLE_SECONDS = 2000; // ms: a Date header has whole seconds, and may be made a second before its answer

let [least, most] = [-Infinity, Infinity]; // how far the service's clock can be ahead of the reader's, in ms

/** An answer's Date header, and when by the reader's clock its request was sent and it came. */
export function hear(header, sent, received = Date.now()) {
	const dated = Date.parse(header);
	if (isNaN(dated)) return;
	const [low, high] = [dated - received, dated + WHOLE_SECONDS - sent];
	// Answers that contradict each other: one of the clocks was set.
	if (low > most || high < least) [least, most] = [-Infinity, Infinity];
	[least, most] = [Math.max(least, low), Math.min(most, high)];
}

/** Now, in ms, by the service's clock; by the reader's own where the two may agree. */
export const now = () => Date.now() + (least > 0 ? least : most < 0 ? most : 0);
