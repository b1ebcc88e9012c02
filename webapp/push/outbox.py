"""What is known of a job that is reported elsewhere, beside its lines: enough to send them when its runner is gone."""

from __future__ import annotations

import contextlib
import os
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson

from ..files import private

FOLDER = "outbox"


@dataclass(slots=True)
class Letter:
    """`begin`: the body that begins the job, `end` the one that ends it, None where nobody saw its end. `epoch`: which
    run of the producer is the newest. `journal`, `offset`: the service's journal, and how many of our lines it does not
    have and will not get. `grant`: what lets us write to the job."""

    url: str
    job: str
    begin: dict[str, Any]
    producer: str
    epoch: int = 0
    journal: str = ""
    offset: int = 0
    grant: str = ""
    end: dict[str, Any] | None = field(default=None)


def folder_of(data_dir: Path, job: str) -> Path:
    return data_dir / FOLDER / job


def write(folder: Path, letter: Letter) -> None:
    """OSError."""
    private(folder)
    new = folder / "job.json.new"
    fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(orjson.dumps(asdict(letter)))
    os.replace(new, folder / "job.json")


def read(folder: Path) -> Letter | None:
    """None where there is no such file, or one that cannot be read."""
    with contextlib.suppress(OSError, ValueError, TypeError):
        return Letter(**orjson.loads((folder / "job.json").read_bytes()))
    return None


def remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def left(data_dir: Path) -> list[Path]:
    """Folders of jobs that were left behind or are under way, oldest first."""
    parent = data_dir / FOLDER
    return sorted(path.parent for path in parent.glob("*/job.json")) if parent.is_dir() else []
