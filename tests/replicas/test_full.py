"""A database whose disk is full."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.disk import MB, SmallDisk, small_disk
from tests.postgres import Cluster, folder
from tests.served import Served, until


@pytest.fixture
def disk(own_server: Cluster) -> Iterator[SmallDisk]:
    """The tables of the database `small` are on it; the server's log of writes is not."""
    with folder() as path, small_disk(path / "disk") as mounted:
        space, owner = mounted.folder / "space", own_server.folder.stat()
        mounted.folder.chmod(0o755)
        space.mkdir()
        os.chown(space, owner.st_uid, owner.st_gid)
        own_server.execute(f"CREATE TABLESPACE small LOCATION '{space}'")
        own_server.execute("CREATE DATABASE small TABLESPACE small")
        try:
            yield mounted
        finally:
            own_server.stop("immediate")


def test_lines_wait_while_the_database_is_full_and_none_is_missed(
    disk: SmallDisk, own_server: Cluster, data_dir: Path
) -> None:
    data_dir.mkdir()
    service = Served({"data_dir": data_dir, "database_url": own_server.url("small")}).start()
    # What does not get smaller by compression.
    much = "head -c 3000000 /dev/urandom | base64 -w 75"
    script = f"echo before; read go; {much}; echo meanwhile; read go; echo after"
    job, runner = service.begin("sh", "-c", script, stdin=-1)
    log = f"/api/jobs/{job}/logs?format=text&limit=500000"
    assert runner.stdin is not None and runner.stderr is not None
    try:
        until(lambda: service.get(log).text == "before\n", "the first line", 60)
        disk.leave(MB // 4)
        runner.stdin.write(b"\n")
        runner.stdin.flush()
        said = runner.stderr.readline()
        assert b"the database has no room left" in said and b"lines wait in" in said
        assert service.get(log).text.startswith("before\n")
        disk.clear()
        runner.stdin.write(b"\n")
        runner.stdin.close()
        assert runner.wait(60) == 0
        lines = until(lambda: (found := service.get(log).text.splitlines())[-1] == "after" and found, "the end", 60)
        assert len(lines) == 3 + -(-4_000_000 // 75) and lines[-2] == "meanwhile"
        assert "Traceback" not in service.output
    finally:
        runner.kill()
        service.stop()
