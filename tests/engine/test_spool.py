"""Lines on their way to a service elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from webapp.engine.backlog import Hole
from webapp.journal.text import Text, text
from webapp.push import spool as spools
from webapp.push.spool import Spool


def lines(first: int, count: int) -> Text:
    return text(1000, b"\n".join(b"line %d" % n for n in range(first, first + count)), {"stream": "stdout"})


def taken(spool: Spool, size: int = 1 << 20) -> list[str | int]:
    """What a sender gets, to the end; a hole as its number."""
    found: list[str | int] = []
    while (batch := spool.batch(size)) is not None:
        assert spool.batch(size) == batch  # the same again until it was taken
        found += [batch.lines] if isinstance(batch, Hole) else [line for each in batch for line in each.messages()]
        spool.advance(batch)
    return found


def test_lines_come_out_in_order_and_their_files_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spools, "SEGMENT_BYTES", 2000)
    spool = Spool(tmp_path)
    for first in range(0, 1000, 100):
        spool.push([lines(first, 100)])
    assert len(list(tmp_path.iterdir())) > 3 and spool.waiting == 1000
    assert taken(spool, 700) == [f"line {n}" for n in range(1000)]
    assert not list(tmp_path.iterdir()) and (spool.waiting, spool.sent) == (0, 1000)


def test_a_batch_holds_no_more_lines_than_a_request_may(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.push([text(1, b"\n" * 99_999, {})])
    while (batch := spool.batch(1 << 20)) is not None:
        assert not isinstance(batch, Hole) and sum(each.count for each in batch) <= spools.BATCH_LINES
        spool.advance(batch)
    assert spool.sent == 100_000


def test_past_its_bound_lines_are_counted_in_their_place(tmp_path: Path) -> None:
    spool = Spool(tmp_path, most_bytes=2000)
    for first in range(0, 1000, 10):
        spool.push([lines(first, 10)])
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 8000
    before = taken(spool)
    spool.push([lines(1000, 1)])
    assert taken(spool) == ["line 1000"]
    kept = [line for line in before if isinstance(line, str)]
    holes = [lost for lost in before if isinstance(lost, int)]
    assert len(kept) + sum(holes) == 1000 and spool.lost == sum(holes) > 0
    assert kept == [f"line {n}" for n in range(len(kept))]


def test_lines_that_are_lost_while_a_hole_is_on_its_way_are_told_too(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "a file" / "in its place", most_bytes=0)
    (tmp_path / "a file").touch()
    spool.push([lines(0, 10)])
    on_its_way = spool.batch(1000)
    assert isinstance(on_its_way, Hole)
    told = on_its_way.lines
    spool.push([lines(10, 5)])
    spool.push([lines(15, 5)])
    spool.advance(on_its_way)
    assert spool and [told, *taken(spool)] == [10, 10] and spool.lost == 20
    assert not spool  # or the sender would look for them again and again


def test_what_a_runner_left_is_gone_on_with_after_what_the_service_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spools, "SEGMENT_BYTES", 2000)
    runner = Spool(tmp_path)
    for first in range(0, 1000, 100):
        runner.push([lines(first, 100)])
    for _ in range(12):
        batch = runner.batch(300)
        assert batch is not None
        runner.advance(batch)
    heir = Spool(tmp_path)
    assert heir.take_over() and heir.sent + heir.waiting == 1000
    heir.skip(runner.sent + 7)
    assert taken(heir) == [f"line {n}" for n in range(runner.sent + 7, 1000)]


def test_a_line_that_no_request_could_hold_goes_as_several(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.push([text(1, b"a\n" + b"x" * 600_000 + b"\nb", {"stream": "stderr"})])
    found: list[Text] = []
    while (batch := spool.batch(1 << 20)) is not None:
        assert not isinstance(batch, Hole)
        found += batch
        spool.advance(batch)
    assert [len(each.data) for each in found] == [1, 262144, 262144, 75712, 1]
    assert [each.extra.get("split") for each in found] == [None, True, True, None, None]
    assert spool.sent == 5
