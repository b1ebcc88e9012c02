from __future__ import annotations

from pathlib import Path

from webapp.engine.backlog import Backlog
from webapp.journal.line import Entry


def entries(first: int, count: int) -> list[Entry]:
    return [Entry(n, f"line {n}", {"stream": "stdout"}) for n in range(first, first + count)]


def drained(backlog: Backlog) -> list[int]:
    found: list[int] = []
    while waiting := backlog.peek():
        found += [entry.timestamp for entry in waiting]
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


def test_what_the_file_cannot_hold_waits_in_memory_behind_it(tmp_path: Path) -> None:
    backlog = Backlog(tmp_path / "b.ndjson", file_bytes=1_000)
    for n in range(100):
        backlog.push(entries(n, 1))
    assert len(backlog) > 0 and backlog.lost == 0
    assert drained(backlog) == list(range(100))


def test_past_both_bounds_lines_are_counted_as_lost(tmp_path: Path) -> None:
    backlog = Backlog(tmp_path / "b.ndjson", file_bytes=0, memory_bytes=1_100)
    backlog.push(entries(0, 50))
    kept = drained(backlog)
    assert kept == list(range(len(kept))) and backlog.lost == 50 - len(kept) > 0


def test_the_next_process_takes_over_what_was_left(tmp_path: Path) -> None:
    left = Backlog(tmp_path / "b.ndjson")
    left.push([Entry(1, "\u2028 \x00 \ufffd 'quoted\"", {"stream": "stderr", "split": True})])
    with (tmp_path / "b.ndjson").open("ab") as file:
        file.write(b'[2, "half a li')  # killed as it wrote
    backlog = Backlog(tmp_path / "b.ndjson")
    backlog.take_over()
    (entry,) = backlog.peek()
    assert entry == Entry(1, "\u2028 \x00 \ufffd 'quoted\"", {"stream": "stderr", "split": True})
    backlog.drop(1)
    assert not backlog and not (tmp_path / "b.ndjson").exists()


def test_a_folder_that_cannot_be_written_leaves_the_memory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    backlog = Backlog(tmp_path / "file" / "b.ndjson")
    backlog.push(entries(0, 5))
    assert len(backlog) == 5 and not backlog.save()
    assert drained(backlog) == list(range(5))
