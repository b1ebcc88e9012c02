"""Brings a job's lines from the spool to the service, on a thread of its own: nobody waits for it but at the end."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from ..engine.backlog import Hole
from ..errors import JobtailError
from . import outbox
from .outbox import Letter
from .spool import Spool
from .wire import Producer, Refused, Trouble, Unknown, Wire

log = logging.getLogger("jobtail.push")
BATCH_BYTES = (4 << 10, 512 << 10)
FIRST_BYTES = 64 << 10
# A batch that took less or more of this is followed by a larger or a smaller one.
GOOD_SECONDS = (0.5, 3.0)
# Between two requests: as long as the last one took, several times over, so that a busy service gets fewer.
PACE_SECONDS = (0.1, 2.0)
PACE_TIMES = 4.0
RETRY = (0.25, 10.0)
HEARTBEAT_SECONDS = 1.0
# Who waits for longer than this in front of a terminal is told what for.
SAY_SECONDS = 3.0


class Sender:
    """`say`: tells the person in front of the terminal."""

    def __init__(self, letter: Letter, spool: Spool, token: str, say: Callable[[str], None]) -> None:
        self.letter = letter
        self.spool = spool
        self.cancelled_by: str | None = None
        self.refused = ""
        self.done = False  # all is there, the end too
        self.begun = False
        self._token = token
        self._say = say
        self._wire: Wire | None = None
        self._seq = 0
        self._size = FIRST_BYTES
        self._partial: Mapping[str, Any] | None = None
        self._shown: Mapping[str, Any] | None = None
        self._trouble = ""
        self._retry = RETRY[0]
        self._next_at = 0.0
        self._not_before = 0.0  # what the service asked for
        self._ending = self._giving_up = False
        self._there = threading.Condition()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sender", daemon=True)
        self._heart = threading.Thread(target=self._beat, name="heart", daemon=True)

    def start(self) -> None:
        """Once; again does nothing."""
        if self._thread.ident is None:
            self._thread.start()
            self._heart.start()

    def wake(self) -> None:
        with self._there:
            self._there.notify()

    def show(self, partial: Mapping[str, Any] | None) -> None:
        self._partial = partial
        self.wake()

    def finish(self, seconds: float, hurried: Callable[[], bool]) -> bool:
        """Waits until all is there; so long, or until somebody is in a hurry. False: something is left."""
        began = time.monotonic()
        said = False
        with self._there:
            self._ending = True
            self._next_at = max(min(self._next_at, began + RETRY[0]), self._not_before)
            self._there.notify()
        while self._thread.is_alive() and time.monotonic() < began + seconds and not hurried():
            self._thread.join(0.1)
            if not said and time.monotonic() > began + SAY_SECONDS:
                said = True
                self._say(f"{self.spool.waiting} lines are still to be sent: for {seconds:g} s at most, or till Ctrl-C")
        with self._there:
            self._giving_up = True
            self._there.notify()
        self._over.set()
        return self.done

    # --- its own threads

    def _beat(self) -> None:
        """Says that the runner lives, also while the sender waits or what is left is sent, and learns who asked for the
        job's end. What goes wrong meets the sender as well."""
        while not self._over.wait(HEARTBEAT_SECONDS) and not self.refused:
            wire = self._wire
            if not self.begun or wire is None:
                continue
            try:
                self._took({"cancelled_by": wire.beat()})
            except Unknown:  # an older copy of the service was put back
                self.begun = False
                self.wake()
            except JobtailError:
                pass

    def _run(self) -> None:
        while not self.done and not self.refused:
            with self._there:
                while not self._giving_up and not self._due(time.monotonic()):
                    self._there.wait(self._patience())
                if self._giving_up:
                    return
            self._try()

    def _due(self, now: float) -> bool:
        wanted = not self.begun or self.spool.waiting or self.spool.has_holes or self._partial != self._shown
        return bool(wanted or self._ending) and now >= self._next_at

    def _patience(self) -> float:
        return max(0.01, min(1.0, self._next_at - time.monotonic()) if self._next_at > time.monotonic() else 1.0)

    def _try(self) -> None:
        began = time.monotonic()
        try:
            more = self._step()
        except Unknown as error:
            self.begun = False
            self._seq = self._seq if error.expected is None else error.expected
            self._wait_after(error, 0)
        except Refused as error:
            self.refused = error.detail
            self._say(f"{error.detail}: lines wait in {self.spool.folder}")
        except Trouble as error:
            if error.smaller:
                self._size = max(BATCH_BYTES[0], self._size // 2)
            self._wait_after(error, error.seconds)
        except Exception as error:
            log.error("the sender met an error of another kind", exc_info=error)
            self._wait_after(Trouble(str(error) or type(error).__name__), 0)
        else:
            self._went_well(time.monotonic() - began, more)

    def _wait_after(self, error: JobtailError, seconds: float) -> None:
        if not self._trouble:
            self._say(f"{error.detail}; lines wait in {self.spool.folder}")
        self._trouble = error.detail
        self._not_before = time.monotonic() + seconds
        self._next_at = time.monotonic() + max(seconds, self._retry)
        self._retry = min(2 * self._retry, RETRY[1])

    def _went_well(self, took: float, more: bool) -> None:
        if self._trouble:
            self._say("the service takes lines again")
        self._trouble, self._retry = "", RETRY[0]
        pace = min(PACE_SECONDS[1], max(PACE_SECONDS[0], PACE_TIMES * took))
        self._next_at = 0.0 if more or self._ending else time.monotonic() + pace

    def _step(self) -> bool:
        """One request. True where more waits than went with it."""
        if not self.begun:
            self._begin()
            return True
        batch = self.spool.batch(self._size)
        if isinstance(batch, Hole):
            self._wired().lines(None, missing={"reason": "upstream", "count": batch.lines or None})
            self.spool.advance(batch)
            return True
        if batch:
            return self._send(batch)
        if self._partial != self._shown:
            shown = self._partial
            self._took(self._wired().lines(None, partial=shown))
            self._shown = shown
        elif self._ending:
            if self.letter.end is not None:
                self._wired().end(self.letter.end)
            self.done = True
        return False

    def _send(self, batch: list[Any]) -> bool:
        began = time.monotonic()
        partial = self._partial if self.spool.waiting == sum(each.count for each in batch) else None
        self._took(self._wired().lines(self._seq, batch, partial=partial))
        self._seq += 1
        self._shown = partial
        self.spool.advance(batch)
        size = sum(len(each.data) for each in batch)
        took = time.monotonic() - began
        if took > GOOD_SECONDS[1]:
            self._size = max(BATCH_BYTES[0], self._size // 2)
        elif took < GOOD_SECONDS[0] and 2 * size > self._size:
            self._size = min(BATCH_BYTES[1], 2 * self._size)
        return 2 * size > self._size or bool(self.spool.waiting > 1000)

    def _took(self, answer: Mapping[str, Any] | None) -> None:
        if answer is not None and answer.get("cancelled_by") is not None:
            self.cancelled_by = str(answer["cancelled_by"])

    def _wired(self) -> Wire:
        if self._wire is None:
            letter = self.letter
            self._wire = Wire(
                letter.url, letter.job, Producer(letter.producer, letter.epoch), self._token, letter.grant
            )
        return self._wire

    def _begin(self) -> None:
        letter, spool = self.letter, self.spool
        answer = self._wired().begin(letter.begin)
        journal, line = str(answer.get("epoch", "")), int(answer.get("line", 0))
        self._took(answer)
        known = line + letter.offset
        if letter.journal in ("", journal) and known >= spool.sent:
            spool.skip(known)
        else:
            # It was thrown away, or an older copy was put back: nobody but us writes it.
            if (missing := spool.sent - (known if journal == letter.journal else letter.offset)) > 0:
                self._wired().lines(None, missing={"reason": "trimmed", "count": missing})
            letter.offset = spool.sent - line
        letter.journal, letter.grant = journal, self._wired().grant
        with contextlib.suppress(OSError):  # whoever pushes the rest begins it again, by the token
            outbox.write(spool.folder, letter)
        self.begun = True
