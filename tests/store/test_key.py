"""The key that signs links and cookies, where nobody set one."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from webapp.errors import JournalError
from webapp.store.sqlite.key import kept_key


def test_the_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    key = kept_key(folder)
    assert len(key) >= 43 and kept_key(folder) == key
    assert stat.S_IMODE((folder / "secret.key").stat().st_mode) == 0o600
    assert os.listdir(folder) == ["secret.key"]


def test_those_who_start_at_once_agree_on_a_key(tmp_path: Path) -> None:
    keys: list[str] = []
    start = threading.Barrier(8)

    def begin() -> None:
        start.wait()
        keys.append(kept_key(tmp_path))

    threads = [threading.Thread(target=begin) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 8 and len(set(keys)) == 1


def test_a_key_file_that_others_may_read_is_closed(tmp_path: Path) -> None:
    kept_key(tmp_path)
    (tmp_path / "secret.key").chmod(0o644)
    kept_key(tmp_path)
    assert stat.S_IMODE((tmp_path / "secret.key").stat().st_mode) == 0o600


def test_an_empty_key_file_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "secret.key").write_text("\n")
    with pytest.raises(JournalError, match="remove it"):
        kept_key(tmp_path)
