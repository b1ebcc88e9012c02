"""Every test in this folder runs on each implementation of the store, through its Protocols alone."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from webapp.store.base import Journal, Store

from ...postgres import MISSING, Cluster, binaries, cluster
from .backend import Backend, PostgresBackend, SqliteBackend

_names = itertools.count()


@pytest.fixture(scope="session")
def server() -> Iterator[Cluster]:
    """One for all tests of this process; each has a database of its own."""
    if binaries() is None:
        pytest.skip(MISSING)
    with cluster() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgres"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    backend: Backend
    if request.param == "sqlite":
        backend = SqliteBackend(tmp_path)
    else:
        running: Cluster = request.getfixturevalue("server")
        backend = PostgresBackend(running.database(f"contract{next(_names)}"))
    yield backend
    backend.close()


@pytest.fixture
def store(backend: Backend) -> Store:
    return backend.open()


@pytest.fixture
def other(backend: Backend) -> Store:
    """The same, as another process has it."""
    return backend.open()


@pytest.fixture
def journal(store: Store) -> Journal:
    return store.journals.open("a-job")
