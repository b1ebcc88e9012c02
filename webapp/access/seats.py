"""How many may watch or read at once through shared links, counted by address, by link, and in all.

Owners are bound by the settings alone; these bounds keep one link, or one machine that has one, from taking all.
"""

from __future__ import annotations

import contextlib
import resource
from collections import Counter
from collections.abc import Iterator

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ..errors import Busy
from .grant import Grant
from .peer import group

MAX_PER_ADDRESS = 200
MAX_PER_LINK = 1000
# The same for answers that end by themselves, and for streams that look for a text.
READS_PER_ADDRESS, READS_PER_LINK = 16, 64
SEARCHERS_PER_ADDRESS, SEARCHERS_PER_LINK = 20, 50


# With fewer descriptors a service could answer nobody: 64 are for others than visitors (below).
FEWEST_DESCRIPTORS = 128


def connections() -> int:
    """How many the descriptors of this process allow: a quarter of them, 64 at least, is for journals, the upstream and
    what else is opened. 0: no bound."""
    soft = descriptors()
    return max(16, soft - max(64, soft // 4)) if soft else 0


def descriptors() -> int:
    """How many this process may have. 0: no bound."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 0 if soft == resource.RLIM_INFINITY else soft


class Seats:
    """`doing`: what one does in them. Links together have half of all connections at most, so that owners get in."""

    def __init__(self, per_address: int = MAX_PER_ADDRESS, per_link: int = MAX_PER_LINK, doing: str = "watch") -> None:
        self._per_address = per_address
        self._per_link = per_link
        self._doing = doing
        self._total = connections() // 2 or 1 << 30
        self._taken: Counter[str] = Counter()

    def seated(self, grant: Grant, address: str, response: Response) -> Response:
        """The same answer, which keeps its seat while it lasts. Busy where none is free."""
        if grant.kind != "share":
            return response
        near, link = f"address {group(address)}", f"link {grant.share}"
        if self._taken[near] >= self._per_address:
            raise Busy(f"{self._per_address} {self._doing} from your address already", 10)
        if self._taken[link] >= self._per_link:
            raise Busy(f"{self._per_link} {self._doing} through this link already", 10)
        if self._taken.total() >= 2 * self._total:  # each seat is counted by address and by link
            raise Busy(f"{self._total} {self._doing} through links already", 10)
        return Seated(self, (near, link), response)

    @contextlib.contextmanager
    def seat(self, names: tuple[str, ...]) -> Iterator[None]:
        self._taken.update(names)
        try:
            yield
        finally:
            self._taken.subtract(names)
            for name in names:
                if self._taken[name] <= 0:
                    del self._taken[name]


class Seated(Response):
    """An answer within its seat. It is sent as the one inside sends it."""

    def __init__(self, seats: Seats, names: tuple[str, ...], inside: Response) -> None:
        self.status_code = inside.status_code
        self.background = None
        self.body = b""
        self.raw_headers = inside.raw_headers
        self._seats, self._names, self._inside = seats, names, inside

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._seats.seat(self._names):
            # The one inside must not outlast its seat: see `stream.detached`.
            await self._inside({**scope, "jobtail.held": True}, receive, send)
