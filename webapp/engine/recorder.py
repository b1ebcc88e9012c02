"""Takes a running command's output to a sink, on a thread of its own, so that no disk slows the command.

The first line after a silence is given at once; while output flows, everything that came within one beat goes
together. When the sink fails, lines wait in the backlog and the thread tries again; the command never waits for
that. When it works but is slower than the command, `room` says no until it has caught up, as a pipe would.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from ..errors import BegunAnew, DamagedJournal, JobtailError, LeaseLost, LineMoved
from ..journal.text import Text, joined
from .backlog import Backlog, Hole, Item, runs
from .incoming import Incoming
from .sink import LineSink, Place
from .unfinished import Streams

log = logging.getLogger("jobtail.engine")

BEAT = 0.06
READY_SECONDS = 1.0
RETRY = (0.5, 5.0)


class Retry:
    """`trouble`: why the sink failed the last time; empty while it works. `at`: when to try again."""

    def __init__(self) -> None:
        self.trouble = ""
        self.at = 0.0
        self._after = RETRY[0]

    def failed(self, error: Exception) -> None:
        self._after = min(2 * self._after, RETRY[1]) if self.trouble else RETRY[0]
        self.trouble = str(error) or type(error).__name__
        self.at = time.monotonic() + self._after


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
        self._incoming = Incoming()
        self._streams = Streams()
        self._retry = Retry()
        self._lost = 0
        self._unsure = True  # whether the sink has taken what we think
        self._ready_at = 0.0
        self._saved = False
        self._give_up_at = 0.0
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)

    def start(self) -> None:
        self._thread.start()

    # --- called by the thread that runs the command

    @property
    def lost(self) -> int:
        """Lines that could not be kept anywhere, whole or in part."""
        return self._lost + self._incoming.lost

    def room(self) -> bool:
        """False while the journal, though it works, is behind by as much as may be held."""
        return not self._incoming.behind or bool(self._retry.trouble) or self._incoming.stalled

    def put(self, stream: str, timestamp: int, data: bytes, level: str = "") -> None:
        """Never waits for the disk. Where the disk stands still and no more may be held, lines are counted as lost.
        `level`: of whole lines that have one of their own."""
        self._incoming.put(f"{stream} {level}" if level else stream, timestamp, data)

    def set_status(self, status: dict[str, Any]) -> None:
        """The journal's viewers learn of this status soon."""
        self._incoming.set_status(status)

    def close(self, seconds: float) -> bool:
        """Ends the streams and waits until all is written; where it can't be, `seconds` and no longer.
        False: not everything is in the journal."""
        self._give_up_at = time.monotonic() + seconds
        self._incoming.close()
        while self._thread.is_alive() and not (time.monotonic() > self._give_up_at and self._incoming.stalled):
            self._thread.join(0.5)
        return not self._thread.is_alive() and not self._retry.trouble

    # --- the recorder's own thread

    def _run(self) -> None:
        written = 0.0
        while True:
            idle_until = self._retry.at if self._retry.trouble else min(self._ready_at, self._streams.show_at)
            self._incoming.wait(written + self._beat, idle_until, failing=bool(self._retry.trouble))
            written = time.monotonic()
            taken, status, last = self._incoming.take()
            items = _joined([item for chunk in taken for item in self._streams.lines(*chunk)])
            if last:
                items += self._streams.ends()
            self._write(items, status)
            self._incoming.moved()
            self._caught_up()
            if last and (not self._retry.trouble or self._given_up()):
                return

    def _write(self, items: list[Item], status: dict[str, Any] | None) -> None:
        waiting = list(runs(items))
        try:
            if self._retry.trouble:
                self._keep(items)
                waiting = []
                if time.monotonic() < self._retry.at:
                    return
            self._hand_over(waiting, status, ended=bool(items))
        except Exception as error:
            self._keep([item for run in waiting for item in run])
            self._failed(error)
            return
        self._incoming.written(status)
        if self._retry.trouble:
            self._retry.trouble = ""
            self._say("the journal can be written again")

    def _hand_over(self, waiting: list[list[Item]], status: dict[str, Any] | None, *, ended: bool) -> None:
        """Removes from `waiting` what the sink has taken. Where the journal was begun anew, it is looked at again at
        once."""
        for last in (False, True):
            try:
                self._look_after()
                self._catch_up()
                while waiting:
                    self._give(waiting[0])
                    del waiting[0]
                if status is not None:
                    self._sink.set_status(status)
                self._streams.show(self._sink.show, ended=ended)
                return
            except (BegunAnew, DamagedJournal, LeaseLost, LineMoved):
                self._unsure = True
                if last:
                    raise

    def _look_after(self) -> None:
        """Makes sure that the sink is there, and that it has taken what we think it has."""
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
            self._lost += missing
            self._say(f"the journal was begun anew: {missing} lines that were in it are gone")
        self._backlog.after = place

    def _keep(self, items: list[Item]) -> None:
        before = self._backlog.lost
        self._backlog.push(items)
        self._lost += self._backlog.lost - before

    def _catch_up(self) -> None:
        while run := self._backlog.peek():
            self._give(run)
            self._backlog.drop(len(run))

    def _give(self, run: list[Item]) -> None:
        """Texts, or a hole, in one step."""
        texts = [item for item in run if isinstance(item, Text)]
        if texts:
            shown = self._streams.without({each.extra["stream"] for each in texts})
            self._backlog.after = self._sink.put(texts, shown)
            self._streams.shown = shown
            return
        lost = sum(item.lines for item in run if isinstance(item, Hole))
        self._sink.miss("upstream", lost or None)
        if lost:
            self._say(f"{lost} lines could not be kept")

    def _failed(self, error: Exception) -> None:
        if not isinstance(error, JobtailError):
            log.error("the recorder met an error of another kind", exc_info=error)
        self._unsure = True
        if not self._retry.trouble:
            self._say(f"the journal can't be written ({error}): lines wait in {self._backlog.where}")
        self._retry.failed(error)

    def _given_up(self) -> bool:
        if time.monotonic() < self._give_up_at:
            return False
        before = len(self._backlog)
        self._saved = self._backlog.save()
        self._lost += 0 if self._saved else min(before, len(self._backlog))
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
