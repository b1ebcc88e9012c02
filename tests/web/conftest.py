from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from tests.security.conftest import open_site, site
from tests.served import Served

__all__ = ["open_site", "site"]

TEN = "print(*(f'{w} number {n}' for n, w in enumerate(['INFO', 'ERROR', 'DEBUG', 'WARN', 'plain'] * 2)), sep='\\n')"


@pytest.fixture
def service(serve: Callable[..., Served]) -> Served:
    return serve()


@pytest.fixture
def ten(service: Served) -> str:
    """A finished job of ten lines: INFO, ERROR, DEBUG, WARN and plain, twice."""
    return service.run(sys.executable, "-c", TEN, name="ten")
