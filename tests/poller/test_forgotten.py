"""A journal that is thrown away while it is polled: the new one gets the whole log, whenever that was."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.upstream import Job, Upstream, now_ms
from webapp.journal.redact import Redactor
from webapp.store.sqlite.journal import SqliteJournal
from webapp.store.sqlite.writer import SqliteWriter

from .rig import FAST, rig

pytestmark = pytest.mark.anyio

LINES = 3000
ALL = [f"line {n}" for n in range(1, LINES + 1)]


def long_job(upstream: Upstream) -> Job:
    """Fifty minutes of log: a sweep reaches ten."""
    job = upstream.job()
    job.lines(1, LINES, now_ms() - LINES * 1000, 1000)
    return job


def first_forget(journal: SqliteJournal, real: Callable[..., Any]) -> Callable[..., Any]:
    """The same call, but the first one comes just after the journal was thrown away."""
    left = [True]

    def call(*args: Any, **options: Any) -> Any:
        if left:
            left.pop()
            journal.forget()
        return real(*args, **options)

    return call


@pytest.mark.parametrize("when", ["asked", "begun", "appended"])
async def test_thrown_away_while_a_round_reads_it_gets_the_whole_log(
    tmp_path: Path, upstream: Upstream, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, when: str
) -> None:
    job = long_job(upstream)
    async with rig(tmp_path, upstream, job) as r:
        await r.rounds(3)
        epoch = r.journal.state().epoch
        if when == "asked":
            asked = first_forget(r.journal, lambda _: None)
            upstream.on_request = lambda request: asked(request) if request.route == "logs" else None
        else:
            name = {"begun": "seen_untimed", "appended": "append"}[when]
            part = SqliteWriter if when == "appended" else SqliteJournal
            monkeypatch.setattr(part, name, first_forget(r.journal, getattr(part, name)))
        job.log(f"line {LINES + 1}")
        wanted = [*ALL, f"line {LINES + 1}"]
        await r.until(lambda: r.journal.state().epoch != epoch and r.messages() == wanted, "the whole log")
        assert not r.journal.state().finished
    assert not [record for record in caplog.records if record.levelname == "ERROR"]  # the disk is well


async def test_thrown_away_just_before_its_end_is_written_it_ends_with_the_whole_log(
    tmp_path: Path, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = long_job(upstream)
    job.finish()
    async with rig(tmp_path, upstream, job) as r:
        ends = []
        finish = first_forget(r.journal, SqliteWriter.finish)
        monkeypatch.setattr(SqliteWriter, "finish", lambda *args: ends.append(args) or finish(*args))
        epoch = r.journal.state().epoch
        await r.until(lambda: r.journal.state().epoch != epoch, "the new journal")
        await r.until(lambda: r.messages() == ALL, "the whole log")
        await r.finished()
        assert r.messages() == ALL and r.journal.state().complete
        assert len(ends) == 2  # an end of its own


async def test_thrown_away_by_another_process_after_the_end_it_is_whole_again_long_before_the_next_look(
    tmp_path: Path, upstream: Upstream
) -> None:
    job = long_job(upstream)
    job.finish()
    pace = replace(FAST, looks=(60.0, 300.0), drain_most=0.5)
    async with rig(tmp_path, upstream, job, pace=pace) as r:
        await r.finished()
        await asyncio.sleep(pace.drain_most)  # the new end is waited for as long as the first was
        other = SqliteJournal(r.journal.path, job.id, Redactor(()), 50)
        other.forget()
        other.close()
        await r.finished()
        assert r.messages() == ALL and r.journal.state().complete
