"""An honest owner, who watches a live job while something else goes on, and how late the lines come."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from types import TracebackType

from tests.security.house import OWNER
from tests.served import until
from tests.sse import EventStream
from tests.upstream import now_ms


@dataclass
class Owner:
    """Watches `job` through `door` (an address) in a thread of its own, from `with` on until its end.

    `delays`: seconds from the timestamp of each line to its arrival. The last one is of a line that was written after
    everything else, so that a stream which stands still is found by waiting, and not by having no figures."""

    door: str
    job: str
    delays: list[float] = field(default_factory=list)
    failure: str = ""

    def __enter__(self) -> Owner:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        until(lambda: self.delays or self.failure, "the owner's first line", 60)
        assert not self.failure, self.failure
        self.delays.clear()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join(60)
        if error is None:
            assert not self.failure and not self._thread.is_alive(), self.failure or "the owner's stream stands still"

    def _watch(self) -> None:
        url = f"{self.door}/api/jobs/{self.job}/events?tail=0&sample_logs=false"
        try:
            with EventStream(url, headers=OWNER, timeout=50) as events:
                assert events.status == 200, events.status
                for event in events:
                    if event.name == "":
                        self.delays.append((now_ms() - event.data["timestamp"]) / 1000)
                        if self._stop.is_set():
                            return
            self.failure = "the owner's stream ended"
        except (OSError, AssertionError, ValueError) as error:
            self.failure = f"the owner's stream broke: {error!r}"

    def watches(self, seconds: float) -> None:
        """For so long, and until there are enough lines to tell."""
        time.sleep(seconds)
        until(lambda: len(self.delays) >= 8 or self.failure, "eight lines of the owner's", 60)
        assert not self.failure, self.failure


def nine_in_ten(delays: list[float]) -> float:
    """What nine in ten of them take at most."""
    return sorted(delays)[len(delays) * 9 // 10]
