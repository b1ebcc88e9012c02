"""Where this service stands for its visitors: under which path, host and scheme, whatever proxies make of them."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from .peer import Proxies, header, headers, peer

# In the scope: the path under which all of ours stands for the visitor, "" or such as "/logs".
PREFIX_SCOPE = "jobtail.prefix"
HOST_SCOPE = "jobtail.host"


class PublicBase:
    """`public_url`: JOBTAIL_PUBLIC_URL, or ""."""

    def __init__(self, public_url: str, proxies: Proxies) -> None:
        self._url = public_url
        self._prefix = urlsplit(public_url).path.rstrip("/")
        self._proxies = proxies

    def settle(self, scope: MutableMapping[str, Any]) -> None:
        """Takes the prefix off the path, where a proxy has left it there or the application is mounted under it. From
        here on paths are ours, without it."""
        mounted = scope.get("root_path", "").rstrip("/")
        path = scope["path"]
        for prefix in (mounted, self._prefix):
            if prefix and (path == prefix or path.startswith(prefix + "/")):
                path = path[len(prefix) :] or "/"
        scope["path"], scope["root_path"] = path, ""
        scope[PREFIX_SCOPE] = self._prefix if self._url else mounted
        scope[HOST_SCOPE] = self._host(scope)

    def origins(self, scope: Mapping[str, Any]) -> list[str]:
        """Hosts, with their ports, that a page of ours may have."""
        public = urlsplit(self._url).netloc
        return [host for host in (public, scope[HOST_SCOPE]) if host]

    def _host(self, scope: Mapping[str, Any]) -> str:
        """As the visitor named it: a proxy that puts another Host in its place says so in `X-Forwarded-Host`."""
        forwarded = headers(scope, b"x-forwarded-host")
        if len(forwarded) == 1 and self._proxies.hold(peer(scope)):
            return forwarded[0].decode("latin-1").split(",")[0].strip()
        return (header(scope, b"host") or b"").decode("latin-1")


def prefix_of(scope: Mapping[str, Any]) -> str:
    return str(scope.get(PREFIX_SCOPE, ""))
