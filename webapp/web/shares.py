"""Shared links over HTTP: made, listed and revoked by owners; opened by anybody who has one."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ..access.cookies import drop_cookie, link_cookie, set_cookie, too_many
from ..access.grant import Action, Grant
from ..access.headers import PRIVATE_HEADERS
from ..access.shares import new_id, now_ms
from ..access.signer import Purpose
from ..access.terms import read_terms
from ..errors import JobtailError, NotFound
from ..models import RunStatus
from ..service import Service
from ..settings import loopback
from ..states import state_of
from ..store.share import Link, StoredShare
from ..threads import PAGES, RECORDS
from .address import base_url, local
from .render import render
from .route import guarded, note_use
from .words import elapsed

# The address of this page holds the token: it may not even be sent to our own files as a referrer.
DOOR_HEADERS = {**PRIVATE_HEADERS, "Referrer-Policy": "no-referrer"}
STATUS_SECONDS = 3.0
ENDED = (
    "Links end by themselves, can be revoked by the one who made them, and break when a part is lost in copying. "
    "Ask for a new one."
)


def iso(ms: int | None) -> str | None:
    return None if ms is None else datetime.fromtimestamp(ms / 1000, UTC).isoformat().replace("+00:00", "Z")


def shown(share: StoredShare) -> dict[str, Any]:
    link = share.link
    return {
        "id": link.id,
        "expires_at": iso(link.ends_ms),
        "can_cancel": link.can_cancel,
        "note": share.note,
        "lines": None if link.lines is None else list(link.lines),
        "made_by": share.made_by,
        "made_at": iso(share.made_ms),
        "last_used_at": iso(share.used_ms),
        "revoked": share.revoked_ms is not None,
        "revoked_at": iso(share.revoked_ms),
        "works": share.works(now_ms()),
    }


async def make(request: Request, service: Service, grant: Grant) -> Response:
    terms = read_terms(await request.body())
    job = request.path_params["job"]
    await service.hub.channel(job)  # JobNotFound: there is nothing to share
    link = Link(new_id(), job, now_ms() + terms.seconds * 1000, terms.can_cancel, terms.lines)
    note = service.redactor.text(terms.note)
    share = await RECORDS.run(service.shares.add, link, note, grant.who)
    base = base_url(request, service)
    url = f"{base}/s/{service.access.signer.sign(Purpose.LINK, link.payload(), link.ends_ms)}"
    warning = None
    if loopback(urlsplit(base).hostname or ""):
        warning = f"{base} is reached by this machine alone, so nobody else can open the link: set JOBTAIL_PUBLIC_URL"
    return JSONResponse({**shown(share), "url": url, "warning": warning}, 201, PRIVATE_HEADERS)


async def listed(request: Request, service: Service, grant: Grant) -> Response:
    job = request.path_params["job"]
    await service.hub.channel(job)  # JobNotFound, as every other route of it says
    shares = await RECORDS.run(service.shares.of_job, job)
    return JSONResponse([shown(share) for share in shares], headers=PRIVATE_HEADERS)


async def revoke(request: Request, service: Service, grant: Grant) -> Response:
    share = request.path_params["share"]
    if not await RECORDS.run(service.shares.revoke, request.path_params["job"], share):
        raise NotFound(f"this job has no link {share[:40]!r}")
    return Response(status_code=204, headers=PRIVATE_HEADERS)


async def door(request: Request, service: Service, grant: Grant) -> Response:
    """Trades a link for the cookie of its job."""
    found = await RECORDS.run(service.access.link_of, request.path_params["token"])
    if found is None or not found[1]:
        return await RECORDS.run(no_entry, request, service, found[0] if found else None)
    link = found[0]
    await note_use(service, link.id)
    response = await _welcome(request, service, link)
    name = link_cookie(link.job)
    cookie = service.access.signer.sign(Purpose.LINK_COOKIE, link.payload(), link.ends_ms)
    set_cookie(request, response, name, cookie, max(1, (link.ends_ms - now_ms()) // 1000))
    for other in too_many(list(request.cookies), name):
        drop_cookie(request, response, other)
    return response


def no_entry(request: Request, service: Service, link: Link | None) -> Response:
    """Ended, revoked and forged links look the same; only an owner sees which it is."""
    caller = service.access.caller(request, None)
    detail = ENDED
    if caller.owner is not None:
        detail = "This service never made that link." if link is None else _why(service, link)
    if _wants_json(request):
        body = {"type": "about:blank", "title": "This link does not work", "status": 404, "detail": detail}
        return JSONResponse(body, 404, DOOR_HEADERS, media_type="application/problem+json")
    return render(
        request, "error.html", status=404, headers=DOOR_HEADERS,
        title="This link does not work", detail=detail, sign_in=caller.owner is None, next="",
    )  # fmt: skip


def _why(service: Service, link: Link) -> str:
    share = service.shares.get(link.id)
    if share is not None and share.revoked_ms is not None:
        return f"The link {link.id} to the job {link.job} was taken back on {iso(share.revoked_ms)}."
    if now_ms() >= link.ends_ms:
        return f"The link {link.id} to the job {link.job} ended on {iso(link.ends_ms)}."
    return f"The link {link.id} to the job {link.job} is not in this service's list of links."


async def _welcome(request: Request, service: Service, link: Link) -> Response:
    job_url = local(request, f"/jobs/{quote(link.job, safe=':')}")
    headers = {**DOOR_HEADERS, "Content-Location": job_url}
    if _wants_json(request):
        body = {
            "job": link.job,
            "url": job_url,
            "expires_at": iso(link.ends_ms),
            "can_cancel": link.can_cancel,
            "lines": link.lines and list(link.lines),
        }
        return JSONResponse(body, 200, headers)
    title, label, took = await preview(service, link)
    return render(request, "share.html", headers=headers, title=title, label=label, elapsed=took, job_url=job_url)


def _wants_json(request: Request) -> bool:
    accept = request.headers.get("accept", "")
    return "application/json" in accept and "text/html" not in accept


async def preview(service: Service, link: Link) -> tuple[str, str, str]:
    """Title, status and elapsed time, as far as they are known soon: a chat does not wait."""
    name, label, took = link.job, "", ""
    try:
        async with asyncio.timeout(STATUS_SECONDS):
            channel = await service.hub.channel(link.job)
            status = RunStatus.model_validate(channel.state.status) if channel.state.status else await channel.status()
            # A reader who may see some lines only may not learn how long the whole took.
            ends = None if link.lines else await PAGES.run(channel.journal.first_and_last_ms)
    except (JobtailError, TimeoutError):
        pass
    else:
        name = service.redactor.text(status.job_name) or link.job
        label = state_of(status.job_status, status.finished, status.status)[1]
        took = elapsed(status, ends, datetime.now(UTC))
    title = f"{name}, lines {link.lines[0]} to {link.lines[1]}" if link.lines else name
    return title, label, took


routes = [
    guarded("/api/jobs/{job}/shares", make, Action.SHARE, ("POST",), "make_share"),
    guarded("/api/jobs/{job}/shares", listed, Action.SHARE, name="list_shares"),
    guarded("/api/jobs/{job}/shares/{share}", revoke, Action.SHARE, ("DELETE",), "revoke_share"),
    guarded("/s/{token}", door, Action.OPEN, name="open_share"),
]
