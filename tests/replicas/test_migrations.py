"""A database that an earlier version wrote is brought up with all that it holds.

`versionN.sql` is what `pg_dump --inserts` gave of a database that the code of that version had written.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from tests.postgres import Cluster
from webapp.journal.line import Entry
from webapp.journal.parts import Gap
from webapp.journal.redact import Redactor
from webapp.store.postgres.schema import MIGRATIONS, VERSION
from webapp.store.postgres.store import PostgresStore
from webapp.store.report import Report

HERE = Path(__file__).parent
VERSIONS = range(1, VERSION)
# What every table, column, index and constraint is; the order of columns does not matter.
SHAPE = (
    "SELECT c.relname, c.relkind::text, c.relpersistence::text, c.reloptions::text, a.attname,"
    " format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid), pg_get_indexdef(c.oid)"
    " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_attribute a ON a.attrelid = c.oid"
    " AND a.attnum > 0 AND NOT a.attisdropped LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum"
    " WHERE n.nspname = 'jobtail' AND c.relkind IN ('r', 'i', 'S')"
)


def written_by(version: int, url: str) -> str:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute((HERE / f"version{version}.sql").read_bytes())
    return url


def test_every_earlier_version_has_a_migration_and_a_database_of_its_own() -> None:
    assert sorted(MIGRATIONS) == list(VERSIONS)
    assert sorted(int(path.stem.removeprefix("version")) for path in HERE.glob("version*.sql")) == list(VERSIONS)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_database_of_an_earlier_version_is_brought_up_and_keeps_what_it_holds(version: int, database: str) -> None:
    store = PostgresStore(written_by(version, database), Redactor(()))
    try:
        journal = store.journals.open("a-job")
        state = journal.state()
        assert (state.last_line, state.finished, state.held) == (40, False, False)
        assert (state.status or {})["status"] == "running" and (state.partial or {})["stdout"]["message"] == "half a li"
        lines = [line for batch in journal.read(0) for line in batch.split()]
        assert [line for line in lines if state.epoch.encode() not in line] == [] and len(lines) == 40
        assert journal.gaps(0, 100) == [Gap(30, "upstream", 4)]
        assert sum(journal.seen(0, 1 << 62).values()) == 40
        assert store.journals.open("done").state().finished
        job = store.catalog.get("a-job")
        assert job is not None and job.command == ("echo", "hi")
        assert [found.who for found in store.cancellations.of_job("a-job")] == ["ada"]
        assert not store.shares.revoked("a-share") and store.shares.revoked("gone")
        assert store.sessions.ended("signed-out")
        assert store.secret_key() == f"the-key-that-version-{version}-made-and-that-signs-links"
        kept = Report("a-job", "ci.p1", 3, "ci") if version > 1 else None
        assert store.reports.get("a-job") == kept
        # It goes on, and what came after that version works.
        writer = journal.claim(30)
        writer.append([Entry(1_700_000_001_000, "line 41")])
        after = journal.state()
        # From version 3 on a journal knows where it was written: this one is a copy, which goes on under a new epoch.
        assert after.last_line == 41 and (after.epoch == state.epoch) == (version < 3)
        assert store.reports.begin(Report("new", "ci.p2", 1)).producer == "ci.p2"
        store.attempts.failed("token", {"a": 1}, set())
    finally:
        store.close()


@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_brought_up_has_the_shape_of_what_is_new(version: int, database: str, server: Cluster) -> None:
    shapes = []
    for url in (written_by(version, database), server.database(f"fresh_{version}")):
        PostgresStore(url, Redactor(())).close()
        with psycopg.connect(url) as connection:
            shapes.append(sorted(map(str, connection.execute(SHAPE).fetchall())))
    assert shapes[0] == shapes[1] and len(shapes[0]) > 100


@pytest.mark.parametrize("version", [None, 1])
def test_several_replicas_bring_it_up_at_once(version: int | None, database: str) -> None:
    url = database if version is None else written_by(version, database)

    def start(_: int) -> str:
        store = PostgresStore(url, Redactor(()))
        try:
            return store.secret_key()
        finally:
            store.close()

    with ThreadPoolExecutor(6) as threads:
        assert len(set(threads.map(start, range(6)))) == 1
