"""What is sent of a job to the service, in which order, and how much at once: one request a step."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from typing import Any

from ..engine.backlog import Hole
from . import outbox
from .outbox import Letter
from .spool import Spool
from .wire import Producer, Wire

BATCH_BYTES = (4 << 10, 512 << 10)
FIRST_BYTES = 64 << 10
# A batch that took less than the first is followed by a larger one, one that took more than the second by a smaller.
GOOD_SECONDS = (0.5, 3.0)


class Dispatch:
    """`begun`: the service knows the job; `ending`: nothing more comes; `done`: all is there, the end too. `partial`:
    what the command has written after its last newline. `cancelled_by`: who asked for the job's end."""

    def __init__(self, letter: Letter, spool: Spool, token: str) -> None:
        self.letter = letter
        self.spool = spool
        self.begun = False
        self.ending = False
        self.done = False
        self.partial: Mapping[str, Any] | None = None
        self.cancelled_by: str | None = None
        self._token = token
        self._wire: Wire | None = None
        self._seq = 0
        self._size = FIRST_BYTES
        self._shown: Mapping[str, Any] | None = None

    @property
    def wanted(self) -> bool:
        """There is something to send."""
        return not self.begun or self.ending or self.partial != self._shown or bool(self.spool)

    def beat(self) -> None:
        """Says that the runner is alive, once the job is known, and learns who asked for its end. JobtailError."""
        if self.begun and self._wire is not None:
            self._took({"cancelled_by": self._wire.beat()})

    def begin_again(self, expected: int | None = None) -> None:
        """To be called where the service does not know the job, or expects another batch."""
        self.begun = False
        self._seq = self._seq if expected is None else expected

    def halve(self) -> None:
        """Makes batches smaller: the last one was too much at once."""
        self._size = max(BATCH_BYTES[0], self._size // 2)

    def step(self) -> bool:
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
        if self.partial != self._shown:
            shown = self.partial
            self._took(self._wired().lines(None, partial=shown))
            self._shown = shown
        elif self.ending:
            if self.letter.end is not None:
                self._wired().end(self.letter.end)
            self.done = True
        return False

    def _send(self, batch: list[Any]) -> bool:
        began = time.monotonic()
        partial = self.partial if self.spool.waiting == sum(each.count for each in batch) else None
        self._took(self._wired().lines(self._seq, batch, partial=partial))
        self._seq += 1
        self._shown = partial
        self.spool.advance(batch)
        size = sum(len(each.data) for each in batch)
        took = time.monotonic() - began
        if took > GOOD_SECONDS[1]:
            self.halve()
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
            # The service's journal was thrown away, or an older copy of it was put back. Nobody else writes this job,
            # so the lines that are not there will not come any more: a gap says so.
            if (missing := spool.sent - (known if journal == letter.journal else letter.offset)) > 0:
                self._wired().lines(None, missing={"reason": "trimmed", "count": missing})
            letter.offset = spool.sent - line
        letter.journal, letter.grant = journal, self._wired().grant
        with contextlib.suppress(OSError):  # then `jobtail push` begins the job again, by the token
            outbox.write(spool.folder, letter)
        self.begun = True
