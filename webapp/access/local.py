"""The rule for a service without an access token: every caller is an owner, so only this machine may call.

The socket is bound to loopback, but a page of any site can let its name point to 127.0.0.1 (DNS rebinding), and
a proxy on this machine would hand us on to the world. Both show in the headers.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any

from ..errors import Denied
from ..settings import loopback
from .peer import headers, peer

_HOST = re.compile(rb"(?:(?P<name>[A-Za-z0-9._-]{1,253})|\[(?P<six>[0-9A-Fa-f:.]{2,45})\])(?::(?P<port>[0-9]{1,5}))?")
_PROXY_HEADERS = (b"forwarded", b"via", b"x-real-ip")


def host_name(value: bytes) -> str | None:
    """The name or address in a Host header; None for one that is not well-formed."""
    match = _HOST.fullmatch(value)
    return (match["name"] or match["six"]).decode() if match else None


def check_local(scope: Mapping[str, Any]) -> None:
    """Denied unless the request was made by this machine, for this machine."""
    hosts = headers(scope, b"host")
    name = host_name(hosts[0]) if len(hosts) == 1 else None
    if name is None or not loopback(name):
        raise Denied(
            "without JOBTAIL_ACCESS_TOKEN only 127.0.0.1, [::1] and localhost are answered: "
            "use one of these, or set a token"
        )
    for key, _ in scope["headers"]:
        if key in _PROXY_HEADERS or key.startswith(b"x-forwarded-"):
            raise Denied(f"{key.decode('latin-1')} says that a proxy stands in front: set JOBTAIL_ACCESS_TOKEN")
    if not _near(peer(scope)):
        raise Denied("without JOBTAIL_ACCESS_TOKEN only this machine is answered")


def _near(address: str) -> bool:
    """A Unix socket has no address; anything else that is not an address comes from a test."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return True
    return (getattr(parsed, "ipv4_mapped", None) or parsed).is_loopback
