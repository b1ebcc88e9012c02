"""Routes, each of which decides about the caller before its endpoint runs. A test finds any that does not."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence

from starlette.requests import Request
from starlette.routing import Route
from starlette.types import ASGIApp

from ..access.grant import Action, Grant
from ..access.headers import IGNORED_SCOPE
from ..errors import JournalError, UpstreamDown, UpstreamError
from ..models import check_job_id
from ..service import Service
from ..threads import RECORDS
from .params import Q, Query, read, unknown

log = logging.getLogger("jobtail.access")

Endpoint = Callable[[Request, Service, Grant], Awaitable[ASGIApp]]


class GuardedRoute(Route):
    action: Action
    query: type[Query] = Query


def guarded(
    path: str, endpoint: Endpoint, action: Action, methods: Sequence[str] = ("GET",), name: str | None = None
) -> GuardedRoute:
    """`endpoint(request, service, grant)` runs once the job's id is well-formed and the caller may do `action`."""

    async def check_and_answer(request: Request) -> ASGIApp:
        service: Service = request.app.state.service
        job = request.path_params.get("job")
        if job is not None:
            check_job_id(job)
        grant = await service.access.ask(request, action, job)
        request.scope["jobtail.who"] = grant.who or grant.kind
        if grant.share is not None:
            await note_use(service, grant.share)
        try:
            return await endpoint(request, service, grant)
        except UpstreamError as error:
            if grant.sees_upstream_detail:
                raise
            raise without_detail(error) from None

    route = GuardedRoute(path, check_and_answer, methods=list(methods), name=name or endpoint.__name__)
    route.action = action
    return route


def asking(
    path: str,
    endpoint: Callable[[Request, Service, Grant, Q], Awaitable[ASGIApp]],
    action: Action,
    query: type[Q],
    name: str | None = None,
) -> GuardedRoute:
    """A guarded route whose endpoint gets what the query asks for. Parameters that it does not know are told of in our
    own API only: other sites add theirs to the addresses of pages, and the Fused wire is not ours to define."""

    async def read_and_answer(request: Request, service: Service, grant: Grant) -> ASGIApp:
        if path.startswith("/api/"):
            request.scope[IGNORED_SCOPE] = unknown(query, request.query_params)
        return await endpoint(request, service, grant, read(query, request.query_params))

    route = guarded(path, read_and_answer, action, name=name or endpoint.__name__)
    route.query = query
    return route


def without_detail(error: UpstreamError) -> UpstreamError:
    """The same error without the upstream's own words."""
    if isinstance(error, UpstreamDown):
        return UpstreamDown("the system that runs the job does not answer: try again", error.retry_after)
    return type(error)("the system that runs the job answered wrongly")


async def note_use(service: Service, share: str) -> None:
    """A disk that is full keeps nobody from looking."""
    if service.shares.unnoted(share):
        try:
            await RECORDS.run(service.shares.used, share)
        except JournalError as error:
            log.warning("the last use of a link can't be noted: %s", error)
