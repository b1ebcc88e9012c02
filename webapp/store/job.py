"""A job of the embedded engine, and a request to end one, as they are kept."""

from __future__ import annotations

from dataclasses import dataclass

RUNNING, CANCELING, DONE, FAILED, CANCELED = "Running", "Canceling", "Done", "Failed", "Canceled"
ENDED = frozenset((DONE, FAILED, CANCELED))


@dataclass(frozen=True, slots=True)
class Job:
    """`command`: redacted. Times in ms. `cancel_ms`: when somebody asked for its end. `exit_code`: as a
    shell gives it (128 + signal); None while it runs and where nobody saw the end. `lost`: its runner was
    lost."""

    id: str
    name: str
    command: tuple[str, ...]
    cwd: str
    host: str
    user: str
    python: str
    pid: int
    created_ms: int
    heartbeat_ms: int
    state: str = RUNNING
    state_ms: int = 0
    exit_code: int | None = None
    detail: str = ""
    cancel_ms: int | None = None
    cancel_who: str = ""
    lost: bool = False

    @property
    def ended(self) -> bool:
        return self.state in ENDED


@dataclass(frozen=True, slots=True)
class Cancellation:
    """Who asked for a job's end, when (ms), from which address, and by which share (empty: an owner)."""

    job: str
    who: str
    at_ms: int
    address: str
    share: str
