"""What the contract tests need of an implementation of the store, beside the store itself."""

from __future__ import annotations

import contextlib
import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from webapp.errors import OutcomeUnknown
from webapp.journal.redact import Redactor
from webapp.store.base import Store
from webapp.store.postgres.database import PostgresDatabase
from webapp.store.postgres.schema import TABLES
from webapp.store.postgres.store import PostgresStore
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


class PostgresBackend(Backend):
    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url

    def _make(self, **bounds: Any) -> Store:
        return PostgresStore(self.url, Redactor(["hunter2"]), **bounds)

    def advance(self, seconds: float) -> None:
        """Its clock can't be set: all times that are kept go back instead."""
        with psycopg.connect(self.url) as connection:
            back = {"seconds": seconds, "ms": int(seconds * 1000)}
            for table, column in (
                ("journal", "held_until"),
                ("journal", "changed"),
                ("presence", "until"),
                ("attempt", "at"),
            ):
                connection.execute(
                    f"UPDATE jobtail.{table} SET {column} = {column} - %(seconds)s * interval '1 second'", back
                )
            connection.execute("UPDATE jobtail.job SET heartbeat_ms = heartbeat_ms - %(ms)s", back)

    @contextlib.contextmanager
    def unknown_commit(self, *, lands: bool) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            real = PostgresDatabase.transaction

            def transaction(database: PostgresDatabase, work: Any, **how: Any) -> Any:
                patch.undo()
                if lands:
                    real(database, work, **how)
                raise OutcomeUnknown("the connection was cut")

            patch.setattr(PostgresDatabase, "transaction", transaction)
            yield

    def save(self) -> object:
        with psycopg.connect(self.url) as connection:
            return {table: self._rows(connection, table) for table in self._tables(connection)}

    def restore(self, saved: object) -> None:
        """As pg_restore does it with `--clean`: the tables are made anew."""
        assert isinstance(saved, dict)
        with psycopg.connect(self.url) as connection:
            (numbers,) = connection.execute("SELECT last_value FROM jobtail.data").fetchone() or (1,)
            connection.execute("DROP SCHEMA jobtail CASCADE")
            connection.execute(TABLES)  # type: ignore[arg-type]
            connection.execute("SELECT setval('jobtail.data', %s)", (numbers,))
            connection.execute("DELETE FROM jobtail.meta")
            for table, rows in saved.items():
                for row in rows:
                    marks = ", ".join(["%s"] * len(row))
                    connection.execute(f"INSERT INTO jobtail.{table} VALUES ({marks})", row)  # type: ignore[arg-type]

    @staticmethod
    def _tables(connection: Any) -> list[str]:
        rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'jobtail'")
        return [row[0] for row in rows]

    @staticmethod
    def _rows(connection: Any, table: str) -> list[tuple[Any, ...]]:
        return list(connection.execute(f"SELECT * FROM jobtail.{table}").fetchall())
