"""The job objects over HTTP: list, status, execution time, waiting, cancelling, configuration."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Generator
from functools import partial
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from ..access.decide import Action, Grant
from ..access.headers import PRIVATE_HEADERS
from ..access.peer import peer
from ..errors import Conflict, JournalError
from ..journal.status import blanked
from ..models import JobConfig, JobList, JobStepConfig, RunStatus, WireModel
from ..service import Service
from ..source.listing import GLANCE_SECONDS, NEWS_SECONDS
from ..stream.channel import Channel
from ..stream.step import visible_status
from ..threads import CHORES
from .address import base_url
from .chosen import Chosen, choose
from .problem import problem
from .queries import JobsQuery, WaitQuery
from .route import asking, guarded


def answer(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    body = orjson.dumps(value.model_dump(mode="json") if isinstance(value, WireModel) else value)
    return Response(body, status, {**PRIVATE_HEADERS, **(headers or {})}, media_type="application/json")


def visible(service: Service, status: RunStatus, grant: Grant) -> dict[str, Any]:
    """The status as this caller may see it, without credentials that a job's name may hold."""
    dumped = blanked(status.model_dump(mode="json"), service.redactor, status.job_id)
    return visible_status(dumped, grant.sees_upstream_detail)


def visible_record(service: Service, record: dict[str, Any]) -> dict[str, Any]:
    """A row of the list without credentials. Its id stays whatever it looks like: it is an address, and without it
    nobody could open the job."""
    return {**service.redactor.value({**record, "id": ""}), "id": record["id"]}


async def jobs(request: Request, service: Service, grant: Grant, query: JobsQuery) -> Response:
    # A page that refreshes by itself sends `max-age`, so that a hundred open lists are one request upstream. A
    # program that wants the newest list sends `no-cache`.
    wanted = request.headers.get("cache-control", "")
    within = GLANCE_SECONDS if "max-age" in wanted else 0.0 if "no-cache" in wanted else NEWS_SECONDS
    among = partial(service.listing.jobs, within=within)
    if only := Chosen(query.q, query.status or frozenset()):
        listed = await choose(among, only, query.n, query.skip)
    else:
        listed = await among(query.n, query.skip) if query.n else []
    page = JobList(n=query.n, skip=query.skip).model_dump(mode="json")
    return answer({**page, "jobs": [visible_record(service, job.model_dump(mode="json")) for job in listed]})


async def status(request: Request, service: Service, grant: Grant) -> Response:
    channel = await service.hub.channel(request.path_params["job"])
    current = await channel.status()
    return answer(visible(service, current, grant), headers={"Jobtail-Viewers": str(service.hub.watching(channel))})


async def exec_time(request: Request, service: Service, grant: Grant) -> Response:
    channel = await service.hub.channel(request.path_params["job"])
    await channel.fresh()
    await channel.feed.reload()
    ends = await service.access.scans.run(
        request, grant, service.access.address(request), lambda _: _ends(channel, grant)
    )
    if ends is None:
        raise Conflict(f"the job {channel.job!r} has no log line yet, so it is not known how long it took")
    finished = channel.state.status is not None and RunStatus.model_validate(channel.state.status).finished
    first, last = ends
    return answer({"seconds": (last - first) / 1000, "in_progress": not finished, "first": first, "last": last})


def _ends(channel: Channel, grant: Grant) -> Generator[None, None, tuple[int, int] | None]:
    """Least and greatest timestamp of the lines that the caller may see."""
    yield
    if grant.lines is None:
        return channel.journal.first_and_last_ms()
    after, low, high = grant.lines[0] - 1, 1 << 62, -1
    while batches := channel.journal.read(after, upto=grant.lines[1]):
        for batch in batches:
            times = batch.timestamps()
            low, high, after = min(low, *times), max(high, *times), batch.last
            yield
    return None if high < 0 else (low, high)


async def wait(request: Request, service: Service, grant: Grant, query: WaitQuery) -> Response:
    channel = await service.hub.channel(request.path_params["job"])
    current = await channel.status()
    stop_at = time.monotonic() + query.timeout
    while not current.finished:
        channel.upkeep.keep_alive()
        try:
            async with asyncio.timeout(max(0.0, min(10.0, stop_at - time.monotonic()))):
                await channel.feed.changed(channel.state.revision)
        except TimeoutError:
            if time.monotonic() >= stop_at:
                detail = f"the job {channel.job!r} has not finished within {query.timeout:g} s; ask again"
                return problem(504, "Not finished yet", detail)
        current = RunStatus.model_validate(channel.state.status)
    return answer(visible(service, current, grant))


async def cancel(request: Request, service: Service, grant: Grant) -> Response:
    current, already = await cancel_job(request, service, grant)
    return answer(visible(service, current, grant), 200 if already else 202)


async def cancel_job(request: Request, service: Service, grant: Grant) -> tuple[RunStatus, bool]:
    """Asks the source to stop the job, and records who did. True: it had finished already."""
    job = request.path_params["job"]
    channel = await service.hub.channel(job)
    current = await channel.status()
    if current.finished:
        return current, True
    cancelled = await service.cancels.cancel(job, grant, service.access.address(request))
    channel.upkeep.keep_alive()
    channel.updater.wake()
    return cancelled, False


async def config(request: Request, service: Service, grant: Grant) -> Response:
    whole = await service.source.config(request.path_params["job"])
    return answer(service.redactor.value(only_step(request.path_params["job"], whole).model_dump(mode="json")))


def only_step(job: str, whole: JobConfig) -> JobStepConfig:
    """The one step of a job that has exactly one. Conflict otherwise."""
    if len(whole.steps) != 1:
        raise Conflict(
            f"the job {job!r} has {len(whole.steps)} steps, not one: ask for steps-config, which is all of them"
        )
    return whole.steps[0]


async def steps_config(request: Request, service: Service, grant: Grant) -> Response:
    whole = await service.source.config(request.path_params["job"])
    return answer(service.redactor.value(whole.model_dump(mode="json")))


async def forget(request: Request, service: Service, grant: Grant) -> Response:
    channel = await service.hub.channel(request.path_params["job"])
    await CHORES.run(channel.journal.forget)
    channel.updater.forgotten()
    await channel.feed.reload()
    channel.feed.signal()
    channel.updater.wake()
    return Response(status_code=204, headers=PRIVATE_HEADERS)


async def seen(request: Request, service: Service, grant: Grant) -> Response:
    """What this request looks like from here: for `jobtail doctor`, which compares it with what it sent."""
    proxies = any(name.startswith((b"x-forwarded-", b"forwarded")) for name, _ in request.scope["headers"])
    return answer({
        "base": base_url(request, service), "address": service.access.address(request),
        "peer": peer(request.scope), "forwarded": proxies,
        "trusted": service.access.trusts(request), "time_ms": int(time.time() * 1000),
    })  # fmt: skip


async def healthz(request: Request, service: Service, grant: Grant) -> Response:
    return answer({"status": "ok"})


async def readyz(request: Request, service: Service, grant: Grant) -> Response:
    try:
        await CHORES.run(service.store.writable)
    except JournalError as error:
        return answer({"status": "not ready", "reason": error.for_viewers}, 503)
    room = await CHORES.run(service.store.journals.room)
    if room is None or room.level == "ample":
        return answer({"status": "ok"})
    if room.level == "full":
        return answer({"status": "not ready", "reason": room.words}, 503)
    return answer({"status": "ok", "warning": room.words})


routes = [
    guarded("/healthz", healthz, Action.OPEN),
    guarded("/readyz", readyz, Action.OPEN),
    guarded("/api/seen", seen, Action.LIST),
    asking("/api/jobs", jobs, Action.LIST, JobsQuery),
    guarded("/api/jobs/{job}", status, Action.VIEW_PART),
    guarded("/api/jobs/{job}/exec-time", exec_time, Action.VIEW_PART),
    asking("/api/jobs/{job}/wait", wait, Action.VIEW_PART, WaitQuery),
    guarded("/api/jobs/{job}/cancel", cancel, Action.CANCEL, ("POST",)),
    guarded("/api/jobs/{job}/config", config, Action.CONFIG),
    guarded("/api/jobs/{job}/steps-config", steps_config, Action.CONFIG),
    guarded("/api/jobs/{job}/journal", forget, Action.FORGET, ("DELETE",)),
]
