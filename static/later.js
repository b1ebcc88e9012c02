// Modules that most who open a log never need are loaded by those who do.

import { problem, SILENT } from "./api.js";

/**
 * `load(again)`: the import, with `again` behind the module's name; `make` makes of it what is wanted, once. A browser may
 * remember that a module could not be fetched, so it is asked for under another name then.
 */
export function later(load, make) {
	let tries = 0;
	let made;
	return () => (made ??= load(tries++ ? `?${tries}` : "").then(make, () => {
		made = null;
		throw problem(0, SILENT);
	}));
}

/** What lays JSON out. */
export const json = later((again) => import(`./json.js${again}`), ({ jsonNodes }) => jsonNodes);
