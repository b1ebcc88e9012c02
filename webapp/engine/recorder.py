"""Takes a running command's output to the journal, on a thread of its own, so that no disk slows the
command.

The first line after a silence is written at once; while output flows, everything that came within one
beat is one append. When the journal can't be written, lines wait in the backlog and the thread tries
again; the command never waits for that. When the journal works but is slower than the command, `room`
says no until it has caught up, as a pipe would.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Any

from ..errors import JobtailError, JournalError, LeaseLost
from ..journal.state import State
from ..store.base import Journal, Writer
from .backlog import Backlog, Hole, Item, runs, store
from .splitter import Splitter

log = logging.getLogger("jobtail.engine")

BEAT = 0.06
MOST_BYTES = 32 << 20
APPEND_BYTES = 4 << 20
LEASE_SECONDS = 5.0
RENEW_SECONDS = 1.0
# A journal that takes no line for so long is treated as one that fails.
STALL_SECONDS = 10.0
RETRY = (0.5, 5.0)


@dataclass(slots=True)
class Dropped:
    """Bytes that were read and not kept: newlines in them; whether they end `within` a line."""

    lines: int
    within: bool


class Recorder:
    """`put` and `tell` from the thread that runs the command, `close` at the end. `open_journal`: called
    on the recorder's own thread, again while it fails. `say`: tells the person in front of the terminal.
    `caught_up`: called when there is room again."""

    def __init__(
        self,
        open_journal: Callable[[], Journal],
        backlog: Backlog,
        *,
        say: Callable[[str], None],
        caught_up: Callable[[], None] = lambda: None,
        beat: float = BEAT,
    ) -> None:
        self.journal: Journal | None = None
        self._open_journal = open_journal
        self._writer: Writer | None = None
        self._backlog = backlog
        self._say = say
        self._caught_up = caught_up
        self._beat = beat
        self._splitters = {name: Splitter(name) for name in ("stdout", "stderr")}
        self._chunks: deque[tuple[str, int, bytes | Dropped]] = deque()
        self._bytes = 0
        self._status: dict[str, Any] | None = None
        self._moved = time.monotonic()
        self.lost = 0  # lines that are nowhere, whole or in part
        self._trouble = ""
        self._unsure = False  # whether the journal holds what we think
        self._retry_at = self._renew_at = 0.0
        self._retry_after = RETRY[0]
        self._closing = False
        self._give_up_at = 0.0
        self._there = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)

    def start(self) -> None:
        self._thread.start()

    # --- called by the thread that runs the command

    def room(self) -> bool:
        """False while the journal, though it works, is behind by as much as may be held."""
        return self._bytes < MOST_BYTES or bool(self._trouble) or self._stalled()

    def _stalled(self) -> bool:
        return time.monotonic() - self._moved > STALL_SECONDS

    def put(self, stream: str, timestamp: int, data: bytes) -> None:
        """Never waits for the disk. Where the disk stands still and no more may be held, lines are
        counted as lost."""
        with self._there:
            if self._bytes >= 2 * MOST_BYTES:
                self._drop(stream, timestamp, data)
                return
            if not self._chunks:
                self._moved = time.monotonic()
            self._chunks.append((stream, timestamp, data))
            self._bytes += len(data)
            self._there.notify()

    def _drop(self, stream: str, timestamp: int, data: bytes) -> None:
        lines, within = data.count(b"\n"), not data.endswith(b"\n")
        self.lost += max(1, lines)
        for name, _, last in islice(reversed(self._chunks), 2):
            if not isinstance(last, Dropped):
                break
            if name == stream:
                last.lines, last.within = last.lines + lines, within
                return
        self._chunks.append((stream, timestamp, Dropped(lines, within)))

    def tell(self, status: dict[str, Any]) -> None:
        """The journal's viewers learn of this status soon."""
        with self._there:
            self._status = status
            self._there.notify()

    def close(self, seconds: float) -> bool:
        """Ends the streams and waits until all is written; where it can't be, `seconds` and no longer.
        False: not everything is in the journal."""
        with self._there:
            self._closing = True
            self._give_up_at = time.monotonic() + seconds
            self._there.notify()
        while self._thread.is_alive() and not (time.monotonic() > self._give_up_at and self._stalled()):
            self._thread.join(0.5)
        return not self._thread.is_alive() and not self._trouble

    # --- the recorder's own thread

    def _run(self) -> None:
        written = 0.0
        while True:
            self._wait(written + self._beat)
            written = time.monotonic()
            with self._there:
                taken, status = self._take(), self._status
                last = self._closing and not self._chunks
            items = [item for chunk in taken for item in self._lines(*chunk)]
            if last:
                items += [entry for splitter in self._splitters.values() for entry in splitter.end()]
            self._write(items, status)
            self._moved = time.monotonic()
            self._caught_up()
            if last and (not self._trouble or self._given_up()):
                return

    def _wait(self, until: float) -> None:
        """For something to write, and for the beat to be over; for the lease to need renewing; for
        nothing at the end."""
        with self._there:
            if self._closing and self._trouble and not self._chunks:
                self._there.wait(0.1)
            while not self._closing:
                now = time.monotonic()
                if self._bytes >= APPEND_BYTES or ((self._chunks or self._status) and now >= until):
                    return
                idle = self._retry_at if self._trouble else self._renew_at
                if now >= idle:
                    return
                self._there.wait((min(idle, until) if self._chunks or self._status else idle) - now)

    def _take(self) -> list[tuple[str, int, bytes | Dropped]]:
        taken: list[tuple[str, int, bytes | Dropped]] = []
        size = 0
        while self._chunks and size < APPEND_BYTES:
            taken.append(self._chunks.popleft())
            data = taken[-1][2]
            size += 0 if isinstance(data, Dropped) else len(data)
        self._bytes -= size
        return taken

    def _lines(self, stream: str, timestamp: int, data: bytes | Dropped) -> list[Item]:
        splitter = self._splitters[stream]
        if not isinstance(data, Dropped):
            return [*splitter.feed(timestamp, data)]
        pieces, lost = splitter.lose(data.lines, data.within)
        return [*pieces, Hole(lost)]

    def _write(self, items: list[Item], status: dict[str, Any] | None) -> None:
        waiting = list(runs(items))
        try:
            if self._trouble:
                self._keep(items)
                waiting = []
                if time.monotonic() < self._retry_at:
                    return
            writer = self._ready()
            self._catch_up(writer)
            while waiting:
                self._store(writer, waiting[0])
                del waiting[0]
            if status is not None:
                writer.set_status(status)
        except Exception as error:
            self._keep([item for run in waiting for item in run])
            self._failed(error)
            return
        with self._there:
            if self._status is status:
                self._status = None
        if self._trouble:
            self._trouble = ""
            self._say("the journal can be written again")

    def _ready(self) -> Writer:
        """The journal, ours to write. Nobody else has a right to it while we live."""
        if self.journal is None:
            self.journal = self._open_journal()
        if self._writer is None or self._unsure:
            self._writer = self._resumed(self.journal)
            self._unsure = False
            self._renew_at = time.monotonic() + RENEW_SECONDS
        elif time.monotonic() >= self._renew_at:
            self._writer.renew()
            self._renew_at = time.monotonic() + RENEW_SECONDS
        return self._writer

    def _resumed(self, journal: Journal) -> Writer:
        """A writer that knows what the journal holds: after a failure that may be more than we know of, or less."""
        writer = self._writer or journal.claim(LEASE_SECONDS, take_over=True)
        try:
            state = writer.resume()
        except LeaseLost:  # begun anew, or taken in while we slept
            writer = journal.claim(LEASE_SECONDS, take_over=True)
            state = writer.resume()
        self._go_on(writer, state)
        return writer

    def _go_on(self, writer: Writer, state: State) -> None:
        epoch, line = self._backlog.after
        if epoch in ("", state.epoch):
            self._backlog.skip(state.last_line - line)
        elif (missing := line - state.last_line) > 0:
            # It was damaged, deleted, thrown away or replaced by an older copy: nobody but us writes it.
            writer.add_gap(state.last_line, "trimmed", missing)
            self.lost += missing
            self._say(f"the journal was begun anew: {missing} lines that were in it are gone")
        self._backlog.after = (state.epoch, state.last_line)
        if state.finished:
            # We slept, were given up, and somebody closed the journal in our name.
            writer.reopen()

    def _keep(self, items: list[Item]) -> None:
        before = self._backlog.lost
        self._backlog.push(items)
        self.lost += self._backlog.lost - before

    def _catch_up(self, writer: Writer) -> None:
        while run := self._backlog.peek():
            self._store(writer, run)
            self._backlog.drop(len(run))

    def _store(self, writer: Writer, run: list[Item]) -> None:
        """Entries, or holes, in one transaction."""
        store(writer, run)
        self._backlog.after = (writer.fence.epoch, writer.last_line)
        lost = sum(item.lines for item in run if isinstance(item, Hole))
        if lost:
            self._say(f"{lost} lines could not be kept")

    def _failed(self, error: Exception) -> None:
        if not isinstance(error, JobtailError):
            log.error("the recorder met an error of another kind", exc_info=error)
        self._renew_at = 0.0
        self._unsure = True
        if not self._trouble:
            self._say(f"the journal can't be written ({error}): lines wait in {self._backlog.path}")
            self._retry_after = RETRY[0]
        else:
            self._retry_after = min(2 * self._retry_after, RETRY[1])
        self._trouble = str(error) or type(error).__name__
        self._retry_at = time.monotonic() + self._retry_after

    def _given_up(self) -> bool:
        if time.monotonic() < self._give_up_at:
            return False
        self._backlog.save()
        return True

    def finish(self, status: dict[str, Any], complete: bool) -> None:
        """After `close`: the log is whole, and this is the status at its end. JournalError."""
        if self.journal is None:
            raise JournalError("there is no journal")
        writer = self._resumed(self.journal)
        writer.finish(complete and not self.lost, status)
        writer.release()
