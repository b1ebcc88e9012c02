"""What is taken in of a job that reports to several processes, when its requests overtake each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from webapp.engine.catalog import Catalog
from webapp.engine.intake import Delivery, End, Intake, Reporter
from webapp.engine.job import Job
from webapp.errors import Conflict
from webapp.journal.redact import Redactor
from webapp.journal.text import text
from webapp.store.report import Report
from webapp.store.sqlite.store import SqliteStore

pytestmark = pytest.mark.anyio
AT = 1_700_000_000_000
SENDER = Reporter("ci.p1", 1)
END = End("Failed", 3, "", True)


class Replica:
    def __init__(self, folder: Path) -> None:
        self.store = SqliteStore(folder, Redactor(()))
        self.catalog = Catalog(self.store, folder)
        self.intake = Intake(self.store, self.catalog)

    async def begin(self) -> None:
        at = self.store.catalog.now_ms()
        job = Job("a-job", "a job", ("sleep", "1"), "/", "host", "me", "3.11", 1, at, at, state_ms=at)
        await self.intake.begin(job, Report("a-job", "ci.p1", 1), granted=False)

    async def feed(self, seq: int) -> None:
        await self.intake.feed("a-job", SENDER, seq, Delivery(texts=[text(AT + seq, f"line {seq}".encode(), {})]))

    def state(self) -> tuple[Any, ...]:
        state = self.store.journals.open("a-job").state()
        return (state.finished, state.complete, (state.status or {}).get("job_status"), state.last_line)


@pytest.fixture
def replicas(tmp_path: Path) -> Iterator[list[Replica]]:
    made = [Replica(tmp_path / "data") for _ in range(2)]
    yield made
    for each in made:
        each.intake.close()
        each.store.close()


def before(monkeypatch: pytest.MonkeyPatch, where: Any, name: str, first: Callable[[], object]) -> None:
    """The next call of this method comes after `first`."""
    real = getattr(where, name)

    def call(*arguments: Any, **more: Any) -> Any:
        monkeypatch.setattr(where, name, real)
        first()
        return real(*arguments, **more)

    monkeypatch.setattr(where, name, call)


async def test_a_heartbeat_that_the_end_overtook_opens_nothing_again(
    replicas: list[Replica], monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, quick = replicas
    await quick.begin()
    await quick.feed(0)
    job = quick.intake._lanes["a-job"]
    before(monkeypatch, slow.catalog, "heartbeat", lambda: quick.intake._end(job, SENDER, END))
    await slow.intake.beat("a-job", SENDER)
    assert slow.state() == quick.state() == (True, True, "Failed", 1)
    with pytest.raises(Conflict, match="has ended"):
        await slow.feed(1)
    assert slow.state() == (True, True, "Failed", 1)


async def test_an_end_whose_lease_was_taken_meanwhile_still_closes_the_log(
    replicas: list[Replica], monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, quick = replicas
    await slow.begin()
    await slow.feed(0)
    claim = quick.store.journals.open("a-job").claim
    before(monkeypatch, slow.catalog, "ended", lambda: claim(5, take_over=True).release())
    job = await slow.intake.end("a-job", SENDER, END)
    assert (job.state, slow.state()) == ("Failed", (True, True, "Failed", 1))
    assert (await quick.intake.end("a-job", SENDER, END)).state == "Failed", "told twice"
    assert quick.state() == (True, True, "Failed", 1)
