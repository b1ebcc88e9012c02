from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ..postgres import MISSING, Cluster, binaries, cluster, folder, free_port

_numbers = itertools.count()


@pytest.fixture(scope="session")
def server() -> Iterator[Cluster]:
    if binaries() is None:
        pytest.skip(MISSING)
    with cluster() as found:
        yield found


@pytest.fixture
def database(server: Cluster) -> str:
    """The address of a database of its own."""
    return server.database(f"test_{next(_numbers)}")


@pytest.fixture(name="free_port")
def _free_port() -> int:
    """Nobody listens there."""
    return free_port()


@pytest.fixture
def own_server() -> Iterator[Cluster]:
    """A server that only this test uses, so that it may be restarted."""
    if binaries() is None:
        pytest.skip(MISSING)
    with cluster() as found:
        yield found


class Pooler:
    """PgBouncer in transaction mode, in front of one server. `url`: a database by way of it."""

    def __init__(self, path: Path, server: Cluster) -> None:
        program = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"
        if not Path(program).exists():
            pytest.skip("PgBouncer is not here: sudo apt install pgbouncer")
        self.port = free_port()
        settings = path / "pgbouncer.ini"
        settings.write_text(
            f"[databases]\n* = host=127.0.0.1 port={server.port} user=postgres\n[pgbouncer]\nlisten_addr=127.0.0.1\n"
            f"listen_port={self.port}\nauth_type=any\npool_mode=transaction\nunix_socket_dir=\nserver_login_retry=1\n"
            "ignore_startup_parameters=extra_float_digits\ndefault_pool_size=8\n"
        )
        settings.chmod(0o644)
        how = ["-u", "nobody"] if os.getuid() == 0 else []
        self._command = [program, *how, str(settings)]
        self._folder = path
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self._folder
        )
        deadline = time.monotonic() + 30
        import psycopg

        while True:
            try:
                psycopg.connect(self.url("postgres"), connect_timeout=2).close()
                return
            except psycopg.Error:
                assert time.monotonic() < deadline, "PgBouncer did not start"
                time.sleep(0.05)

    def url(self, name: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{name}"

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(30)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        self.process.wait(30)


@pytest.fixture
def pooler() -> Iterator[Callable[[Cluster], Pooler]]:
    running: list[Pooler] = []
    with folder() as path:

        def start(server: Cluster) -> Pooler:
            running.append(Pooler(path, server))
            return running[-1]

        yield start
        for each in running:
            each.stop()
