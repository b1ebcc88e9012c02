"""From where a request comes: the socket's peer, and the address a configured proxy names."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def header(scope: Mapping[str, Any], name: bytes) -> bytes | None:
    """The header's value as it came; None when it is absent."""
    return next((value for key, value in scope["headers"] if key == name), None)


def headers(scope: Mapping[str, Any], name: bytes) -> list[bytes]:
    return [value for key, value in scope["headers"] if key == name]


class Proxies:
    """The configured proxies: only what their sockets send is believed."""

    def __init__(self, networks: Iterable[str]) -> None:
        self._networks: tuple[Network, ...] = tuple(ipaddress.ip_network(text, strict=False) for text in networks)

    def hold(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        mapped = getattr(parsed, "ipv4_mapped", None) or parsed
        return any(mapped in network for network in self._networks)

    def address(self, scope: Mapping[str, Any]) -> str:
        """The socket's peer; behind a configured proxy the nearest address of `X-Forwarded-For` that is none
        of them. What stands left of that anybody may have written."""
        address = peer(scope)
        if not self._networks or not self.hold(address):
            return address
        hops = b",".join(headers(scope, b"x-forwarded-for")).decode("latin-1").split(",")
        for hop in reversed(hops):
            candidate = hop.strip()
            try:
                ipaddress.ip_address(candidate)
            except ValueError:
                break
            address = candidate
            if not self.hold(candidate):
                break
        return address


def peer(scope: Mapping[str, Any]) -> str:
    """The address at the other end of the socket; empty for a Unix socket."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def group(address: str) -> str:
    """The address under which attempts and viewers are counted: an IPv6 user has a whole /64."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
