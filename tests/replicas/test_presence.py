"""How many watch a job is counted over all processes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ..served import Served, until
from ..sse import EventStream


@pytest.mark.parametrize("kind", ["a folder", "a database"])
def test_viewers_of_every_process_are_counted(
    kind: str, serve: Callable[..., Served], request: pytest.FixtureRequest, data_dir: Path
) -> None:
    settings = {"database_url": request.getfixturevalue("database")} if kind == "a database" else {}
    data_dir.mkdir()
    first, second = serve(**settings), serve(**settings)
    def counted(served: Served) -> int:
        return int(served.get(f"/api/jobs/{job}").headers["Jobtail-Viewers"])

    running, runner = first.begin("sleep", "60")
    try:
        job = running
        one, two = (EventStream(f"{served.url}/api/jobs/{job}/events") for served in (first, second))
        with one, two:
            next(iter(one)), next(iter(two))
            for served in (first, second):
                until(lambda served=served: counted(served) == 2, "both viewers to be counted")  # type: ignore[misc]
            second.stop()
            until(lambda: counted(first) == 1, "the viewer of the other process to be gone")
    finally:
        runner.kill()
        runner.wait()
