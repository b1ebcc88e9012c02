"""The Fused wire under `/server/v1`, from the same journals and pollers, for the published client as it is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from ..access.decide import Action, Grant
from ..access.headers import PRIVATE_HEADERS
from ..access.signer import Purpose
from ..errors import NotFound
from ..service import Service
from ..stream.channel import Channel
from ..threads import PAGES
from .address import base_url
from .api import answer, cancel_job, visible, visible_record
from .published import published_config, published_record
from .queries import FusedJobsQuery, FusedLogsQuery
from .route import asking, guarded
from .sorted_log import sorted_log
from .whole import Whole

CONFIG_SECONDS = 60
PATIENCE = 2.0
LOAD_SECONDS = 120.0


async def status(request: Request, service: Service, grant: Grant) -> Response:
    channel = await service.hub.channel(request.path_params["job"])
    return answer(visible(service, await channel.status(), grant))


async def cancel(request: Request, service: Service, grant: Grant) -> Response:
    current, _ = await cancel_job(request, service, grant)
    return answer(visible(service, current, grant))


async def jobs(request: Request, service: Service, grant: Grant, query: FusedJobsQuery) -> Response:
    listed = await service.listing.jobs(query.limit, query.skip, within=0.0) if query.limit else []
    return answer([visible_record(service, published_record(job)) for job in listed])


async def logs(request: Request, service: Service, grant: Grant, query: FusedLogsQuery) -> Response:
    channel = await service.hub.channel(request.path_params["job"])
    fresh = channel.tasks.start(_fresh(channel))
    try:
        await asyncio.wait([fresh], timeout=PATIENCE)
    except asyncio.CancelledError:
        fresh.cancel()
        raise
    if fresh.done():
        fresh.result()
    whole = Whole(_entries(channel, query.since_ms, fresh), headers=PRIVATE_HEADERS, media_type="application/json")
    return service.access.reads.seated(grant, service.access.address(request), whole)


async def _fresh(channel: Channel) -> None:
    """This route promises the whole log, so a log that could not be loaded is an error and not an empty list."""
    await channel.fresh(LOAD_SECONDS)
    await channel.feed.reload()
    error = channel.updater.error
    if error is not None and not channel.state.last_line and not channel.state.finished:
        raise error


async def _entries(channel: Channel, since_ms: int | None, fresh: asyncio.Future[None]) -> AsyncIterator[bytes]:
    """The published client gives up after five seconds without a byte: while a log is loaded it is sent blanks."""
    try:
        while not fresh.done():
            yield b" "
            await asyncio.wait([fresh], timeout=PATIENCE)
        fresh.result()
        chunks = sorted_log(channel.journal, since_ms)
        while (chunk := await PAGES.run(next, chunks, None)) is not None:
            if chunk:
                yield chunk
    finally:
        fresh.cancel()


async def config(request: Request, service: Service, grant: Grant) -> Response:
    """Redirects to an address that gives the configuration without credentials for a minute: the published client sends
    none there."""
    job = request.path_params["job"]
    await (await service.hub.channel(job)).status()
    token = service.access.signer.sign(Purpose.CONFIG, job, int((time.time() + CONFIG_SECONDS) * 1000))
    return RedirectResponse(f"{base_url(request, service)}/server/v1/config/{token}", 307, PRIVATE_HEADERS)


async def signed_config(request: Request, service: Service, grant: Grant) -> Response:
    signed = service.access.signer.read(Purpose.CONFIG, request.path_params["token"])
    if signed is None or signed.ends_ms < time.time() * 1000:
        raise NotFound("this address has ended: ask for the configuration again")
    found = await service.source.config(signed.payload)
    return answer(service.redactor.value(published_config(found.model_dump(mode="json"))))


routes = [
    guarded("/server/v1/run/by-id/{job}", status, Action.VIEW, name="fused_status"),
    guarded("/server/v1/run/by-id/{job}/cancel", cancel, Action.CANCEL, ("POST",), name="fused_cancel"),
    asking("/server/v1/logs/{job}", logs, Action.VIEW, FusedLogsQuery, "fused_logs"),
    asking("/server/v1/job/self", jobs, Action.LIST, FusedJobsQuery, "fused_jobs"),
    guarded("/server/v1/job/by-id/{job}/config", config, Action.CONFIG, name="fused_config"),
    guarded("/server/v1/config/{token}", signed_config, Action.OPEN),
]
