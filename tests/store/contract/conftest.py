"""Every test in this folder runs on each implementation of the store, through its Protocols alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from webapp.store.base import Journal, Store

from .backend import Backend, SqliteBackend

BACKENDS: dict[str, Callable[[Path], Backend]] = {"sqlite": SqliteBackend}


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    backend = BACKENDS[request.param](tmp_path)
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
