"""A shared link: what it says, signed into its address and its cookie, and what is kept of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

KEPT_MS = 30 * 86_400_000  # an ended link stays in the list that long


@dataclass(frozen=True, slots=True)
class Link:
    """`ends_ms`: ms since the epoch. `lines`: first and last line, None for the whole log."""

    id: str
    job: str
    ends_ms: int
    can_cancel: bool = False
    lines: tuple[int, int] | None = None

    def payload(self) -> list[Any]:
        return [self.id, self.job, int(self.can_cancel), *(self.lines or ())]

    @classmethod
    def from_payload(cls, payload: Any, ends_ms: int) -> Link:
        """The payload was signed by us: only its own version can have this shape."""
        share, job, can_cancel, *lines = payload
        return cls(share, job, ends_ms, bool(can_cancel), (lines[0], lines[1]) if lines else None)


@dataclass(frozen=True, slots=True)
class StoredShare:
    link: Link
    note: str
    made_by: str
    made_ms: int
    revoked_ms: int | None
    used_ms: int | None

    def works(self, now_ms: int) -> bool:
        return self.revoked_ms is None and now_ms < self.link.ends_ms
