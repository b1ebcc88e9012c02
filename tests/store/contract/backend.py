"""What the contract tests need of an implementation of the store, beside the store itself."""

from __future__ import annotations

import contextlib
import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from webapp.errors import OutcomeUnknown
from webapp.journal.redact import Redactor
from webapp.store.base import Store
from webapp.store.sqlite.clock import Clock
from webapp.store.sqlite.journal import SqliteJournal
from webapp.store.sqlite.store import SqliteStore


class Backend(ABC):
    """One place where data lasts, and as many stores on it as there are processes."""

    def __init__(self) -> None:
        self._opened: list[Store] = []

    def open(self, **bounds: Any) -> Store:
        """As another process has it. `bounds`: `max_bytes`, `retention_days`."""
        store = self._make(**bounds)
        self._opened.append(store)
        return store

    def close(self) -> None:
        for store in self._opened:
            store.close()
        self._opened.clear()

    @abstractmethod
    def _make(self, **bounds: Any) -> Store: ...

    @abstractmethod
    def advance(self, seconds: float) -> None:
        """The store's clock goes on by so much."""

    @abstractmethod
    def unknown_commit(self, *, lands: bool) -> contextlib.AbstractContextManager[None]:
        """The next commit breaks off: it `lands` or it does not, and whoever asked for it can't tell."""

    @abstractmethod
    def save(self) -> object:
        """A backup of all there is, while it runs."""

    @abstractmethod
    def restore(self, saved: object) -> None:
        """Puts it back. The stores that are open stay open."""


class SqliteBackend(Backend):
    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder / "data"
        self._copies = folder / "copies"
        self.seconds = 1_000.0
        self.wall_ms = 1_800_000_000_000
        self.boot = "this boot"

    @property
    def clock(self) -> Clock:
        return Clock(self.boot, lambda: self.seconds, lambda: self.wall_ms)

    def _make(self, **bounds: Any) -> Store:
        return SqliteStore(self.folder, Redactor(["hunter2"]), clock=self.clock, **bounds)

    def advance(self, seconds: float) -> None:
        self.seconds += seconds
        self.wall_ms += int(seconds * 1000)

    @contextlib.contextmanager
    def unknown_commit(self, *, lands: bool) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:

            def commit(journal: SqliteJournal, db: Any) -> None:
                patch.undo()
                db.execute("COMMIT" if lands else "ROLLBACK")
                raise OutcomeUnknown("the connection was cut")

            patch.setattr(SqliteJournal, "_commit", commit)
            yield

    def save(self) -> object:
        copy = self._copies / str(len(list(self._copies.glob("*"))) if self._copies.exists() else 0)
        shutil.copytree(self.folder, copy)
        return copy

    def restore(self, saved: object) -> None:
        assert isinstance(saved, Path)
        shutil.rmtree(self.folder)
        shutil.copytree(saved, self.folder)
