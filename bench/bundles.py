"""The same bundles for nchan as jobtail sends to a browser: lines as they stand in its journal, as one data line."""

from __future__ import annotations

import threading
import time

from generator import WIDTH, live_message
from servers import Nchan


def bundle(first: int, count: int, timestamp: int, width: int = WIDTH) -> bytes:
    lines = (
        b'{"id":"mb3k7ab-%d","line":%d,"timestamp":%d,"message":"%s","level":null}'
        % (line, line, timestamp, live_message(line, width))
        for line in range(first, first + count)
    )
    return b"[" + b",\t".join(lines) + b"]"


class Publisher:
    """Feeds nchan `rate` lines a second, a bundle a beat, from a thread; `behind`: it could not keep up."""

    def __init__(self, nchan: Nchan, rate: int, beat: float) -> None:
        self.nchan, self.rate, self.beat = nchan, rate, beat
        self.lines = 0
        self.behind = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        due = time.monotonic()
        while not self._over.is_set():
            count = int(self.rate * self.beat)
            self.nchan.publish(bundle(self.lines + 1, count, int(time.time() * 1000)))
            self.lines += count
            due += self.beat
            self.behind = max(self.behind, time.monotonic() - due)
            self._over.wait(max(0.0, due - time.monotonic()))

    def __enter__(self) -> Publisher:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
