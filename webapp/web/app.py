"""The application: routes, errors, and the one middleware that checks where a request comes from."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Mount

from ..access.guard import Guard
from ..errors import JobtailError
from ..service import build
from ..settings import Settings
from . import api, events, fused, login, logs, metrics, openapi, pages, search, shares
from .problem import on_crash, on_error, on_http
from .request_log import RequestLog
from .static import Static


def create_app(settings: Settings, snapshots: metrics.Snapshots | None = None) -> Starlette:
    """JournalError where the data folder can't be used. `snapshots`: where workers of one socket tell each other what
    they measure."""
    service = build(settings)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        await service.start()
        telling = asyncio.create_task(metrics.keep(snapshots, service)) if snapshots else None
        try:
            yield
        finally:
            if telling is not None:
                telling.cancel()
                await asyncio.wait([telling])
            await service.stop()

    parts = (events, logs, search, api, pages, shares, login, openapi, fused, metrics)
    app = Starlette(
        routes=[
            *(route for part in parts for route in part.routes),
            Mount("/static", Static()),
        ],
        middleware=[Middleware(RequestLog), Middleware(Guard, settings=settings, refuse=on_error)],
        exception_handlers={JobtailError: on_error, HTTPException: on_http, Exception: on_crash},
        lifespan=lifespan,
    )
    app.state.service = service
    app.state.snapshots = snapshots
    app.state.stopping = service.hub.bye
    return app
