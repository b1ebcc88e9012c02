"""Takes a running command's output to a sink, on a thread of its own, so that no disk slows the command.

The first line after a silence is given at once; while output flows, everything that came within one beat goes
together. When the sink fails, lines wait in the backlog and the thread tries again; the command never waits for
that. When it works but is slower than the command, `room` says no until it has caught up, as a pipe would.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Any

from ..errors import BegunAnew, DamagedJournal, JobtailError, LeaseLost, LineMoved
from ..journal.text import Text, joined
from .backlog import Backlog, Hole, Item, runs
from .sink import LineSink, Place
from .splitter import Splitter

log = logging.getLogger("jobtail.engine")

BEAT = 0.06
MOST_BYTES = 32 << 20
APPEND_BYTES = 1 << 20
READY_SECONDS = 1.0
# A line without an end is shown when it has stayed so for this long, and no more often.
SHOW_SECONDS = 0.4
# A journal that takes no line for so long is treated as one that fails.
STALL_SECONDS = 10.0
RETRY = (0.5, 5.0)


@dataclass(slots=True)
class Dropped:
    """Bytes that were read and not kept: newlines in them; whether they end `within` a line."""

    lines: int
    within: bool


class Recorder:
    """`put` and `set_status` from the thread that runs the command, `close` at the end. `say`: tells the person in
    front of the terminal. `caught_up`: called when there is room again."""

    def __init__(
        self,
        sink: LineSink,
        backlog: Backlog,
        *,
        say: Callable[[str], None],
        caught_up: Callable[[], None] = lambda: None,
        beat: float = BEAT,
    ) -> None:
        self._sink = sink
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
        self._unsure = True  # whether the sink has taken what we think
        self._shown: dict[str, Any] | None = None  # of lines without an end
        self._retry_at = self._ready_at = self._show_at = 0.0
        self._retry_after = RETRY[0]
        self._closing = self._saved = False
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

    def put(self, stream: str, timestamp: int, data: bytes, level: str = "") -> None:
        """Never waits for the disk. Where the disk stands still and no more may be held, lines are
        counted as lost. `level`: of whole lines that bear one of their own."""
        if level:
            stream = f"{stream} {level}"
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

    def set_status(self, status: dict[str, Any]) -> None:
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
            items = _joined([item for chunk in taken for item in self._lines(*chunk)])
            if last:
                items += [piece for splitter in self._splitters.values() for piece in splitter.end()]
            self._write(items, status)
            self._moved = time.monotonic()
            self._caught_up()
            if last and (not self._trouble or self._given_up()):
                return

    def _wait(self, until: float) -> None:
        """For something to write, and for the beat to be over; for the sink to be looked after; for nothing at the
        end."""
        with self._there:
            if self._closing and self._trouble and not self._chunks:
                self._there.wait(0.1)
            while not self._closing:
                now = time.monotonic()
                if self._bytes >= APPEND_BYTES or ((self._chunks or self._status) and now >= until):
                    return
                idle = self._retry_at if self._trouble else min(self._ready_at, self._show_at)
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
        if stream not in self._splitters:
            name, _, level = stream.partition(" ")
            self._splitters[stream] = Splitter(name, level=level)
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
            self._hand_over(waiting, status, ended=bool(items))
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

    def _hand_over(self, waiting: list[list[Item]], status: dict[str, Any] | None, *, ended: bool) -> None:
        """Takes from `waiting` what is taken. Where the journal was begun anew, we look again at once."""
        for last in (False, True):
            try:
                self._look_after()
                self._catch_up()
                while waiting:
                    self._give(waiting[0])
                    del waiting[0]
                if status is not None:
                    self._sink.set_status(status)
                self._show(ended=ended)
                return
            except (BegunAnew, DamagedJournal, LeaseLost, LineMoved):
                self._unsure = True
                if last:
                    raise

    def _look_after(self) -> None:
        """The sink is there, and what it has taken is what we think it has."""
        now = time.monotonic()
        if not self._unsure and now < self._ready_at:
            return
        place = self._sink.ready(unsure=self._unsure)
        if self._unsure:
            self._go_on(place)
        self._unsure = False
        self._ready_at = now + READY_SECONDS

    def _go_on(self, place: Place) -> None:
        (epoch, line), (now_epoch, now_line) = self._backlog.after, place
        if epoch in ("", now_epoch) and now_line >= line:
            self._backlog.skip(now_line - line if epoch else 0)
        elif (missing := line - now_line) > 0:
            # It was damaged, deleted, thrown away or replaced by an older copy: nobody but us writes it.
            self._sink.miss("trimmed", missing)
            self.lost += missing
            self._say(f"the journal was begun anew: {missing} lines that were in it are gone")
        self._backlog.after = place

    def _show(self, *, ended: bool) -> None:
        """What stands after the last newline, unless a line has just ended: then that may soon be another's begin."""
        now = time.monotonic()
        held = {name: splitter.unfinished() for name, splitter in self._splitters.items()}
        unfinished = {name: each for name, each in held.items() if each} or None
        if unfinished == self._shown:
            self._show_at = math.inf
        elif now < self._show_at < math.inf:
            pass
        elif ended or self._show_at == math.inf:
            self._show_at = now + SHOW_SECONDS
        else:
            self._sink.show(unfinished)
            self._shown, self._show_at = unfinished, now + SHOW_SECONDS

    def _keep(self, items: list[Item]) -> None:
        before = self._backlog.lost
        self._backlog.push(items)
        self.lost += self._backlog.lost - before

    def _catch_up(self) -> None:
        while run := self._backlog.peek():
            self._give(run)
            self._backlog.drop(len(run))

    def _give(self, run: list[Item]) -> None:
        """Texts, or a hole, in one step."""
        texts = [item for item in run if isinstance(item, Text)]
        if texts:
            ended = {each.extra["stream"] for each in texts}
            shown = {name: each for name, each in (self._shown or {}).items() if name not in ended} or None
            self._backlog.after = self._sink.put(texts, shown)
            self._shown = shown
            return
        lost = sum(item.lines for item in run if isinstance(item, Hole))
        self._sink.miss("upstream", lost or None)
        if lost:
            self._say(f"{lost} lines could not be kept")

    def _failed(self, error: Exception) -> None:
        if not isinstance(error, JobtailError):
            log.error("the recorder met an error of another kind", exc_info=error)
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
        before = len(self._backlog)
        self._saved = self._backlog.save()
        self.lost += 0 if self._saved else min(before, len(self._backlog))
        return True

    def left(self) -> str:
        """After `close` that gave up: what becomes of the lines that were not taken."""
        if self._thread.is_alive():
            return "not all of its lines are in the journal: the disk does not answer"
        if self._saved and not self.lost:
            return f"not all of its lines are in the journal yet: jobtail serve takes them in from {self._backlog.path}"
        kept = "; jobtail serve takes in what was kept" if self._backlog.path.exists() else ""
        return f"{self.lost} of its last lines could not be kept anywhere: there is no room{kept}"


def _joined(items: list[Item]) -> list[Item]:
    """Neighbouring texts of one stream and time as one."""
    found: list[Item] = []
    for run in runs(items):
        texts = [item for item in run if isinstance(item, Text)]
        found += joined(texts) if texts else run
    return found
