"""A database that is gone, or that holds its connections and answers nothing: whoever stops meanwhile stops in time,
and whoever asks is told."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from tests.paced import Paced
from tests.postgres import Cluster
from tests.served import Served, jobtail, spawn, until
from tests.sse import EventStream
from tests.upstream import Upstream
from webapp.errors import JournalError, StoreDown
from webapp.journal.line import Entry
from webapp.journal.redact import Redactor
from webapp.store.base import Writer
from webapp.store.postgres import patience
from webapp.store.postgres.store import PostgresStore

from .conftest import Pooler

JOBS = 6
HOW = ("gone", "stopped")


class Away:
    """Called, it takes the database away; `back`: it is there again."""

    def __init__(self, server: Cluster) -> None:
        self._server = server
        self._frozen = self._gone = False

    def __call__(self, how: str) -> None:
        if how == "gone":
            self._server.stop("immediate")
            self._gone = True
        else:
            self._server.freeze()
            self._frozen = True

    def back(self) -> None:
        if self._frozen:
            self._server.thaw()
        elif self._gone:
            self._server.start()
        self._frozen = self._gone = False


@pytest.fixture
def away(own_server: Cluster) -> Iterator[Away]:
    found = Away(own_server)
    yield found
    if found._frozen:
        own_server.thaw()


class Watcher(threading.Thread):
    """Follows a job until its stream ends. `names`: of the events that came."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self.url = url
        self.names: list[str] = []
        self.start()

    def run(self) -> None:
        try:
            with EventStream(self.url, timeout=60) as stream:
                for event in stream:
                    self.names.append(event.name)
        except OSError:
            self.names.append("cut")


@pytest.mark.parametrize(("how", "workers"), [("gone", 2), ("stopped", 1)])
def test_services_stop_in_time_and_tell_their_viewers_without_a_database(
    how: str, workers: int, own_server: Cluster, away: Away, upstream: Upstream, data_dir: Path
) -> None:
    data_dir.mkdir()
    jobs = [upstream.job(f"job-{n}") for n in range(JOBS)]
    for job in jobs:
        job.lines(1, 3, 1_700_000_000_000)
    settings = {"data_dir": data_dir, "upstream_url": upstream.url, "refresh_seconds": 0.1, "workers": workers}
    service = Paced({**settings, "database_url": own_server.database("left")}).start()
    try:
        query = "format=batch&sample_logs=false"
        viewers = [Watcher(f"{service.url}/api/jobs/{job.id}/events?{query}") for job in jobs for _ in range(2)]
        until(lambda: all("lines" in viewer.names for viewer in viewers), "every viewer to have its lines")
        away(how)
        assert service.stop() == 0
        for viewer in viewers:
            viewer.join(30)
            assert viewer.names[-1] == "bye", viewer.names
        assert "still hangs" not in service.output and "Traceback" not in service.output, service.output
    finally:
        service.kill()


@pytest.mark.parametrize("how", HOW)
def test_a_command_ends_as_it_would_and_its_lines_come_when_the_database_is_back(
    how: str, own_server: Cluster, away: Away, data_dir: Path, tmp_path: Path
) -> None:
    data_dir.mkdir()
    service = Served({"data_dir": data_dir, "database_url": own_server.database("run")}).start()
    go = tmp_path / "go"
    script = f"echo first; while [ ! -e {go} ]; do sleep 0.05; done; echo second; exit 3"
    job, runner = service.begin("sh", "-c", script)
    log = f"/api/jobs/{job}/logs?format=text"
    try:
        until(lambda: service.get(log).text == "first\n", "the first line")
        away(how)
        go.touch()
        _, said = runner.communicate(timeout=60)
        assert runner.returncode == 3 and b"jobtail serve takes them in" in said, said
        away.back()
        until(lambda: service.get(log).text == "first\nsecond\n", "all of its lines", 60)
        until(lambda: service.get(f"/api/jobs/{job}").json().get("finished_job_status"), "its end", 60)
    finally:
        service.stop()


def test_a_service_starts_while_its_pooler_has_no_database(
    own_server: Cluster, pooler: Callable[[Cluster], Pooler], data_dir: Path
) -> None:
    data_dir.mkdir()
    own_server.database("later")
    between = pooler(own_server)
    psycopg.connect(between.url("later")).close()  # the pooler knows by now how to answer for it
    own_server.stop("immediate")
    service = Served({"data_dir": data_dir, "database_url": between.url("later")})
    starting = threading.Thread(target=service.start, daemon=True)
    starting.start()
    try:
        until(lambda: "waiting for it" in service.output, "the service to wait")
        own_server.start()
        starting.join(60)
        assert service.get("/readyz").status_code == 200
    finally:
        service.stop()


@pytest.mark.parametrize("how", HOW)
def test_commands_say_in_one_sentence_that_the_database_does_not_answer(
    how: str, own_server: Cluster, away: Away, data_dir: Path, tmp_path: Path
) -> None:
    settings = {"data_dir": data_dir, "database_url": own_server.database("asked")}
    assert jobtail("doctor", settings=settings).returncode == 0
    away(how)
    asked = [("doctor",), ("backup", str(tmp_path / "copy.tar")), ("journal",), ("journal", "verify")]
    running = [(each, spawn(*each, settings=settings, stdout=-1, stderr=-2)) for each in asked]
    for each, process in running:
        said, _ = process.communicate(timeout=60)
        assert process.returncode == 1 and b"the database does not answer" in said, (each, said)
        assert b"Traceback" not in said and said.count(b"does not answer") == 1, (each, said)


def test_a_statement_that_is_not_answered_is_given_up_and_written_once(
    own_server: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("database.ANSWER_SECONDS", "patience.ANSWER_SECONDS"):
        monkeypatch.setattr(f"webapp.store.postgres.{name}", 1.0)
    store = PostgresStore(own_server.database("slow"), Redactor(()))
    try:
        journal = store.journals.open("job")
        writer = journal.claim(600)
        own_server.freeze()
        try:
            with pytest.raises(JournalError):
                writer.append([Entry(1, "a line")])
            with pytest.raises(StoreDown):
                journal.state()
        finally:
            own_server.thaw()
        until(lambda: _answers(store), "the database to answer again")
        writer.append([Entry(1, "a line")])
        assert journal.state().last_line == 1
    finally:
        store.close()
    assert patience.ANSWER_SECONDS == 1.0


def _answers(store: PostgresStore) -> bool:
    try:
        return store.journals.size() >= 0
    except StoreDown:
        return False


def test_a_store_in_a_hurry_keeps_nobody_waiting(own_server: Cluster) -> None:
    store = PostgresStore(own_server.database("hurry"), Redactor(()))
    journals = [store.journals.open(f"job-{n}") for n in range(20)]
    writers = [journal.claim(60) for journal in journals]
    own_server.freeze()
    try:
        waiting = [threading.Thread(target=_released, args=(writer,), daemon=True) for writer in writers]
        for thread in waiting:
            thread.start()
        store.hurry(0.2)
        for thread in waiting:
            thread.join(60)
            assert not thread.is_alive()
        with pytest.raises(StoreDown):
            journals[0].state()
    finally:
        own_server.thaw()
        store.close()


def _released(writer: Writer) -> None:
    with contextlib.suppress(JournalError):
        writer.release()
