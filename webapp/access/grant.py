"""What may be asked for, and what a caller was granted."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class Action(StrEnum):
    OPEN = "open"  # anybody may: /healthz, /login, /s/..., static files
    LIST = "list"  # the list of jobs
    VIEW = "view"  # needs the whole of a job (its execution time, the Fused wire): no link to a range reaches it
    VIEW_PART = "view-part"  # the status, or lines that the endpoint holds within `Grant.lines`
    CANCEL = "cancel"
    CONFIG = "config"
    SHARE = "share"  # make, list and revoke links
    METRICS = "metrics"
    BEGIN = "begin"  # a job that runs on another machine
    FEED = "feed"  # write its lines, its heartbeat, its end
    FORGET = "forget"  # throw a job's lines away


@dataclass(frozen=True, slots=True)
class Grant:
    """The answer of the deciding function, handed to every endpoint.

    `who`: the name to record. `lines`: first and last line that may be seen, None for all.
    `ends_ms`: when it is over (ms since the epoch), None for never. `token`: names the token that reports a job, and
    `producer` who may write this one's lines; empty where nothing says so.
    """

    kind: Literal["owner", "share", "metrics", "runner", "anybody"]
    who: str = ""
    share: str | None = None
    lines: tuple[int, int] | None = None
    can_cancel: bool = False
    ends_ms: int | None = None
    session: str | None = None
    token: str = ""
    producer: str = ""

    @property
    def owner(self) -> bool:
        return self.kind == "owner"

    @property
    def sees_upstream_detail(self) -> bool:
        """Whether the upstream's own error texts may be shown: they can hold names, paths and addresses."""
        return self.owner

    @property
    def end_reason(self) -> str:
        """The `reason` of the `done` event when this grant ends under a stream."""
        return "link_ended" if self.kind == "share" else "denied"

    def clip(self, first: int, last: int) -> tuple[int, int]:
        """`first..last` held within what may be seen; `last < first` when nothing is left."""
        if self.lines is None:
            return first, last
        return max(first, self.lines[0]), min(last, self.lines[1])
