from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import upstream as scripted
from tests.paced import Paced


@pytest.fixture
def upstream() -> Iterator[scripted.Upstream]:
    with scripted.upstream() as server:
        yield server


@pytest.fixture
def follow(upstream: scripted.Upstream, data_dir: Path) -> Iterator[Callable[..., Paced]]:
    """`follow(refresh_seconds=...)` starts a service on the scripted upstream, its times at a fraction."""
    running: list[Paced] = []

    def start(**settings: object) -> Paced:
        wanted = {"data_dir": data_dir, "upstream_url": upstream.url, "refresh_seconds": 0.1, **settings}
        running.append(Paced(wanted))
        served = running[-1].start()
        assert isinstance(served, Paced)
        return served

    yield start
    for served in running:
        served.stop()
