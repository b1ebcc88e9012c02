"""How many watch a job, over all processes of the service: each announces to the store what it has, and reads the
sums."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Mapping

from ..store.tables import Presence

# What a process announced counts for so many seconds, so that a process that was killed is soon forgotten.
BELIEVED_SECONDS = 6.0
ANNOUNCE_SECONDS = 2.0


class Watching:
    """`refresh` once a second. `of` a job: what is known of it, this process's own viewers included."""

    def __init__(self, presence: Presence) -> None:
        self._presence = presence
        self._process = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        self._announced: dict[str, int] = {}
        self._announced_at = -ANNOUNCE_SECONDS
        self._counts: dict[str, int] = {}

    def of(self, job: str, own: int) -> int:
        """`own`: how many watch it here, which is newer than what was announced."""
        return max(0, self._counts.get(job, 0) - self._announced.get(job, 0)) + own

    def refresh(self, own: Mapping[str, int], now: float) -> None:
        """Blocks. `own`: viewers here of each job. JournalError."""
        mine = {job: count for job, count in own.items() if count}
        if mine != self._announced or (mine and now - self._announced_at >= ANNOUNCE_SECONDS):
            self._presence.announce(self._process, mine, BELIEVED_SECONDS)
            self._announced, self._announced_at = mine, now
        self._counts = self._presence.counts(own) if own else {}

    def leave(self) -> None:
        """This process ends: nobody watches here any more. JournalError."""
        if self._announced:
            self._presence.announce(self._process, {}, BELIEVED_SECONDS)
