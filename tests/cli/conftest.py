from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ..served import Served, jobtail


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One service for the tests of a module, which share its jobs."""
    served = Served({"data_dir": tmp_path_factory.mktemp("cli") / "data"})
    yield served.start()
    served.stop()


@pytest.fixture(scope="module")
def failed(service: Served) -> str:
    """A job that wrote three lines and failed."""
    return service.run(
        "sh", "-c", "echo '  first'; echo 'ERROR second' >&2; sleep 0.2; echo third; exit 3", name="three lines"
    )


@pytest.fixture
def ask(service: Served) -> Callable[..., subprocess.CompletedProcess[str]]:
    """A terminal command against the service."""

    def run(*arguments: str, **how: Any) -> subprocess.CompletedProcess[str]:
        return jobtail(*arguments, settings={"url": service.url, **how.pop("settings", {})}, **how)

    return run
