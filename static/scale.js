// Which place of the scrollbar stands for which line. Pure.
// Browsers cap an element's height (Firefox at 17 million px): past CAP the middle of a log is squeezed, the ends not.

const CAP = 8e6;
const EDGE = 1e6;

export class Scale {
	constructor(first, last, row) {
		this.first = first;
		this.row = row;
		this.full = Math.max(0, last - first + 1) * row;
		this.height = Math.min(this.full, CAP);
		this.squeeze = this.full > CAP ? (this.full - 2 * EDGE) / (CAP - 2 * EDGE) : 1;
	}

	top(line) {
		const px = Math.max(0, line - this.first) * this.row;
		if (px <= EDGE) return px;
		const below = this.full - px;
		return below <= EDGE ? this.height - below : EDGE + (px - EDGE) / this.squeeze;
	}

	line(px) {
		const below = this.height - px;
		const full = px <= EDGE ? px : below <= EDGE ? this.full - below : EDGE + (px - EDGE) * this.squeeze;
		return this.first + Math.max(0, Math.floor(full / this.row));
	}
}
