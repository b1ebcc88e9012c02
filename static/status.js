// A job's status in words, as in webapp/web/words.py. Pure.

const ENDED = { done: "Done", failed: "Failed", canceled: "Canceled", cancelled: "Canceled" };

export function describe({ job_status, status, finished_job_status, terminal_status }) {
	const name = job_status ?? "";
	const over = finished_job_status ?? terminal_status ?? false;
	const ended = ENDED[name.toLowerCase()];
	if (ended) return { over, state: ended.toLowerCase(), label: ended };
	if (over) return { over, state: "ended", label: name || "Ended" };
	const label = /^cancel/i.test(name) ? "Stopping" : /pend|queue|creat|start|wait/i.test(name || status) ? "Pending" : "Running";
	return { over, state: label.toLowerCase(), label };
}
