"""A service in this process with one job of the embedded engine, and callers of every kind."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .site import Site


@pytest.fixture
def open_site(tmp_path: Path) -> Iterator[Callable[..., Site]]:
    """`open_site(access_token=..., ...)`: with a token unless another is given."""
    with contextlib.ExitStack() as stack:
        yield lambda **settings: stack.enter_context(Site.opened(tmp_path / "data", **settings))


@pytest.fixture
def site(open_site: Callable[..., Site]) -> Site:
    return open_site()
