"""Where an upstream may send us: an address that was looked up once, checked, and is then the one that is asked."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from dataclasses import dataclass

import httpx

from ..errors import UpstreamDown, UpstreamError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
# An IPv4 address in their last 32 bits: NAT64 (RFC 6052, RFC 8215), and the form that was used for IPv4 before it (RFC
# 4291, 2.5.5.1).
_LAST_BITS = tuple(map(ipaddress.IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48", "::/96")))
_TRANSLATED = (*_LAST_BITS, *map(ipaddress.IPv6Network, ("2002::/16", "2001::/32")))


@dataclass(frozen=True, slots=True)
class ResolvedTarget:
    """`url`: with an address instead of the name. `host`: what goes into the Host header; `name`: into TLS."""

    url: httpx.URL
    host: str
    name: str


def public(address: str) -> bool:
    """An address of the internet at large. One that carries an IPv4 address through a translator (NAT64, 6to4, Teredo)
    or is site-local may lead anywhere within a private network, so it does not count."""
    ip = _plain(address)
    if isinstance(ip, ipaddress.IPv6Address) and (ip.is_site_local or any(ip in network for network in _TRANSLATED)):
        return False
    return ip.is_global and not ip.is_multicast


def _plain(address: str) -> Address:
    """Without its zone; an IPv4 address in IPv6 form becomes IPv4."""
    ip: Address = ipaddress.ip_address(address.partition("%")[0])
    return getattr(ip, "ipv4_mapped", None) or ip


def _carried(address: str) -> Address:
    """The IPv4 address that leads through a translator, or the address itself."""
    ip = _plain(address)
    if not isinstance(ip, ipaddress.IPv6Address):
        return ip
    if any(ip in network for network in _LAST_BITS):
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.sixtofour or (ip.teredo or (None, None))[1] or ip


def allowed(addresses: list[str], upstream: list[str]) -> bool:
    """A private address only where the upstream has one itself; one of the link (the cloud's metadata stands there)
    only where the upstream stands there too."""
    if any(_link_local(address) for address in addresses):
        return any(_link_local(address) for address in upstream)
    return all(map(public, addresses)) or not all(map(public, upstream))


def _link_local(address: str) -> bool:
    return _carried(address).is_link_local


async def resolve(url: httpx.URL) -> list[str]:
    port = url.port or (443 if url.scheme == "https" else 80)
    try:
        found = await asyncio.get_running_loop().getaddrinfo(url.host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise UpstreamDown(f"the address {url.host!r} can't be found: {error}") from None
    return [str(entry[4][0]) for entry in found]


async def target(location: str, upstream: httpx.URL) -> ResolvedTarget:
    """Where a redirect leads, checked. UpstreamError: we do not follow it there."""
    try:
        url = upstream.join(location)
    except (httpx.InvalidURL, ValueError):
        raise UpstreamError("the upstream redirects to what is not an address") from None
    if url.scheme not in ("https", upstream.scheme) or url.scheme not in ("http", "https") or not url.host:
        raise UpstreamError(f"the upstream redirects to {url.scheme or 'no'} address, which is not followed")
    addresses = await resolve(url)
    if not addresses or not allowed(addresses, await resolve(upstream)):
        raise UpstreamError(f"the upstream redirects to a private address ({url.host}), which is not followed")
    host = url.netloc.decode("ascii").rpartition("@")[2]
    return ResolvedTarget(url.copy_with(host=addresses[0], username=None, password=None), host, url.host)
