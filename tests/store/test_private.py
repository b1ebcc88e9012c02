"""Files and folders are their owner's alone, whoever made the folder above them, and whatever the umask."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from webapp.engine.backlog import Backlog, backlog_path
from webapp.engine.lock import RunnerLock
from webapp.journal.line import Entry
from webapp.journal.redact import Redactor
from webapp.journal.text import text
from webapp.store.sqlite.store import SqliteStore


@pytest.fixture(params=[0o000, 0o022, 0o077])
def umask(request: pytest.FixtureRequest) -> int:
    before = os.umask(request.param)
    request.addfinalizer(lambda: os.umask(before))
    return int(request.param)


def fill(folder: Path) -> None:
    store = SqliteStore(folder, Redactor(()))
    store.journals.open("a-job").claim(5).append([Entry(1, "a secret plan", None)])
    store.secret_key()
    store.writable()
    store.presence.announce("me", {"a-job": 1}, 5)
    backlog = Backlog(backlog_path(folder, "a-job"))
    backlog.push([text(1, b"a secret plan", {})])
    lock = RunnerLock(folder, "a-job")
    lock.hold()
    loose = [
        f"{path.relative_to(folder)}: {stat.S_IMODE(path.stat().st_mode):o}"
        for path in folder.rglob("*")
        if stat.S_IMODE(path.stat().st_mode) & 0o077
    ]
    lock.release()
    store.close()
    assert not loose, loose
    assert len(list(folder.rglob("*"))) > 12


def test_in_a_folder_that_was_made_beforehand(tmp_path: Path, umask: int) -> None:
    for name in ("", "jobs", "jobs/marks", "backlog", "runners"):
        (tmp_path / "data" / name).mkdir(mode=0o755)
        (tmp_path / "data" / name).chmod(0o755)
    fill(tmp_path / "data")


def test_in_a_folder_of_its_own(tmp_path: Path, umask: int) -> None:
    fill(tmp_path / "data")
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700


def test_files_that_others_could_read_are_closed_to_them(tmp_path: Path) -> None:
    fill(tmp_path / "data")
    for path in (tmp_path / "data").rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    store = SqliteStore(tmp_path / "data", Redactor(()))
    store.journals.open("a-job").state()
    store.secret_key()
    for path in (tmp_path / "data").rglob("*.sqlite3*"):
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path
    store.close()
