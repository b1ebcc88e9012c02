"""The two cookies: a sign-in's, and a shared link's."""

from __future__ import annotations

import hashlib
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from .peer import header
from .place import prefix_of

SESSION_COOKIE = "jobtail_session"
LINK_COOKIE = "jobtail_link_"
SESSION_SECONDS = 7 * 86_400
MAX_LINK_COOKIES = 20


def link_cookie(job: str) -> str:
    """One for each job; its name does not show which."""
    return LINK_COOKIE + hashlib.sha256(job.encode()).hexdigest()[:16]


def secure(request: Request) -> bool:
    """Whether the browser speaks HTTPS with us or with the proxy in front. A client that
    claims HTTPS over plain HTTP gets a Secure cookie, which its browser will not send back."""
    forwarded = header(request.scope, b"x-forwarded-proto") or b""
    public: Any = request.app.state.service.settings.public_url
    return (
        request.scope["scheme"] == "https"
        or forwarded.split(b",")[0].strip().lower() == b"https"
        or public.startswith("https://")
    )


def set_cookie(request: Request, response: Response, name: str, value: str, seconds: int) -> None:
    path = prefix_of(request.scope) or "/"
    response.set_cookie(
        name, value, max_age=seconds, path=path, httponly=True, samesite="lax", secure=secure(request)
    )


def drop_cookie(request: Request, response: Response, name: str) -> None:
    path = prefix_of(request.scope) or "/"
    response.delete_cookie(name, path=path, httponly=True, samesite="lax", secure=secure(request))


def too_many(cookies: list[str], new: str) -> list[str]:
    """Which link cookies have to be deleted, so that those of many jobs do not get too large for a request's
    headers."""
    held = [name for name in cookies if name.startswith(LINK_COOKIE) and name != new]
    return held[: max(0, len(held) - MAX_LINK_COOKIES + 1)]
