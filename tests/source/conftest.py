from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests import upstream as scripted


@pytest.fixture
def upstream() -> Iterator[scripted.Upstream]:
    with scripted.upstream() as server:
        yield server
