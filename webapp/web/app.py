"""The application: routes, errors, and the one middleware that checks where a request comes from."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import anyio.lowlevel
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from ..access.guard import Guard
from ..errors import JobtailError
from ..service import Service, build
from ..settings import Settings, load_settings
from ..stream.detached import detachable
from ..tasks import Tasks
from . import api, events, fused, login, logs, metrics, openapi, overview, pages, render, reporting, search, shares
from .problem import on_crash, on_error, on_http
from .request_log import RequestLog
from .static import Static


def application() -> ASGIApp:
    """For other servers: `uvicorn --factory webapp.web.app:application`. Settings come from the environment."""
    return detachable(create_app(load_settings()))


class Begun:
    """Starts the service at the first request, where nobody ran the application's lifespan: an application that is
    mounted in another one is not told when that begins."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        state: Any = scope["app"].state
        if scope["type"] == "http" and not state.begun:
            state.begun = True
            await self._service.start()
        await self._app(scope, receive, send)


def create_app(settings: Settings, snapshots: metrics.Snapshots | None = None) -> Starlette:
    """JournalError where the data folder can't be used. `snapshots`: where workers of one socket tell each other what
    they measure."""
    render.load()
    service = build(settings)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        app.state.begun = True
        await service.start()
        await anyio.lowlevel.checkpoint()  # AnyIO reads a part of itself at its first use: now, before anybody waits
        telling = Tasks()
        if snapshots is not None:
            telling.start(metrics.keep(snapshots, service))
        try:
            yield
        finally:
            await telling.close()
            await service.stop()

    parts = (events, logs, search, api, overview, pages, shares, login, openapi, fused, metrics, reporting)
    app = Starlette(
        routes=[
            *(route for part in parts for route in part.routes),
            Mount("/static", Static()),
        ],
        middleware=[
            Middleware(Begun, service=service),
            Middleware(RequestLog),
            Middleware(Guard, settings=settings, refuse=on_error),
        ],
        exception_handlers={JobtailError: on_error, HTTPException: on_http, Exception: on_crash},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False  # its redirects name a scheme and a host, which behind a proxy are not ours
    app.state.service = service
    app.state.begun = False
    app.state.snapshots = snapshots
    app.state.stopping = service.hub.bye
    return app
