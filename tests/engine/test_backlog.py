from __future__ import annotations

import resource
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from webapp.engine.backlog import Backlog, Hole
from webapp.journal.text import Text, text


def entries(first: int, count: int) -> list[Text]:
    return [text(n, b"line %d" % n, {"stream": "stdout"}) for n in range(first, first + count)]


def drained(backlog: Backlog) -> list[int]:
    """Timestamps of the lines; of a hole how many are in it, negative."""
    found: list[int] = []
    while waiting := backlog.peek():
        found += [item.timestamp if isinstance(item, Text) else -item.lines for item in waiting]
        backlog.drop(len(waiting))
    return found


def test_what_waits_comes_out_in_order_and_the_file_is_gone(tmp_path: Path) -> None:
    backlog = Backlog(tmp_path / "b.ndjson")
    backlog.push(entries(0, 7_000))
    backlog.push(entries(7_000, 10))
    assert backlog and (tmp_path / "b.ndjson").stat().st_mode & 0o777 == 0o600
    assert drained(backlog) == list(range(7_010))
    assert not backlog and not (tmp_path / "b.ndjson").exists()
    backlog.push(entries(1, 2))
    assert drained(backlog) == [1, 2]


def test_more_may_come_while_it_is_taken_out(tmp_path: Path) -> None:
    backlog = Backlog(tmp_path / "b.ndjson")
    backlog.push(entries(0, 3))
    first = backlog.peek()
    backlog.push(entries(3, 3))
    backlog.drop(len(first))
    assert [entry.timestamp for entry in first] + drained(backlog) == list(range(6))


def test_lines_that_are_lost_while_a_hole_is_taken_out_are_counted_behind_it(tmp_path: Path) -> None:
    backlog = Backlog(tmp_path / "b.ndjson", file_bytes=0)
    backlog.push([Hole(2), Hole(3)])
    first = backlog.peek()
    told = [item.lines for item in first if isinstance(item, Hole)]
    backlog.push([Hole(7), Hole(1)])
    backlog.drop(len(first))
    assert told + [-lost for lost in drained(backlog)] == [5, 8]


def test_what_the_file_cannot_hold_waits_in_memory_behind_it(tmp_path: Path) -> None:
    backlog = Backlog(tmp_path / "b.ndjson", file_bytes=1_000)
    for n in range(100):
        backlog.push(entries(n, 1))
    assert len(backlog) > 0 and backlog.lost == 0
    assert drained(backlog) == list(range(100))


def test_past_both_bounds_lines_are_counted_as_lost(tmp_path: Path) -> None:
    backlog = Backlog(tmp_path / "b.ndjson", file_bytes=0, memory_bytes=1_100)
    backlog.push(entries(0, 50))
    *kept, hole = drained(backlog)
    assert kept == list(range(len(kept))) and backlog.lost == -hole == 50 - len(kept) > 0
    backlog.push([*entries(50, 2), Hole(3), Hole(4), *entries(52, 1)])
    assert drained(backlog) == [50, 51, -7, 52]


ODD = text(1, "\u2028 \x00 \ufffd 'quoted\"".encode(), {"stream": "stderr", "split": True})


def many(first: int, count: int) -> Text:
    return text(1, b"\n".join(b"line %d" % n for n in range(first, first + count)), {"stream": "stdout"})


def numbers(backlog: Backlog) -> list[int]:
    """Of the lines of `many`; of a hole how many are in it, negative."""
    found: list[int] = []
    while waiting := backlog.peek():
        for item in waiting:
            found += [-item.lines] if isinstance(item, Hole) else [int(line[5:]) for line in item.messages()]
        backlog.drop(len(waiting))
    return found


@pytest.mark.parametrize("known", [0, 1, 99, 100, 101, 150, 199])
@pytest.mark.parametrize("file_bytes", [0, 1 << 20])
def test_lines_that_are_known_are_skipped_within_a_text(tmp_path: Path, known: int, file_bytes: int) -> None:
    backlog = Backlog(tmp_path / "b.ndjson", file_bytes=file_bytes)
    backlog.push([many(0, 100), Hole(3), many(100, 100)])
    backlog.skip(known)
    assert [n for n in numbers(backlog) if n >= 0] == list(range(known, 200))


def test_a_text_that_finds_no_room_is_kept_as_far_as_there_is_some(tmp_path: Path) -> None:
    backlog = Backlog(tmp_path / "b.ndjson", file_bytes=3_000, memory_bytes=3_000)
    backlog.push([many(0, 1_000)])
    *kept, hole = numbers(backlog)
    assert kept == list(range(len(kept))) and len(kept) > 400
    assert backlog.lost == -hole == 1_000 - len(kept)


@pytest.fixture
def short_of_room() -> Iterator[Callable[[int], None]]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, ignored)


@pytest.mark.parametrize("room", [10, 100, 3_000])
def test_a_write_that_fails_in_its_midst_leaves_whole_lines_once(
    tmp_path: Path, short_of_room: Callable[[int], None], room: int
) -> None:
    backlog = Backlog(tmp_path / "b.ndjson")
    if room == 3_000:
        backlog.push(entries(0, 10))
    short_of_room(room)
    backlog.push(entries(10, 200))
    short_of_room(resource.RLIM_INFINITY)
    if (tmp_path / "b.ndjson").exists():
        shutil.copy(tmp_path / "b.ndjson", tmp_path / "c.ndjson")
    again = Backlog(tmp_path / "c.ndjson")
    again.take_over()
    waiting = list(range(0 if room == 3_000 else 10, 210))
    kept = drained(again)
    assert kept == waiting[: 200 - len(backlog) + len(waiting) - 200]
    assert (len(kept) > 10) is (room == 3_000)
    assert drained(backlog) == waiting
    assert not (tmp_path / "b.ndjson").exists()


def test_lines_and_holes_are_taken_over_in_their_order_and_what_is_known_is_skipped(tmp_path: Path) -> None:
    left = Backlog(tmp_path / "b.ndjson")
    left.after = ("e", 7)
    left.push([*entries(0, 6_000), Hole(5), *entries(6_000, 10), Hole(2)])
    assert left.save()
    for known in (0, 1, 4_999, 5_000, 5_999, 6_001, 6_009):
        shutil.copy(tmp_path / "b.ndjson", tmp_path / "c.ndjson")
        backlog = Backlog(tmp_path / "c.ndjson")
        backlog.take_over()
        assert backlog.after == ("e", 7)
        backlog.skip(known)
        found = drained(backlog)
        assert [n for n in found if n >= 0] == list(range(known, 6_010)), known
        assert found[-1] == -2 and backlog.ended and not (tmp_path / "c.ndjson").exists()
        assert (-5 in found) is (known <= 6_000)


def test_a_file_without_its_end_says_so(tmp_path: Path) -> None:
    Backlog(tmp_path / "b.ndjson").push(entries(0, 3))
    backlog = Backlog(tmp_path / "b.ndjson")
    backlog.take_over()
    assert drained(backlog) == [0, 1, 2] and not backlog.ended


@pytest.mark.parametrize("left", [b"", b'[2, "half a li', b'{"after": ["e", 0]}\n[2, "ha'])
def test_a_file_with_nothing_of_use_is_removed(tmp_path: Path, left: bytes) -> None:
    (tmp_path / "b.ndjson").write_bytes(left)
    backlog = Backlog(tmp_path / "b.ndjson")
    backlog.take_over()
    assert drained(backlog) == [] and not backlog.ended
    assert not (tmp_path / "b.ndjson").exists()


def test_the_next_process_takes_over_what_was_left(tmp_path: Path) -> None:
    left = Backlog(tmp_path / "b.ndjson")
    left.push([ODD])
    with (tmp_path / "b.ndjson").open("ab") as file:
        file.write(b'[2, "half a li')  # killed as it wrote
    backlog = Backlog(tmp_path / "b.ndjson")
    backlog.take_over()
    (entry,) = backlog.peek()
    assert entry == ODD
    backlog.drop(1)
    assert not backlog and not (tmp_path / "b.ndjson").exists()


def test_a_folder_that_cannot_be_written_leaves_the_memory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    backlog = Backlog(tmp_path / "file" / "b.ndjson")
    backlog.push(entries(0, 5))
    assert len(backlog) == 5 and not backlog.save()
    assert drained(backlog) == list(range(5))
