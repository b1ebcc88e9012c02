"""What a client is made of: an address and a token. The token is never shown in a text or kept in a pickle."""

from __future__ import annotations

import os
from typing import Any, TypeVar

from .address import DEFAULT_URL, origin, service_url
from .calls import Calls
from .script import Site

B = TypeVar("B", bound="Bound")
_connected: list[Bound] = []
NEWEST = 8


class Bound:
    """`url`: the service's address, or JOBTAIL_URL, or port 8484 of this machine. `token`: the access token,
    or JOBTAIL_TOKEN; "" for none. It is sent to the origin of `url` and nowhere else."""

    def __init__(self, url: str | None = None, token: str | None = None) -> None:
        given = (url, "url") if url is not None else (os.environ.get("JOBTAIL_URL") or DEFAULT_URL, "JOBTAIL_URL")
        held = os.environ.get("JOBTAIL_TOKEN", "").strip() if token is None else token
        self._settle(Calls(Site(service_url(*given), held)))

    def _settle(self, calls: Calls) -> None:
        self.calls: Calls = calls
        self._restored = False

    @property
    def url(self) -> str:
        return self.calls.site.url

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r}{', token=***' if self.calls.site.token else ''})"

    def __deepcopy__(self: B, memo: Any) -> B:
        return self

    def __getstate__(self) -> dict[str, Any]:
        return {"url": self.url}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """The token is looked for when it is needed: one may connect after loading a pickle."""
        self._settle(Calls(Site(state["url"])))
        self._restored = True

    def _found(self) -> Calls:
        """The calls, with the token for this service where they came out of a pickle without one."""
        if self._restored and (token := token_for(self.url)):
            self._settle(Calls(Site(self.url, token)))
        return self.calls

    def same(self, other: Bound) -> bool:
        """Whether both speak to one service with one token."""
        return self.calls.site == other.calls.site


def token_for(url: str) -> str:
    """The token of the newest connection to this origin, or JOBTAIL_TOKEN if it is that of JOBTAIL_URL; else ""."""
    for client in reversed(_connected):
        if origin(client.url) == origin(url) and client.calls.site.token:
            return client.calls.site.token
    home = os.environ.get("JOBTAIL_URL") or DEFAULT_URL
    return os.environ.get("JOBTAIL_TOKEN", "").strip() if origin(home) == origin(url) else ""


def remember(client: Bound) -> None:
    """Remembers a connection for objects that were made by hand or come out of a pickle. The newest few are kept."""
    _connected.append(client)
    del _connected[:-NEWEST]


def newest(kind: type[B]) -> B | None:
    """The connection of this kind that was made last."""
    return next((client for client in reversed(_connected) if isinstance(client, kind)), None)
