"""What a job's status means: the one table for page, terminal, notebook and exit codes. `static/head.js` has the same
for the browser.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

# In the order in which a list offers them.
LABELS = {
    "running": "Running",
    "pending": "Pending",
    "stopping": "Stopping",
    "done": "Done",
    "failed": "Failed",
    "canceled": "Canceled",
}
LIVE = frozenset(("running", "pending", "stopping"))
_ENDED = {"done": "done", "failed": "failed", "canceled": "canceled", "cancelled": "canceled"}
_PENDING = re.compile(r"pend|queue|creat|start|wait", re.IGNORECASE)
_BAD = re.compile(r"fail|error|cancel|abort|kill|timed? ?out", re.IGNORECASE)


class JobState(NamedTuple):
    """`style`: a key of LABELS, or "ended" for a job that ended in a way of the upstream's own, whose `label` is then
    the upstream's word."""

    style: str
    label: str


def state_of(name: str | None, finished: bool, instance: str = "") -> JobState:
    """From a `job_status`, whether the job has finished, and the status of its instance."""
    style = _ENDED.get((name or "").lower())
    if style is None and finished:
        return JobState("ended", name or "Ended")
    if style is None:
        style = "running"
        if (name or "").lower().startswith("cancel"):
            style = "stopping"
        elif _PENDING.search(name or instance):
            style = "pending"
    return JobState(style, LABELS[style])


def state_in(status: Mapping[str, Any]) -> JobState:
    """Of a RunResponse or a row of the list as JSON."""
    finished = status.get("finished_job_status")
    over = status.get("terminal_status") if finished is None else finished
    return state_of(_text(status.get("job_status")), over is True, _text(status.get("status")))


def exit_code_of(status: Mapping[str, Any]) -> int:
    """What a command that followed the job exits with: 0, or 1 where it failed or was cancelled."""
    state, code = state_in(status), status.get("exit_code")
    bad = state.style in ("failed", "canceled") or (state.style == "ended" and _BAD.search(state.label))
    return 1 if bad or (isinstance(code, int) and code != 0 and state.style not in LIVE) else 0


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
