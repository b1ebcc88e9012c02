"""What a store keeps besides journals: the engine's jobs, who cancelled, who reports, links, sign-ins, viewers.

As in `base`, everything is synchronous, may be called from any thread, and may raise JournalError.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Protocol

from .job import Cancellation, Job
from .report import Report
from .share import Link, StoredShare
from .tried import Tried


class JobTable(Protocol):
    """The embedded engine's jobs."""

    def put(self, job: Job) -> None:
        """Records the job as given, whether it is new or known."""
        ...

    def get(self, job: str) -> Job | None: ...

    def newest(self, n: int, skip: int = 0) -> list[Job]:
        """Newest first."""
        ...

    def started(self, job: str, pid: int) -> None: ...

    def now_ms(self) -> int:
        """The store's clock: heartbeats are compared with it, whichever machine they came from."""
        ...

    def heartbeat(self, job: str) -> bool | None:
        """The runner is alive now, by the store's clock. True: it had been taken for lost, and runs again. None: there
        is no such job."""
        ...

    def ended(self, job: str, state: str, exit_code: int | None, detail: str) -> bool:
        """False: there is no such job."""
        ...

    def lost(self, job: Job) -> None:
        """Records that the job's runner was found to be lost, unless a heartbeat has come since."""
        ...

    def request_cancel(self, job: str, who: str) -> None:
        """The first request is kept; a job that does not run stays as it is."""
        ...

    def cancel_asked(self, job: str) -> str | None:
        """Who wants the job's end ("" for nobody in particular); None while nobody does."""
        ...

    def forget(self, jobs: Iterable[str]) -> None:
        """Drops those of these jobs that have ended."""
        ...


class Cancellations(Protocol):
    """Who asked for a job's end, for the record."""

    def record(self, cancellation: Cancellation) -> None: ...

    def of_job(self, job: str) -> list[Cancellation]:
        """Oldest first."""
        ...


class Reports(Protocol):
    """Who reports the jobs that run on other machines."""

    def begin(self, report: Report) -> Report:
        """Records who reports a job: the first one that says so. A later run of the same producer takes the place of
        the one before. Returns what is recorded then: a producer that it does not name may not write the job."""
        ...

    def get(self, job: str) -> Report | None:
        """None for a job that nobody reports."""
        ...

    def forget(self, jobs: Iterable[str]) -> None: ...


class ShareTable(Protocol):
    """The shared links that were made."""

    def add(self, link: Link, note: str, made_by: str, at_ms: int, *, most: int) -> StoredShare:
        """Conflict when the job has `most` links that work."""
        ...

    def of_job(self, job: str) -> list[StoredShare]:
        """Newest first; ended and revoked ones too, for a while."""
        ...

    def get(self, share: str) -> StoredShare | None: ...

    def revoke(self, job: str, share: str, at_ms: int) -> bool:
        """False where this job never had such a link. Revoking again changes nothing."""
        ...

    def revoked(self, share: str) -> bool:
        """True for an id that is not known, too: a lost list must not bring revoked links back."""
        ...

    def used(self, share: str, at_ms: int) -> None: ...


class Sessions(Protocol):
    """Sign-ins that were ended before their time."""

    def end(self, session: str, ends_ms: int, at_ms: int) -> None:
        """Signed out: the cookie no longer works, nor does any copy of it. `ends_ms`: when it would end anyway."""
        ...

    def ended(self, session: str) -> bool: ...


class Presence(Protocol):
    """How many watch which job, over all processes of the service."""

    def announce(self, process: str, viewers: Mapping[str, int], seconds: float) -> None:
        """What this process has now; it counts for so many seconds, by the store's clock."""
        ...

    def counts(self, jobs: Iterable[str]) -> dict[str, int]:
        """How many watch each of these jobs; jobs that nobody watches are left out."""
        ...


class Attempts(Protocol):
    """Wrong tokens over all processes of the service, by kind of door and by address. They are forgiven a while after
    the last of them, and only the newest addresses are kept: see `tried`."""

    def failed(self, kind: str, counts: Mapping[str, int], known: Collection[str]) -> None:
        """So many more failures of each of these addresses. `known`: those from which the right one came before."""
        ...

    def succeeded(self, kind: str, addresses: Collection[str]) -> None:
        """The right one came: earlier failures no longer count."""
        ...

    def of(self, kind: str, addresses: Collection[str]) -> dict[str, Tried]:
        """What is known of these addresses; those that did not fail are left out."""
        ...
