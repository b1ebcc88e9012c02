"""An older copy of `jobtail.sqlite3` that is put back brings no revoked link and no ended sign-in back to life."""

from __future__ import annotations

import contextlib
import sqlite3
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from webapp.journal.redact import Redactor
from webapp.store.share import Link
from webapp.store.sqlite import ended
from webapp.store.sqlite.store import SqliteStore

FAR = 1 << 50  # ms


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with opened(tmp_path) as store:
        yield store


@contextlib.contextmanager
def opened(folder: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(folder, Redactor(()))
    try:
        yield store
    finally:
        store.close()


def made(store: SqliteStore) -> None:
    for id in ("kept", "revoked"):
        store.shares.add(Link(id, "a-job", FAR), "", "ada", 1000, most=10)


def saved(folder: Path) -> Path:
    copy = folder / "copy"
    path = folder / "jobtail.sqlite3"
    with contextlib.closing(sqlite3.connect(path)) as db, contextlib.closing(sqlite3.connect(copy)) as target:
        db.backup(target)
    return copy


def revoke(store: SqliteStore) -> None:
    assert store.shares.revoke("a-job", "revoked", 2000)
    store.sessions.end("left", FAR, 2000)


def put_back(copy: Path) -> None:
    for left in ("-wal", "-shm"):
        copy.with_name(f"jobtail.sqlite3{left}").unlink(missing_ok=True)
    copy.replace(copy.with_name("jobtail.sqlite3"))


def check(store: SqliteStore) -> None:
    assert store.shares.revoked("revoked") and not store.shares.revoked("kept")
    assert {share.link.id: share.revoked_ms for share in store.shares.of_job("a-job")} == {
        "kept": None,
        "revoked": 2000,
    }
    assert (found := store.shares.get("revoked")) is not None and found.revoked_ms == 2000
    assert store.sessions.ended("left") and not store.sessions.ended("here")


def test_put_back_while_no_service_runs(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        made(store)
        copy = saved(tmp_path)
        revoke(store)
    put_back(copy)
    with opened(tmp_path) as store:
        check(store)


def test_put_back_under_a_service_that_runs(tmp_path: Path, store: SqliteStore) -> None:
    with opened(tmp_path) as other:
        made(store)
        copy = saved(tmp_path)
        assert not other.shares.revoked("revoked")
        revoke(store)
        put_back(copy)
        check(store)
        check(other)


def test_nothing_but_the_owner_reads_it_and_no_backup_brings_it_back(tmp_path: Path, store: SqliteStore) -> None:
    made(store)
    revoke(store)
    assert (tmp_path / "ended").stat().st_mode & 0o777 == 0o600
    store.backup(tmp_path / "backup.tar")
    with tarfile.open(tmp_path / "backup.tar") as archive:
        assert "ended" not in archive.getnames()


def test_what_would_have_ended_by_itself_is_thrown_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ended, "LARGE", 100)
    one, other = ended.Ended(tmp_path / "ended"), ended.Ended(tmp_path / "ended")
    for number in range(20):
        one.add(f"short-{number}", 1000, 2000)
    one.add("long", 1000, FAR)
    other.add("later", 3000, FAR)
    assert [row[0] for row in (line.split() for line in (tmp_path / "ended").read_text().splitlines())] == [
        "long",
        "later",
    ]
    assert one.at("long") == 1000 and one.at("later") == 3000 and one.at("short-1") is None


def test_a_line_that_broke_off_costs_no_other(tmp_path: Path) -> None:
    (tmp_path / "ended").write_bytes(b"one 1000 9000\nnonsense\ntwo 2000 90")
    found = ended.Ended(tmp_path / "ended")
    assert (found.at("one"), found.at("two")) == (1000, None)
    found.add("three", 3000, FAR)
    assert (found.at("one"), found.at("three")) == (1000, 3000)
