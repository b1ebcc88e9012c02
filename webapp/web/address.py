"""Addresses of ours, as the visitor has to write them."""

from __future__ import annotations

from starlette.requests import Request

from ..access.cookies import secure
from ..access.place import HOST_SCOPE, prefix_of
from ..service import Service


def base_url(request: Request, service: Service) -> str:
    """Of links that leave this page: JOBTAIL_PUBLIC_URL, else as the request came."""
    if service.settings.public_url:
        return service.settings.public_url
    host = request.scope.get(HOST_SCOPE) or request.headers["host"]
    return f"{'https' if secure(request) else 'http'}://{host}{prefix_of(request.scope)}"


def local(request: Request, path: str) -> str:
    """A path of ours, for this visitor's browser."""
    return prefix_of(request.scope) + path
