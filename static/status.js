// A job's status in words, as in webapp/web/words.py. Pure.

const ENDED = { done: "Done", failed: "Failed", canceled: "Canceled", cancelled: "Canceled" };

export const finished = (status) => status.finished_job_status ?? status.terminal_status ?? false;

export function describe(status) {
	const name = status.job_status ?? "";
	const ended = ENDED[name.toLowerCase()];
	if (ended) return { state: ended.toLowerCase(), label: ended };
	if (finished(status)) return { state: "ended", label: name || "Ended" };
	if (/^cancel/i.test(name)) return { state: "stopping", label: "Stopping" };
	const pending = /pend|queue|creat|start|wait/i.test(name || status.status);
	return pending ? { state: "pending", label: "Pending" } : { state: "running", label: "Running" };
}
