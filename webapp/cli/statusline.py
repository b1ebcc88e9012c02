"""One line at the foot of a terminal that says how a long wait goes. Nothing where nobody sees it."""

from __future__ import annotations

import shutil
import sys
import threading
import time
from typing import Any

from ..client.api import Client
from ..client.errors import ClientError
from ..client.safe import plain
from ..durations import duration
from .out import foot
from .words import count_of, moment, word_of

LATER_SECONDS = 0.5


class StatusLine:
    """While the block runs, on standard error. `seconds`: how often the status is asked for."""

    def __init__(self, client: Client, job: str, seconds: float) -> None:
        self._client = client
        self._job = job
        self._seconds = max(1.0, seconds)
        self._begun = time.time()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="status line", daemon=True)

    def __enter__(self) -> None:
        if sys.stderr.isatty():
            self._thread.start()

    def __exit__(self, *error: object) -> None:
        self._over.set()
        if self._thread.ident is not None:
            self._thread.join(1)
            foot("")

    def _run(self) -> None:
        status: dict[str, Any] = {}
        asked = 0.0
        pause = LATER_SECONDS
        while not self._over.wait(pause):
            pause = 1.0
            if time.monotonic() - asked >= self._seconds or not status:
                asked = time.monotonic()
                try:
                    status = self._client.status(self._job)
                except ClientError as error:
                    status = {"status": str(error)}
            if not self._over.is_set():
                foot(words(status, self._begun, time.time(), shutil.get_terminal_size().columns))


def words(status: dict[str, Any], begun: float, now: float, width: int) -> str:
    """`etl · Running · 3 of 10 tasks · 3 min 7 s`, no wider than the terminal. `begun`: when the wait began, for a
    job that does not say when it did."""
    started = moment(status.get("creation_date"))
    parts = [str(status.get("job_name") or ""), word_of(status)]
    if (total := count_of(status.get("total_tasks"))) > 1:
        parts.append(f"{count_of(status.get('finished_tasks'))} of {total} tasks")
    parts.append(duration(max(0.0, now - (started.timestamp() if started else begun))))
    text = " · ".join(plain(part) for part in parts if part)
    return text if len(text) < width else text[: max(0, width - 2)] + "…"
