"""Jobs that run on other machines: a runner begins its job, brings its lines, says that it lives, and ends it.

`docs/push.md` describes the wire. The body of `/lines` is read here and not by the guard: only from a caller who may
write the job, and in a size that others may not send.
"""

from __future__ import annotations

import asyncio
import re
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from ..access.grant import Action, Grant
from ..access.guard import BODY_SECONDS
from ..access.headers import PRIVATE_HEADERS
from ..access.runners import FeedGrant, RunnerToken, producer_id, producer_of
from ..engine.intake import End, Reporter, Taken
from ..engine.job import Job, now_ms
from ..engine.outcome import outcome
from ..engine.record import shortened, visible
from ..errors import Conflict, Denied, JobNotFound, TooLarge, UpstreamError, UsageError
from ..service import Service
from ..store.report import Report
from ..threads import RECORDS
from .address import base_url
from .api import answer
from .delivery import MOST_BODY, read_delivery
from .feeding import PRODUCER_ID, Begin, EndBody, read
from .route import guarded

_NUMBER = re.compile(r"[0-9]{1,15}")
# With an upstream: how long it is asked whether a job of that id is its own.
ASK_SECONDS = 3.0
OLDEST_MS = 60 * 86_400_000


async def begin(request: Request, service: Service, grant: Grant) -> Response:
    given = read(Begin, await request.body())
    job, runner = request.path_params["job"], RunnerToken(grant.who, grant.token)
    sender = await _for_another(service, job, _sender(request, grant), grant)
    service.quota.begin(grant.token, job)
    await _not_upstreams(service, job)
    report = Report(job, sender.producer, sender.epoch, grant.who)
    new, taken = await service.intake.begin(_job(service, job, given, grant), report, granted=bool(grant.producer))
    found = {
        "job": job,
        "url": f"{base_url(request, service)}/jobs/{job}",
        "grant": service.access.runners.grant(FeedGrant(job, sender.producer, runner), now_ms()),
        **_stand(taken),
    }
    return answer(found, 201 if new else 200)


async def lines(request: Request, service: Service, grant: Grant) -> Response:
    job, sender = request.path_params["job"], _sender(request, grant)
    service.quota.check(grant.token)
    async with service.intake.room():
        body = await _body(request)
        encoding = request.headers.get("content-encoding", "").strip().lower()
        delivery = await service.intake.parsed(lambda: read_delivery(body, encoding, now_ms()))
        seq = _number(request, "Producer-Seq") if delivery.lines else None
        service.quota.heard(grant.token, job)
        service.quota.spend(grant.token, delivery.lines, len(body))
        taken = await service.intake.feed(job, sender, seq, delivery)
    headers = {"Producer-Epoch": str(sender.epoch)} | ({} if seq is None else {"Producer-Seq": str(seq)})
    if not taken.new:
        return Response(status_code=204, headers={**PRIVATE_HEADERS, **headers})
    return answer(_stand(taken), headers=headers)


async def heartbeat(request: Request, service: Service, grant: Grant) -> Response:
    job = request.path_params["job"]
    cancelled_by = await service.intake.beat(job, _sender(request, grant))
    service.quota.heard(grant.token, job)
    return answer({"cancelled_by": cancelled_by})


async def end(request: Request, service: Service, grant: Grant) -> Response:
    given = read(EndBody, await request.body())
    job, sender = request.path_params["job"], _sender(request, grant)
    if given.exit_code is None and given.signal is None and given.state is None:
        raise UsageError("the end takes an exit_code, a signal or a state")
    code = given.exit_code if given.exit_code is not None else -given.signal if given.signal is not None else None
    by_code = None if code is None else outcome(code, None)
    state = given.state or (by_code.state if by_code else "Failed")
    said = by_code.detail if by_code and state == by_code.state else ""
    detail = visible(service.redactor.text(given.detail)) or said
    how = End(state, by_code.exit_code if by_code else None, detail, given.complete)
    ended = await service.intake.end(job, sender, how)
    service.quota.ended(grant.token, job)
    return answer({"job": job, "state": ended.state, "detail": ended.detail})


def _stand(taken: Taken) -> dict[str, Any]:
    return {"epoch": taken.epoch, "line": taken.line, "cancelled_by": taken.cancelled_by}


def _job(service: Service, job: str, given: Begin, grant: Grant) -> Job:
    at, redact = now_ms(), service.redactor
    command = tuple(visible(part) for part in redact.value(given.command))
    begun = given.created_ms if given.created_ms is not None and at - OLDEST_MS < given.created_ms <= at else at
    by = f"{given.user} ({grant.who})" if given.user and grant.kind == "runner" else given.user or grant.who
    return Job(
        id=job,
        name=shortened(redact.text(given.name or " ".join(command))) or job,
        command=command,
        cwd=visible(redact.text(given.cwd)),
        host=shortened(redact.text(given.host)),
        user=shortened(redact.text(by)),
        python=visible(redact.text(given.python)),
        pid=given.pid,
        created_ms=begun,
        heartbeat_ms=at,
    )


async def _not_upstreams(service: Service, job: str) -> None:
    """Conflict where the upstream has a job of that id. One that does not answer is not waited for: no line of its own
    would be shown to the runner."""
    if service.upstream is None or await RECORDS.run(service.catalog.get, job) is not None:
        return
    try:
        async with asyncio.timeout(ASK_SECONDS):
            await service.upstream.status(job)
    except (JobNotFound, UpstreamError, TimeoutError):
        return
    raise Conflict(f"there is a job {job!r} already: choose another id")


async def _for_another(service: Service, job: str, sender: Reporter, grant: Grant) -> Reporter:
    """An owner goes on with what the same producer began with another token, as one that is not in the settings any
    more."""
    if grant.kind == "owner":
        known = await RECORDS.run(service.store.reports.get, job)
        if known is not None and producer_id(known.producer) == producer_id(sender.producer):
            return Reporter(known.producer, sender.epoch)
    return sender


def _sender(request: Request, grant: Grant) -> Reporter:
    """UsageError where the headers are not right; Denied where the grant is another producer's."""
    name = request.headers.get("producer-id", "")
    if not PRODUCER_ID.fullmatch(name):
        raise UsageError("Producer-Id takes 1 to 64 of A-Z a-z 0-9 . _ : -, first a letter or digit")
    producer = grant.producer or producer_of(RunnerToken(grant.who, grant.token), name)
    if producer_id(producer) != name:
        raise Denied("that grant is another producer's")
    return Reporter(producer, _number(request, "Producer-Epoch"))


def _number(request: Request, name: str) -> int:
    value = request.headers.get(name, "")
    if not _NUMBER.fullmatch(value):
        raise UsageError(f"{name} holds {value[:40]!r}: it takes a whole number from 0, of 15 digits at most")
    return int(value)


async def _body(request: Request) -> bytes:
    found = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for part in request.stream():
                found += part
                if len(found) > MOST_BODY:
                    raise TooLarge(f"a body takes {MOST_BODY} bytes at most: send less at once, or pack it (gzip)")
    except TimeoutError:
        raise UsageError(f"the request's body did not come within {BODY_SECONDS:g} s: send less at once") from None
    except ClientDisconnect:
        raise UsageError("the request's body never came whole") from None
    return bytes(found)


routes = [
    guarded("/api/jobs/{job}", begin, Action.BEGIN, ("PUT",)),
    guarded("/api/jobs/{job}/lines", lines, Action.FEED, ("POST",)),
    guarded("/api/jobs/{job}/heartbeat", heartbeat, Action.FEED, ("POST",)),
    guarded("/api/jobs/{job}/end", end, Action.FEED, ("POST",)),
]
