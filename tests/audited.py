"""`jobtail serve` that notes every touch of the disk on the thread of its event loop, while that loop runs.

`python -m tests.audited serve` is run by `Audited`; the notes go to `data.audited` beside the data folder. Noted are
files that are opened or looked at, folders that are listed, statements of SQLite, and connections to PostgreSQL.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.served import Served

EVENTS = {
    "open", "os.listdir", "os.scandir", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.chmod", "os.truncate",
    "os.utime", "os.link", "os.symlink", "shutil.rmtree", "sqlite3.connect", "tempfile.mkstemp", "tempfile.mkdtemp",
}  # fmt: skip
ROOT = str(Path(__file__).parent.parent / "webapp")


class Audited(Served):
    module = "tests.audited"

    @property
    def notes(self) -> Path:
        return self.data_dir.with_suffix(".audited")

    def forget(self) -> None:
        self.notes.write_text("")

    def touched(self) -> list[str]:
        """What was done so far, and from where in our code."""
        return sorted(set(self.notes.read_text().splitlines()))


NOTES = Path(os.environ.get("JOBTAIL_DATA_DIR", "data")).with_suffix(".audited")
writing = False


def note(what: str) -> None:
    global writing
    if asyncio._get_running_loop() is None or writing:
        return
    ours = [(f.f_code.co_filename, line) for f, line in traceback.walk_stack(None) if ROOT in f.f_code.co_filename]
    where = " < ".join(f"{file[len(ROOT) + 1 :]}:{line}" for file, line in ours[:3])
    writing = True
    with NOTES.open("a") as notes:
        notes.write(f"{what} from {where or 'a library'}\n")
    writing = False


def noted(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def run(*arguments: Any, **more: Any) -> Any:
        note(f"{name} {arguments[0] if arguments else ''}")
        return function(*arguments, **more)

    return run


class Connection(sqlite3.Connection):
    def execute(self, *arguments: Any) -> Any:
        note(f"sqlite {arguments[0]}")
        return super().execute(*arguments)


def audit(event: str, arguments: tuple[Any, ...]) -> None:
    if event in EVENTS:
        note(f"{event} {arguments[0] if arguments else ''}")


def main() -> None:
    connect = sqlite3.connect
    sqlite3.connect = lambda *arguments, **more: connect(*arguments, **{"factory": Connection, **more})  # type: ignore
    for name in ("stat", "lstat", "statvfs", "access", "fsync", "replace"):
        setattr(os, name, noted(f"os.{name}", getattr(os, name)))
    with contextlib.suppress(ImportError):
        from psycopg_pool import ConnectionPool

        ConnectionPool.getconn = noted("postgres", ConnectionPool.getconn)  # type: ignore[method-assign]
    sys.addaudithook(audit)
    from webapp.cli.main import main as command

    command()


if __name__ == "__main__":
    main()
