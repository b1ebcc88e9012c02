"""Where jobs and their lines come from: the narrow seam behind which all upstream I/O stands."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from ..models import JobConfig, JobRecord, RunStatus


@dataclass(frozen=True, slots=True)
class Answer:
    """A log as it comes in. `date_ms`: the upstream's clock, None where its answer has no Date. `chunks`: bytes of a
    JSON list of entries, oldest first; iterating raises UpstreamDown where the connection breaks."""

    date_ms: int | None
    chunks: AsyncIterator[bytes]


class Source(Protocol):
    """Jobs of one upstream. Job ids have been checked before. Every call raises JobNotFound (where a job is named),
    UpstreamDenied, UpstreamDown or UpstreamError, with what the upstream itself said in `detail`."""

    async def status(self, job: str) -> RunStatus: ...

    def logs(self, job: str, since_ms: int | None) -> AbstractAsyncContextManager[Answer]:
        """Entries with a timestamp at or past `since_ms` (or only past it: nobody knows); None: all."""
        ...

    async def cancel(self, job: str, who: str = "") -> RunStatus: ...

    async def jobs(self, n: int, skip: int) -> list[JobRecord]:
        """Newest first; an empty list past the end."""
        ...

    async def config(self, job: str) -> JobConfig: ...

    async def aclose(self) -> None: ...
