"""A real PostgreSQL in a folder of its own, on a free port of loopback, and what is done to it."""

from __future__ import annotations

import contextlib
import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg

MISSING = "PostgreSQL is not here: sudo apt install postgresql (or brew install postgresql)"
# Small and quick: what is tested is not whether it survives a power cut, but processes do die and commit.
OPTIONS = {
    "listen_addresses": "127.0.0.1", "max_connections": "120", "shared_buffers": "32MB", "fsync": "off",
    "log_min_messages": "warning", "unix_socket_directories": "", "wal_level": "replica", "max_wal_senders": "4",
    "hot_standby": "on",
}  # fmt: skip


def binaries() -> Path | None:
    """The folder of the newest server's programs; None where there is none."""
    folders = [os.path.dirname(os.path.realpath(found))] if (found := shutil.which("initdb")) else []
    folders += [*glob.glob("/usr/lib/postgresql/*/bin"), *glob.glob("/opt/homebrew/opt/postgresql*/bin")]
    usable = [Path(folder) for folder in folders if (Path(folder) / "pg_basebackup").exists()]
    return max(usable, key=lambda path: [int(part) for part in path.parts if part.isdigit()], default=None)


def _owner() -> dict[str, Any]:
    """The server refuses to run as root: then it is somebody else's."""
    if os.getuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            user = pwd.getpwnam(name)
            return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": ()}
    return {}


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class Cluster:
    """`port`: where it listens. Its superuser is `postgres`, and it trusts whoever comes from loopback."""

    def __init__(self, folder: Path, **options: str) -> None:
        programs = binaries()
        assert programs is not None, MISSING
        self.folder = folder
        self.port = free_port()
        self._programs = programs
        self._options = OPTIONS | options
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self._programs / program, *arguments], capture_output=True, text=True, timeout=100, cwd="/", **_owner()
        )
        assert done.returncode == 0, done.stderr

    def make(self) -> Cluster:
        how = ("-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C")
        self.run("initdb", "-D", str(self.folder), *how)
        with (self.folder / "pg_hba.conf").open("a") as file:
            file.write("host replication all 127.0.0.1/32 trust\n")
        return self

    def copy_of(self, primary: Cluster) -> Cluster:
        """A standby of it."""
        where = ("-h", "127.0.0.1", "-p", str(primary.port), "-U", "postgres")
        self.run("pg_basebackup", "-D", str(self.folder), *where, "-R", "--checkpoint=fast", "--no-sync")
        return self

    def wait_for(self, primary: Cluster, seconds: float = 30.0) -> None:
        """Until it holds all that the primary has committed."""
        position = primary.execute("SELECT pg_current_wal_lsn()")[0][0]
        deadline = time.monotonic() + seconds
        while not self.execute(f"SELECT pg_last_wal_replay_lsn() >= '{position}'::pg_lsn")[0][0]:
            assert time.monotonic() < deadline, "the standby does not follow"
            time.sleep(0.02)

    def stop_receiving(self) -> None:
        """What the primary commits from now on does not reach it."""
        self.execute("ALTER SYSTEM SET primary_conninfo = ''")
        self.execute("SELECT pg_reload_conf()")
        deadline = time.monotonic() + 30
        while self.execute("SELECT count(*) FROM pg_stat_wal_receiver")[0][0]:
            assert time.monotonic() < deadline, "the standby goes on receiving"
            time.sleep(0.02)

    def start(self) -> Cluster:
        arguments = [part for name, value in self._options.items() for part in ("-c", f"{name}={value}")]
        with open(self.folder.parent / f"{self.folder.name}.log", "ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", str(self.folder), "-p", str(self.port), *arguments],
                stdout=log, stderr=log, cwd="/", **_owner(),
            )  # fmt: skip
        self.wait()
        return self

    def wait(self, seconds: float = 60.0) -> None:
        deadline = time.monotonic() + seconds
        while True:
            with contextlib.suppress(psycopg.Error), psycopg.connect(self.url(), connect_timeout=2):
                return
            assert time.monotonic() < deadline, "the database did not start"
            time.sleep(0.05)

    def stop(self, how: str = "fast") -> None:
        """`fast` ends all connections, `immediate` is like a crash."""
        if self._process is None:
            return
        self._process.send_signal({"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}[how])
        self._process.wait(60)
        self._process = None

    def restart(self, how: str = "fast") -> None:
        self.stop(how)
        self.start()

    def freeze(self) -> None:
        """It answers nothing any more, and no connection ends: as when its disk hangs, or its machine is paused."""
        self._signal_all(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal_all(signal.SIGCONT)

    def _signal_all(self, number: signal.Signals) -> None:
        """The first process is stopped before it can begin another."""
        assert self._process is not None
        self._process.send_signal(number)
        listed = subprocess.run(["ps", "-axo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
        for process, parent in (map(int, line.split()) for line in listed.splitlines()):
            if parent == self._process.pid:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, number)

    def promote(self) -> None:
        self.run("pg_ctl", "promote", "-D", str(self.folder), "-w")

    def execute(self, sql: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(sql.encode())
            return cursor.fetchall() if cursor.description else []

    def database(self, name: str) -> str:
        """A new one; its address."""
        self.execute(f'CREATE DATABASE "{name}"')
        return self.url(name)


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """One that the server may write, whoever it runs as."""
    path = Path(tempfile.mkdtemp(prefix="pg"))
    try:
        owner = _owner()
        if owner:
            os.chown(path, owner["user"], owner["group"])
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def cluster(**options: str) -> Iterator[Cluster]:
    with folder() as path:
        server = Cluster(path / "data", **options).make().start()
        try:
            yield server
        finally:
            server.stop("immediate")
