"""Headers that every answer has. Streams set their own, because nothing may stand between them and the socket."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# No script or style but our own files; no frames, plug-ins, forms or addresses of other sites.
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)

# `same-origin`, not `no-referrer`: with that a browser says `Origin: null` in forms, and over plain HTTP
# `Origin` is all that tells our own forms from those of other sites.
PAGE_HEADERS: dict[str, str] = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "X-Robots-Tag": "noindex, nofollow",
}

# For what only this caller may see: no cache on the way may keep it.
PRIVATE_HEADERS: dict[str, str] = {
    **PAGE_HEADERS,
    "Cache-Control": "no-store",
    "Vary": "Authorization, Cookie, Origin, Accept",
}

# Our own files, the same for everybody: kept, and asked about each time.
STATIC_HEADERS: dict[str, str] = {**PAGE_HEADERS, "Cache-Control": "no-cache"}

# Live streams: a proxy may neither keep, compress nor hold them back.
STREAM_HEADERS: dict[str, str] = {
    **PRIVATE_HEADERS,
    "Cache-Control": "no-cache, no-transform",
    "X-Accel-Buffering": "no",
}

# What the page of a configured origin may read beside the few that every page may.
EXPOSED = (
    "Link, Retry-After, Content-Disposition, Jobtail-Viewers, Jobtail-Last-Id, Jobtail-Trimmed-To, ETag, "
    "Accept-Ranges, Content-Range, Jobtail-Ignored"
)

CORS_SCOPE = "jobtail.origin"  # where the guard leaves the other site that may read this answer
IGNORED_SCOPE = "jobtail.ignored"  # where a route leaves the names of parameters that it does not know


def cors_headers(scope: Mapping[str, Any]) -> dict[str, str]:
    """What lets the page of a configured origin read the answer. No credentials: it has to send the token."""
    origin = scope.get(CORS_SCOPE)
    if not origin:
        return {}
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Expose-Headers": EXPOSED,
        "Cross-Origin-Resource-Policy": "cross-origin",
    }


def stream_headers(scope: Mapping[str, Any]) -> dict[str, str]:
    """All headers of a live stream."""
    return {**STREAM_HEADERS, **cors_headers(scope)}
