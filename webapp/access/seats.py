"""How many may watch at once through shared links, counted by address and by link.

Owners are bound by the settings alone; these bounds keep one link, or one machine that has one, from taking all.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator

from starlette.types import ASGIApp, Receive, Scope, Send

from ..errors import Busy
from .grant import Grant
from .peer import group

MAX_PER_ADDRESS = 200
MAX_PER_LINK = 1000


class Seats:
    def __init__(self, per_address: int = MAX_PER_ADDRESS, per_link: int = MAX_PER_LINK) -> None:
        self._per_address = per_address
        self._per_link = per_link
        self._taken: Counter[str] = Counter()

    def take(self, grant: Grant, address: str) -> contextlib.AbstractContextManager[None]:
        """Busy where there is no seat left, at once; the seat is kept for as long as the context is open."""
        if grant.kind != "share":
            return contextlib.nullcontext()
        near, link = f"address {group(address)}", f"link {grant.share}"
        if self._taken[near] >= self._per_address:
            raise Busy(f"{self._per_address} watch from your address already", 10)
        if self._taken[link] >= self._per_link:
            raise Busy(f"{self._per_link} watch through this link already", 10)
        return self._seat(near, link)

    def seated(self, grant: Grant, address: str, response: ASGIApp) -> ASGIApp:
        """The same answer, which keeps its seat while it lasts. Busy where none is free."""
        seat = self.take(grant, address)

        async def sitting(scope: Scope, receive: Receive, send: Send) -> None:
            with seat:
                await response(scope, receive, send)

        return response if grant.kind != "share" else sitting

    @contextlib.contextmanager
    def _seat(self, *names: str) -> Iterator[None]:
        self._taken.update(names)
        try:
            yield
        finally:
            self._taken.subtract(names)
            for name in names:
                if self._taken[name] <= 0:
                    del self._taken[name]
