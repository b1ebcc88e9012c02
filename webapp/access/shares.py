"""What a process believes of shared links and sign-ins, so that not every look asks the store.

Synchronous; any thread may call it. JournalError when the store fails.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable

from ..errors import JournalError
from ..store.base import Store
from ..store.share import Link, StoredShare
from ..threads import RECORDS

log = logging.getLogger("jobtail.access")
MAX_LIVE = 500  # links of one job that work at once
BELIEVED_SECONDS = 0.5  # with the request itself, a link that another process revoked is refused within a second
USED_EVERY_SECONDS = 30.0
MAX_KNOWN = 10_000


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Shares:
    """Asks the store about an id at most twice a second: another process may have revoked it."""

    def __init__(self, store: Store) -> None:
        self._shares = store.shares
        self._ended = store.sessions
        self._links: dict[str, tuple[float, bool]] = {}
        self._sessions: dict[str, tuple[float, bool]] = {}
        self._used: dict[str, float] = {}
        self._asking: set[str] = set()

    # --- shares

    def add(self, link: Link, note: str, made_by: str) -> StoredShare:
        """Conflict when the job has MAX_LIVE links that work."""
        return self._shares.add(link, note, made_by, now_ms(), most=MAX_LIVE)

    def of_job(self, job: str) -> list[StoredShare]:
        """Newest first; ended and revoked ones too."""
        return self._shares.of_job(job)

    def get(self, share: str) -> StoredShare | None:
        return self._shares.get(share)

    def revoke(self, job: str, share: str) -> bool:
        """False where this job never had such a link. Revoking again changes nothing."""
        found = self._shares.revoke(job, share, now_ms())
        if found:
            self._links[share] = (time.monotonic(), True)
        return found

    def revoked(self, share: str) -> bool:
        """True for an id that we do not know, too: a lost list must not bring revoked links back."""
        return _believed(self._links, share, self._shares.revoked)

    def unnoted(self, share: str) -> bool:
        """Whether the link's last use is old enough to be noted anew: a look a request would be a write a request."""
        return time.monotonic() - self._used.get(share, -USED_EVERY_SECONDS) >= USED_EVERY_SECONDS

    def used(self, share: str) -> None:
        if len(self._used) > MAX_KNOWN:
            self._used.clear()
        self._used[share] = time.monotonic()
        self._shares.used(share, now_ms())

    # --- sessions

    def end_session(self, session: str, ends_ms: int) -> None:
        """Signed out: the cookie no longer works, nor does any copy of it."""
        self._ended.end(session, ends_ms, now_ms())
        self._sessions[session] = (time.monotonic(), True)

    def session_ended(self, session: str) -> bool:
        return _believed(self._sessions, session, self._ended.ended)

    # --- for streams, which ask once a second on the event loop

    def last_revoked(self, share: str) -> bool:
        """What was last known; where that is old, the store is asked in a thread, for the next time."""
        return self._last(self._links, share, self.revoked)

    def last_ended(self, session: str) -> bool:
        """The same for a sign-in."""
        return self._last(self._sessions, session, self.session_ended)

    def _last(self, known: dict[str, tuple[float, bool]], key: str, ask: Callable[[str], bool]) -> bool:
        at, value = known.get(key, (-1e9, False))
        if time.monotonic() - at >= BELIEVED_SECONDS and key not in self._asking:
            self._asking.add(key)
            RECORDS.submit(self._learn, key, ask)
        return value

    def _learn(self, key: str, ask: Callable[[str], bool]) -> None:
        try:
            ask(key)
        except JournalError as error:
            log.warning("whether a link or a sign-in has ended can't be read: %s", error)
        finally:
            self._asking.discard(key)


def _believed(known: dict[str, tuple[float, bool]], key: str, ask: Callable[[str], bool]) -> bool:
    """The answer as of half a second ago at most."""
    now = time.monotonic()
    at, value = known.get(key, (-1e9, False))
    if now - at < BELIEVED_SECONDS:
        return value
    value = ask(key)
    if len(known) >= MAX_KNOWN:
        known.clear()
    known[key] = (now, value)
    return value


def new_id() -> str:
    return secrets.token_hex(8)
