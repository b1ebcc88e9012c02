"""Which requests another site's page may have caused. Pure decisions on headers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from ..errors import Denied
from .peer import header, headers

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def check_same_site(scope: Mapping[str, Any], hosts: Sequence[str] = ()) -> None:
    """Denied for a state-changing request that a page of another site may have caused. One that has neither
    header comes from no browser: whether it may is for the token to say."""
    if scope["method"] in SAFE_METHODS:
        return
    sites = headers(scope, b"sec-fetch-site")
    if sites:
        if all(site in (b"same-origin", b"none") for site in sites):
            return
        raise Denied("a page of another site asked for this, which only our own pages may")
    origins = headers(scope, b"origin")
    if origins and any(not same_origin(origin, scope, hosts) for origin in origins):
        raise Denied(
            "a page of another origin asked for this, which only our own pages may: where a proxy changes the Host,"
            " set JOBTAIL_PUBLIC_URL to the address that browsers use"
        )


def same_origin(origin: bytes, scope: Mapping[str, Any], hosts: Sequence[str] = ()) -> bool:
    """An Origin equal to the Host, or to one of `hosts`, which visitors call us by. The scheme is not
    compared: behind a proxy we do not know it."""
    parts = urlsplit(origin.decode("latin-1"))
    if parts.scheme not in ("http", "https") or parts.path or parts.query or not parts.netloc:
        return False
    host = (header(scope, b"host") or b"").decode("latin-1")
    default = {"http": ":80", "https": ":443"}[parts.scheme]
    named = {name.lower().removesuffix(default) for name in (host, *hosts)}
    return parts.netloc.lower().removesuffix(default) in named


def allowed_origin(scope: Mapping[str, Any], allowed: frozenset[str]) -> str | None:
    """The configured other site whose page asks to read the API, if it is one."""
    origin = (header(scope, b"origin") or b"").decode("latin-1")
    return origin if origin in allowed and scope["path"].startswith("/api/") else None
