"""What tests of all kinds need: a real service on a free port, and the commands that belong to it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from . import upstream as scripted
from .served import Served

# A setting of whoever runs the tests must not change what they prove; nor may a proxy stand before loopback.
for name in [name for name in os.environ if name.startswith("JOBTAIL_")]:
    del os.environ[name]
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost,::1"

# A shell that starts us in the background has Ctrl-C ignored, nohup the end of a terminal; by all that we start too.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def serve(data_dir: Path) -> Iterator[Callable[..., Served]]:
    """`serve(access_token="...", ...)` starts `jobtail serve` with these settings, in a process of its own, on a
    free port. All are stopped at the end, and must have stopped cleanly."""
    running: list[Served] = []

    def start(**settings: object) -> Served:
        served = Served({"data_dir": data_dir, **settings})
        running.append(served)
        return served.start()

    yield start
    for served in running:
        served.stop()


@pytest.fixture
def upstream() -> Iterator[scripted.Upstream]:
    """A scripted server that speaks the Fused wire: `serve(upstream_url=upstream.url)`."""
    with scripted.upstream() as server:
        yield server
