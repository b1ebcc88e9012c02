"""Where an upstream may send us: an address that was looked up once, checked, and is then the one that is asked."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from dataclasses import dataclass

import httpx

from ..errors import UpstreamDown, UpstreamError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Target:
    """`url`: with an address instead of the name. `host`: what goes into the Host header; `name`: into TLS."""

    url: httpx.URL
    host: str
    name: str


def public(address: str) -> bool:
    """An address of the internet at large."""
    ip: Address = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(ip, "ipv4_mapped", None)
    ip = mapped or ip
    return ip.is_global and not ip.is_multicast


def allowed(addresses: list[str], upstream: list[str]) -> bool:
    """A private address only where the upstream has one itself; one of the link (the cloud's metadata stands there)
    only where the upstream stands there too."""
    if any(_link_local(address) for address in addresses):
        return any(_link_local(address) for address in upstream)
    return all(map(public, addresses)) or not all(map(public, upstream))


def _link_local(address: str) -> bool:
    ip: Address = ipaddress.ip_address(address.partition("%")[0])
    return (getattr(ip, "ipv4_mapped", None) or ip).is_link_local


async def resolve(url: httpx.URL) -> list[str]:
    port = url.port or (443 if url.scheme == "https" else 80)
    try:
        found = await asyncio.get_running_loop().getaddrinfo(url.host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise UpstreamDown(f"the address {url.host!r} can't be found: {error}") from None
    return [str(entry[4][0]) for entry in found]


async def target(location: str, upstream: httpx.URL) -> Target:
    """Where a redirect leads, checked. UpstreamError: we do not follow it there."""
    try:
        url = upstream.join(location)
    except (httpx.InvalidURL, ValueError):
        raise UpstreamError("the upstream redirects to what is no address") from None
    if url.scheme not in ("https", upstream.scheme) or url.scheme not in ("http", "https") or not url.host:
        raise UpstreamError(f"the upstream redirects to {url.scheme or 'no'} address, which is not followed")
    addresses = await resolve(url)
    if not addresses or not allowed(addresses, await resolve(upstream)):
        raise UpstreamError(f"the upstream redirects to a private address ({url.host}), which is not followed")
    host = url.netloc.decode("ascii").rpartition("@")[2]
    return Target(url.copy_with(host=addresses[0], username=None, password=None), host, url.host)
