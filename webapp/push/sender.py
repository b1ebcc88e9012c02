"""Brings a job's lines from the spool to the service, on a thread of its own: nobody waits for it but at the end."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from ..errors import JobtailError
from .dispatch import Dispatch
from .outbox import Letter
from .spool import Spool
from .wire import Refused, Trouble, Unknown

log = logging.getLogger("jobtail.push")
# Between two requests: as long as the last one took, several times over, so that a busy service gets fewer.
PACE_SECONDS = (0.1, 2.0)
PACE_TIMES = 4.0
RETRY = (0.25, 10.0)
HEARTBEAT_SECONDS = 1.0
# Somebody who waits longer than this in front of a terminal is told the reason.
SAY_SECONDS = 3.0
# So many reasons, each once, until the service takes lines again.
MOST_REASONS = 3


class Sender:
    """Sends what `Dispatch` has, again and again while that fails. `say`: tells the person in front of the terminal."""

    def __init__(self, letter: Letter, spool: Spool, token: str, say: Callable[[str], None]) -> None:
        self._dispatch = Dispatch(letter, spool, token)
        self.refused = ""
        self._say = say
        self._told: set[str] = set()  # what is wrong since the service last took something
        self._retry = RETRY[0]
        self._next_at = 0.0
        self._not_before = 0.0  # what the service asked for
        self._giving_up = False
        self._there = threading.Condition()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sender", daemon=True)
        self._heart = threading.Thread(target=self._beat, name="heart", daemon=True)

    @property
    def cancelled_by(self) -> str | None:
        """Who asked for the job's end."""
        return self._dispatch.cancelled_by

    def start(self) -> None:
        """May be called more than once."""
        if self._thread.ident is None:
            self._thread.start()
            self._heart.start()

    def wake(self) -> None:
        with self._there:
            self._there.notify()

    def show(self, partial: Mapping[str, Any] | None) -> None:
        self._dispatch.partial = partial
        self.wake()

    def finish(self, seconds: float, hurried: Callable[[], bool]) -> bool:
        """Waits until the service has everything, for `seconds` at most, and no longer once `hurried` says so. False
        where something is left."""
        began = time.monotonic()
        said = False
        with self._there:
            self._dispatch.ending = True
            self._next_at = max(min(self._next_at, began + RETRY[0]), self._not_before)
            self._there.notify()
        while self._thread.is_alive() and time.monotonic() < began + seconds and not hurried():
            self._thread.join(0.1)
            if not said and time.monotonic() > began + SAY_SECONDS:
                said = True
                waiting = self._dispatch.spool.waiting
                self._say(f"{waiting} lines are still to be sent: for {seconds:g} s at most, or till Ctrl-C")
        with self._there:
            self._giving_up = True
            self._there.notify()
        self._over.set()
        return self._dispatch.done

    # --- its own threads

    def _beat(self) -> None:
        """Sends heartbeats, also while the sender waits or sends the rest. Errors are left to the sender, which meets
        them too."""
        while not self._over.wait(HEARTBEAT_SECONDS) and not self.refused:
            try:
                self._dispatch.beat()
            except Unknown:  # an older copy of the service was put back
                self._dispatch.begin_again()
                self.wake()
            except JobtailError:
                pass

    def _run(self) -> None:
        while not self._dispatch.done and not self.refused:
            with self._there:
                while not self._giving_up and not self._due(time.monotonic()):
                    self._there.wait(self._patience())
                if self._giving_up:
                    return
            self._try()

    def _due(self, now: float) -> bool:
        return self._dispatch.wanted and now >= self._next_at

    def _patience(self) -> float:
        return max(0.01, min(1.0, self._next_at - time.monotonic()) if self._next_at > time.monotonic() else 1.0)

    def _try(self) -> None:
        began = time.monotonic()
        try:
            more = self._dispatch.step()
        except Unknown as error:
            self._dispatch.begin_again(error.expected)
            self._wait_after(error, 0)
        except Refused as error:
            self.refused = error.detail
            self._say(f"{error.detail}: lines wait in {self._dispatch.spool.folder}")
        except Trouble as error:
            if error.smaller:
                self._dispatch.halve()
            self._wait_after(error, error.seconds)
        except Exception as error:
            log.error("the sender met an error of another kind", exc_info=error)
            self._wait_after(Trouble(str(error) or type(error).__name__), 0)
        else:
            self._went_well(time.monotonic() - began, more)

    def _wait_after(self, error: JobtailError, seconds: float) -> None:
        if error.detail not in self._told and len(self._told) < MOST_REASONS:
            self._told.add(error.detail)
            self._say(f"{error.detail}; lines wait in {self._dispatch.spool.folder}")
        self._not_before = time.monotonic() + seconds
        self._next_at = time.monotonic() + max(seconds, self._retry)
        self._retry = min(2 * self._retry, RETRY[1])

    def _went_well(self, took: float, more: bool) -> None:
        if self._told:
            self._say("the service takes lines again")
        self._told.clear()
        self._retry = RETRY[0]
        pace = min(PACE_SECONDS[1], max(PACE_SECONDS[0], PACE_TIMES * took))
        self._next_at = 0.0 if more or self._dispatch.ending else time.monotonic() + pace
