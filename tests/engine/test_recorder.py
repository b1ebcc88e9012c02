"""The recorder against a journal that fails, is slow, or is taken away."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from webapp import room
from webapp.engine import incoming as module
from webapp.engine.backlog import Backlog
from webapp.engine.journal_sink import JournalLines
from webapp.engine.recorder import Recorder
from webapp.errors import JournalError
from webapp.journal.redact import Redactor
from webapp.journal.text import Text
from webapp.store.sqlite.journals import SqliteJournals
from webapp.store.sqlite.writer import SqliteWriter

from ..served import until


class Disk:
    """Fails, or stands still, as told."""

    def __init__(self, journals: SqliteJournals) -> None:
        self.full = False
        self.open = threading.Event()
        self.open.set()
        self.appends: list[int] = []
        disk = self

        class Shaky(SqliteWriter):
            def append(self, entries: list[Text], **how: object) -> object:  # type: ignore[override]
                disk.open.wait(60)
                if disk.full:
                    raise JournalError("the disk is full")
                disk.appends.append(sum(each.count for each in entries))
                return super().append(entries, **how)  # type: ignore[arg-type]

        self.journal = journals.open("job")
        claim = self.journal.claim

        def claimed(seconds: float, **how: bool) -> SqliteWriter:
            writer = claim(seconds, **how)
            writer.__class__ = Shaky
            return writer

        self.journal.claim = claimed  # type: ignore[method-assign]
        self.lines = JournalLines(lambda: self.journal)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    journals = SqliteJournals(tmp_path, Redactor(()), beat_ms=1000)
    yield Disk(journals)
    journals.close()


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def recorder(disk: Disk, said: list[str], tmp_path: Path) -> Recorder:
    return started(disk, Backlog(tmp_path / "backlog" / "job.ndjson"), said)


def started(disk: Disk, backlog: Backlog, said: list[str]) -> Recorder:
    recorder = Recorder(disk.lines, backlog, say=said.append)
    recorder.start()
    return recorder


def kept(disk: Disk) -> list[str]:
    batches = disk.journal.read(0, most_bytes=1 << 40)
    return [line.split(b'"message":"')[1].split(b'"')[0].decode() for batch in batches for line in batch.split()]


def test_a_line_is_on_the_disk_soon_and_many_are_one_append(disk: Disk, recorder: Recorder) -> None:
    recorder.put("stdout", 1, b"first\n")
    until(lambda: kept(disk) == ["first"], "the first line")
    for n in range(1000):
        recorder.put("stdout", 2, b"%d\n" % n)
    assert recorder.close(10)
    assert kept(disk) == ["first", *(str(n) for n in range(1000))]
    assert len(disk.appends) < 200


def test_lines_wait_while_the_disk_is_full_and_follow_in_order(disk: Disk, recorder: Recorder, said: list[str]) -> None:
    recorder.put("stdout", 1, b"before\n")
    until(lambda: kept(disk), "the first line")
    disk.full = True
    for n in range(50):
        recorder.put("stdout", 2, b"%d\n" % n)
    until(lambda: said, "word of it")
    assert "the disk is full" in said[0] and recorder.room()
    disk.full = False
    recorder.put("stderr", 3, b"after\n")
    until(lambda: len(said) > 1, "word that it is over")
    assert recorder.close(10)
    assert kept(disk) == ["before", *map(str, range(50)), "after"]


@pytest.mark.parametrize("free_blocks", [200_000, 1000], ids=["room", "no room"])
def test_it_is_said_where_lines_wait(disk: Disk, said: list[str], tmp_path: Path, free_blocks: int) -> None:
    path = tmp_path / "backlog" / "job.ndjson"
    found = os.statvfs_result((4096, 4096, 1_000_000, free_blocks, free_blocks, 0, 0, 0, 0, 255))
    backlog = Backlog(path, disk=room.Disk(tmp_path, 100_000_000, look=lambda _: found))
    recorder = started(disk, backlog, said)
    disk.full = True
    recorder.put("stdout", 1, b"one\n")
    until(lambda: said, "word of it")
    where = str(path) if free_blocks > 1000 else "memory, since there is no room on the disk"
    assert said[0].endswith(f": lines wait in {where}") and bool(len(backlog)) is (free_blocks == 1000)
    disk.full = False
    assert recorder.close(30) and kept(disk) == ["one"]


def test_a_disk_that_stays_full_ends_in_a_file_for_later(disk: Disk, recorder: Recorder, tmp_path: Path) -> None:
    disk.full = True
    recorder.put("stdout", 1, b"one\ntwo")
    assert recorder.close(0.2) is False
    backlog = Backlog(tmp_path / "backlog" / "job.ndjson")
    backlog.take_over()
    assert [message for text in backlog.peek() for message in text.messages()] == ["one", "two"]


def test_a_disk_that_stands_still_holds_up_nobody_for_ever(
    disk: Disk, recorder: Recorder, monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 1000)
    monkeypatch.setattr(module, "STALL_SECONDS", 0.2)
    recorder.put("stdout", 1, b"first\n")
    until(lambda: kept(disk), "the first line")
    disk.open.clear()
    recorder.put("stdout", 1, b"x" * 499 + b"\n")
    until(lambda: not recorder._incoming.waiting, "it to be taken")
    while recorder._incoming._bytes < 1000:
        recorder.put("stdout", 1, b"y" * 499 + b"\n")
    until(recorder.room, "the command to be let on")
    for _ in range(10):
        recorder.put("stdout", 1, b"z" * 499 + b"\n")
    assert recorder.lost > 0
    disk.open.set()
    assert recorder.close(10)
    (gap,) = disk.journal.gaps(0, 1 << 40)
    assert gap.count is not None and len(kept(disk)) + gap.count == 14
    assert gap.after_line == len(kept(disk))
    assert "could not be kept" in "".join(said)
    disk.lines.end({"job_status": "Done"}, complete=not recorder.lost)
    assert disk.journal.state().complete is False


def test_a_hole_stands_where_its_lines_would(disk: Disk, recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 1000)
    monkeypatch.setattr(module, "STALL_SECONDS", 0.2)
    disk.open.clear()
    recorder.put("stdout", 1, b"first\n")
    until(lambda: not recorder._incoming.waiting, "it to be taken")
    recorder.put("stdout", 1, b"x" * 1995 + b"\nbegun")
    for n in range(5):
        recorder.put("stdout", 1, b" lost %d\nnext" % n)
        recorder.put("stderr", 1, b"lost %d\n" % n)
    assert recorder._incoming.waiting == 3
    disk.open.set()
    until(lambda: not recorder._incoming.waiting, "room")
    recorder.put("stdout", 1, b" ended\nlast\n")
    assert recorder.close(10)
    assert kept(disk) == ["first", "x" * 1995, "begun", "last"]
    gaps = disk.journal.gaps(0, 1 << 40)
    assert [(gap.after_line, gap.count) for gap in gaps] == [(3, 10)]


def test_a_journal_that_was_closed_in_its_name_is_opened_again(disk: Disk, recorder: Recorder) -> None:
    recorder.put("stdout", 1, b"one\n")
    until(lambda: kept(disk), "the first line")
    another = disk.journal.claim(0.5, take_over=True)
    another.finish(False)
    recorder.put("stdout", 2, b"two\n")
    until(lambda: kept(disk) == ["one", "two"], "the second line")
    assert not disk.journal.state().finished
    assert recorder.close(10)


def test_statuses_reach_the_journal(disk: Disk, recorder: Recorder) -> None:
    status: Callable[[], object] = lambda: disk.journal.state().status  # noqa: E731
    recorder.set_status({"job_status": "Running"})
    until(lambda: status() == {"job_status": "Running"}, "the status")
    recorder.set_status({"job_status": "Canceling"})
    assert recorder.close(10)
    assert status() == {"job_status": "Canceling"}
    disk.lines.end({"job_status": "Canceled"}, complete=True)
    state = disk.journal.state()
    assert state.finished and state.complete and state.status == {"job_status": "Canceled"} and not state.holder
