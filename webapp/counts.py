"""What the service counts of itself, for `/metrics`: plain numbers, so that who counts knows nothing of who reads.

A name here is the name of a metric without its prefix `jobtail_`; `docs/operations.md` says what each means.
"""

from __future__ import annotations

import threading
from collections import Counter

Labels = tuple[tuple[str, str], ...]

# Name, and what it counts. All only grow, from the start of the process.
COUNTED = {
    "upstream_requests_total": "Requests to the upstream, by what was asked and how it went.",
    "upstream_seconds_total": "Seconds until the heads of the upstream's answers, by what was asked.",
    "lines_in_total": "Lines that were appended to journals by this process.",
    "bytes_in_total": "Bytes of these lines, encoded.",
    "batches_in_total": "Appends.",
    "append_seconds_total": "Seconds that the appends took, waiting for the disk or the database included.",
    "lines_out_total": "Lines that passed viewers of streams, shown, filtered or sampled.",
    "sends_total": "Messages that were sent to viewers of streams.",
    "bytes_out_total": "Bytes of these messages.",
    "appends_refused_total": "Appends that were refused because the disk is nearly full.",
    "journals_forgotten_total": "Jobs whose lines were forgotten, by why: age, size of all, or room on the disk.",
    "lease_changes_total": "Leases of journals that were taken and lost.",
    "gaps_total": "Places where lines may be missing for good.",
    "resets_total": "Streams that had to begin anew.",
    "viewers_dropped_total": "Streams that were ended because their socket took nothing any more.",
    "requests_total": "Answered requests, by route and status.",
    "request_seconds_total": "Seconds until the heads of these answers, by route.",
}


class Counts:
    """Any thread may add."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: Counter[tuple[str, Labels]] = Counter()

    def add(self, name: str, amount: float = 1, **labels: str) -> None:
        key = (name, tuple(sorted(labels.items())))
        with self._lock:
            self._values[key] += amount  # type: ignore[assignment]

    def all(self) -> list[tuple[str, Labels, float]]:
        """A copy. Every name is there, also where nothing was counted yet."""
        with self._lock:
            found = [(name, labels, float(value)) for (name, labels), value in self._values.items()]
        named = {name for name, _, _ in found}
        return found + [(name, (), 0.0) for name in COUNTED if name not in named]


counts = Counts()
