"""Several jobs followed at once: a thread each, whose lines go to one standard output."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any

from ..client.api import Client
from ..client.safe import plain
from ..states import exit_code_of
from .failure import OK, exit_code
from .out import complain
from .reader import Choice, JobReader
from .resolve import on_job
from .retrying import say_end, say_retrying

LABEL = 24


@dataclass(frozen=True, slots=True)
class NamedJob:
    """`asked`: an id or a link, as the service is asked for it."""

    asked: str
    id: str
    name: str


def follow_all(client: Client, texts: Iterable[str], choice: Choice, how: dict[str, Any], quiet: bool) -> int:
    """What to exit with: an error's code, else 1 where one of them failed or was cancelled."""
    jobs = list(dict.fromkeys(_found(client, text) for text in texts))
    ends: SimpleQueue[int | BaseException] = SimpleQueue()
    lock = Lock()
    for turn, (found, label) in enumerate(zip(jobs, labels(jobs), strict=True)):

        def follow(found: NamedJob = found, label: str = label, turn: int = turn) -> None:
            try:
                printer = choice.printer(live=True, label=label, turn=turn, lock=lock, job=found.id)
                heading = "" if quiet or choice.as_json else label
                ends.put(_follow(JobReader(client, found.asked, choice, printer), how, heading))
            except BaseException as error:
                ends.put(error)

        Thread(target=follow, name=f"tail {label}", daemon=True).start()
    try:
        return max((_code(ends.get()) for _ in jobs), default=OK)
    finally:
        lock.acquire()  # no thread writes while the process ends


def _follow(reader: JobReader, how: dict[str, Any], label: str) -> int:
    code = OK
    for event in reader.follow(**how):
        if event.kind == "retrying":
            say_retrying(event)
        elif event.kind == "done":
            code = exit_code_of(event.data.get("status") or {})
            if label:
                say_end(event, label)
    return code


def _code(end: int | BaseException) -> int:
    """The exit code of one job that ended. An error that does not come from a service ends the whole command."""
    if isinstance(end, int):
        return end
    code = exit_code(end) if isinstance(end, Exception) else None
    if code is None:
        raise end
    complain(end)
    return code


def _found(client: Client, text: str) -> NamedJob:
    def look(job: str) -> NamedJob:
        status = client.status(job)
        return NamedJob(job, str(status.get("job_id") or ""), str(status.get("job_name") or ""))

    return on_job(client, text, look)


def labels(jobs: list[NamedJob]) -> list[str]:
    """The label before each job's lines: its name where no other of them has it, else its id; all equally wide."""
    names = [job.name for job in jobs]
    called = [plain(job.name if job.name and names.count(job.name) == 1 else job.id) for job in jobs]
    short = [text if len(text) <= LABEL else text[: LABEL - 1] + "…" for text in called]
    width = max(map(len, short), default=0)
    return [f"{text:<{width}}" for text in short]
