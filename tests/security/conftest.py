"""A service in this process with one job of the embedded engine, and callers of every kind."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .house import House
from .site import Site


@pytest.fixture
def open_site(tmp_path: Path) -> Iterator[Callable[..., Site]]:
    """`open_site(access_token=..., ...)`: with a token unless another is given."""
    with contextlib.ExitStack() as stack:
        yield lambda **settings: stack.enter_context(Site.opened(tmp_path / "data", **settings))


@pytest.fixture
def site(open_site: Callable[..., Site]) -> Site:
    return open_site()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """`jobtail serve` with a token, in a process of its own, before a scripted upstream. One a module."""
    with House.opened(tmp_path_factory.mktemp("house")) as house:
        yield house
