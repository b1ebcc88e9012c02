"""What a shared link says: signed into its address, and into the cookie it is traded for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


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
