"""A full disk is met before it is full, on a disk of its own and small."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from webapp.errors import DiskFull
from webapp.journal.line import Entry
from webapp.journal.redact import Redactor
from webapp.room import Disk, Room
from webapp.store.base import Store
from webapp.store.sqlite.clock import Clock
from webapp.store.sqlite.store import SqliteStore

from ..disk import MB, SmallDisk, small_disk

RESERVE = 3 * MB


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk") as mounted:
        yield mounted


@pytest.fixture
def stores(disk: SmallDisk) -> Iterator[list[SqliteStore]]:
    opened: list[SqliteStore] = []
    yield opened
    for store in opened:
        store.close()


class Time:
    seconds = 1_000_000.0

    def open(self, disk: SmallDisk, opened: list[SqliteStore]) -> SqliteStore:
        clock = Clock("boot", lambda: self.seconds, lambda: int(self.seconds * 1000))
        folder = disk.folder / "data"
        store = SqliteStore(folder, Redactor(()), clock=clock, disk=Disk(folder, RESERVE))
        opened.append(store)
        return store


def fill(store: Store, job: str, *, finish: bool = True) -> None:
    """About two megabytes."""
    writer = store.journals.open(job).claim(5)
    for piece in range(20):
        writer.append([Entry(n, os.urandom(50_000).hex(), None, piece * 10 + n) for n in range(1)], mark_late=False)
    if finish:
        writer.finish(True)
    writer.release()
    store.journals.release(job)


def test_the_oldest_that_have_finished_go_until_there_is_room_and_no_more(
    disk: SmallDisk, stores: list[SqliteStore]
) -> None:
    time = Time()
    store, other = time.open(disk, stores), time.open(disk, stores)
    for job in ("runs", "old", "watched", "open", "older", "young"):
        fill(store, job, finish=job != "runs")
        time.seconds += 600
    other.presence.announce("another process", {"watched": 1}, 60)
    store.journals.open("open").state()
    assert store.journals.sweep() == []
    disk.leave(RESERVE - MB)
    assert store.journals.room().level == "low"
    assert store.journals.sweep() == ["old"]
    assert store.journals.room().level == "ample"
    disk.leave(MB // 2)
    assert store.journals.sweep() == ["older", "young"]
    assert store.journals.known("runs") and store.journals.known("watched") and store.journals.known("open")


def test_one_that_was_written_within_the_last_minute_stays(disk: SmallDisk, stores: list[SqliteStore]) -> None:
    time = Time()
    store = time.open(disk, stores)
    fill(store, "fresh")
    disk.leave(MB)
    assert store.journals.sweep() == []
    time.seconds += 61
    assert store.journals.sweep() == ["fresh"]


def test_below_the_second_mark_new_lines_are_refused_and_all_else_goes_on(
    disk: SmallDisk, stores: list[SqliteStore]
) -> None:
    store = Time().open(disk, stores)
    writer = store.journals.open("a-job").claim(5)
    writer.append([Entry(1, "before", None, 1)])
    disk.leave(RESERVE // 4 - 100_000)
    with pytest.raises(DiskFull, match="no new lines are taken"):
        writer.append([Entry(2, "refused", None, 2)])
    writer.renew()
    writer.set_status({"job_status": "Running"})
    store.writable()
    disk.clear()
    writer.append([Entry(2, "after", None, 2)])
    writer.finish(True)
    assert writer.last_line == 2 and store.journals.open("a-job").state().finished


def test_a_disk_without_a_byte_left_is_swept_too(disk: SmallDisk, stores: list[SqliteStore]) -> None:
    time = Time()
    store = time.open(disk, stores)
    fill(store, "old")
    time.seconds += 600
    disk.leave(0)
    assert disk.free == 0
    assert store.journals.sweep() == ["old"]
    assert disk.free > MB


def test_a_disk_on_which_hardly_a_file_can_be_made_is_low() -> None:
    found = os.statvfs("/")
    few = os.statvfs_result((*found[:5], 100_000, 500, 500, *found[8:]))
    room = Disk(Path("/"), RESERVE, look=lambda path: few).room()
    assert room.level == "low" and "500 more files" in room.words


@pytest.mark.parametrize(
    ("free", "reserve", "level"),
    [(100, 100, "ample"), (99, 100, "low"), (25, 100, "low"), (24, 100, "full"), (0, 0, "ample")],
)
def test_the_marks(free: int, reserve: int, level: str) -> None:
    assert Room(free, reserve).level == level


def test_of_a_small_disk_a_twentieth_is_enough() -> None:
    found = os.statvfs("/")
    small = os.statvfs_result((4096, 4096, 1000, 900, 900, 0, 0, 0, *found[8:]))
    assert Disk(Path("/"), 512 * MB, look=lambda path: small).room().reserve == 1000 * 4096 // 20
