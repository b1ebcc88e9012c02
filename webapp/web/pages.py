"""The pages: the list of jobs, one job, and what went wrong. Useful as they are; `static/` makes them live."""

from __future__ import annotations

import asyncio
import shlex
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

import orjson
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from ..access.decide import Action, Grant
from ..access.headers import PRIVATE_HEADERS
from ..errors import JobNotFound, JobtailError, UpstreamError
from ..journal.terminal import Screen
from ..models import JobRecord, RunStatus
from ..service import Service
from ..settings import loopback
from ..source.listing import GLANCE_SECONDS
from ..stream.channel import Channel
from ..threads import PAGES, RECORDS
from .address import base_url, local
from .api import cancel_job, visible
from .queries import ListPageQuery
from .render import render
from .route import asking, guarded
from .words import (
    STATES,
    about_words,
    cancel_words,
    elapsed,
    job_words,
    line_words,
    matches,
    matches_words,
    row_words,
    share_words,
    totals_words,
)

PAGE_JOBS = 50
NEWEST_LINES = 200
NEWEST_BYTES = 256 << 10
# How long the first sight of a job may wait for the upstream: the live page loads the rest by itself.
PATIENCE_SECONDS = 2.0
# After so many rows of a search others have their turn.
TURN = 500
_GONE = "The upstream does not know this job any more. What the journal holds of it stays."


async def home(request: Request, service: Service, grant: Grant, query: ListPageQuery) -> Response:
    skip, text, state = query.skip, query.text, query.state
    now = datetime.now(UTC)
    if text or state:
        jobs, among, error = await _searched(service, text, state, now)
        totals = matches_words(len(jobs), among)
        jobs = jobs[skip:]
    else:
        records, error = await _listed(service, PAGE_JOBS + 1, skip)
        jobs = [_blanked(service, row_words(record, now)) for record in records]
        totals = totals_words(jobs[:PAGE_JOBS], skip, len(jobs) > PAGE_JOBS)
    more, jobs = len(jobs) > PAGE_JOBS, jobs[:PAGE_JOBS]
    return render(
        request, "list.html", jobs=jobs, skip=skip, text=text, state=state, states=STATES, error=error,
        totals=totals,
        newer=_page(request, max(0, skip - PAGE_JOBS), text, state) if skip else "",
        older=_page(request, skip + PAGE_JOBS, text, state) if more else "",
        notice=notice(service), embedded=not service.settings.upstream_url, can_sign_out=grant.session is not None,
    )  # fmt: skip


def notice(service: Service) -> str:
    """What the people who run the service should know."""
    words = service.hub.keeping.notice
    return f"The disk of this service is nearly full: {words}." if words else ""


async def _searched(
    service: Service, text: str, state: str, now: datetime
) -> tuple[list[dict[str, Any]], int | None, str]:
    """The rows that match; among how many of the newest jobs, where these are not all; and what keeps others."""
    through = await service.listing.through(PATIENCE_SECONDS)
    found = []
    for place, record in enumerate(through.jobs):
        if place % TURN == TURN - 1:
            await asyncio.sleep(0)
        job = row_words(record, now)
        # Blanking is slow and only takes away: it is done for rows that match without it.
        if matches(job, text, state) and matches(_blanked(service, job), text, state):
            found.append(job)
    return found, None if through.whole else len(through.jobs), _words_of(service, through.problem)


def _blanked(service: Service, job: dict[str, Any]) -> dict[str, Any]:
    texts = ("why", "by") if job["name"] == job["id"] else ("name", "why", "by")
    job |= {name: service.redactor.text(job[name]) for name in texts}
    return job


def _words_of(service: Service, problem: UpstreamError | None) -> str:
    return service.redactor.text(f"{problem.title}: {problem.detail}") if problem else ""


async def _listed(service: Service, n: int, skip: int) -> tuple[list[JobRecord], str]:
    """Jobs, and in words what keeps newer ones from being listed: then these are the ones that were listed last."""
    try:
        return await service.listing.jobs(n, skip, within=GLANCE_SECONDS), ""
    except UpstreamError as problem:
        return service.listing.known(n, skip) or service.listing.known(PAGE_JOBS + 1, 0), _words_of(service, problem)


def _page(request: Request, skip: int, text: str, state: str) -> str:
    query = {name: value for name, value in (("skip", skip), ("text", text), ("state", state)) if value}
    return local(request, f"/?{urlencode(query)}" if query else "/")


async def job(request: Request, service: Service, grant: Grant) -> Response:
    name = request.path_params["job"]
    channel = await service.hub.channel(name)
    error, gone = await _look(channel, grant)
    state = channel.state
    status = channel.known_status
    if status is not None:
        status = RunStatus.model_validate(visible(service, status, grant))
        if gone:
            status = status.model_copy(update={"job_status": "Gone", "finished_job_status": True})
    lines, ends = await PAGES.run(_newest, channel, grant)
    now = datetime.now(UTC)
    cancels: list[dict[str, str]] = []
    shares: list[dict[str, Any]] = []
    if grant.owner:
        cancels = [cancel_words(one) for one in await RECORDS.run(service.catalog.cancels, name)]
        shares = [share_words(one, now) for one in await RECORDS.run(service.shares.of_job, name)]
    base = base_url(request, service)
    return render(
        request, "job.html", job=job_words(name, status), lines=[line_words(line) for line in lines],
        last_line=0 if grant.lines else state.last_line, part=grant.lines,
        owner=grant.owner, can_cancel=grant.can_cancel, can_share=grant.owner, cancels=cancels, error=error,
        shares=shares, elapsed=elapsed(status, ends, now), about=about_words(status),
        notice=notice(service) if grant.owner else "",
        commands=_commands(base, service, name), loopback=loopback(urlsplit(base).hostname or ""),
    )  # fmt: skip


async def _look(channel: Channel, grant: Grant) -> tuple[str, bool]:
    """Waits a little for the upstream; what keeps it, in words, and whether it no longer knows the job. JobNotFound
    where there is nothing to show."""
    try:
        await channel.status()
        await channel.fresh(PATIENCE_SECONDS)
    except JobNotFound:
        if channel.state.last_line == 0:
            raise
        return _GONE, True
    except JobtailError as problem:
        return f"{problem.title}: {problem.detail}" if grant.sees_upstream_detail else f"{problem.title}.", False
    finally:
        await channel.feed.reload()
    return (_GONE, True) if isinstance(channel.updater.error, JobNotFound) else ("", False)


def _newest(channel: Channel, grant: Grant) -> tuple[list[dict[str, Any]], tuple[int, int] | None]:
    """The newest lines that the caller may see, as a terminal shows them; least and greatest timestamp of all, for
    those who may see all."""
    first, last = grant.clip(1, channel.state.last_line)
    batches = channel.journal.read_back(last + 1, most_bytes=NEWEST_BYTES) if last >= first else []
    lines = [orjson.loads(line) for batch in batches for line in batch.split()]
    lines = [line for line in lines if line["line"] >= first]
    return _shown(lines)[-NEWEST_LINES:], channel.journal.first_and_last_ms() if grant.lines is None else None


def _shown(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Lines that a later one has drawn over are left out."""
    screen, items = Screen(), []
    for line in lines:
        items += screen.feed(line["line"], line["message"], line.get("stream") or "")
    by_number = {line["line"]: line for line in lines}
    return [by_number[item.line] | {"message": item.text} for item in items + screen.items if item.line in by_number]


def _commands(base: str, service: Service, job: str) -> list[str]:
    """Commands that follow the job from a terminal. The token is named, never shown."""
    secret = ' -H "Authorization: Bearer $JOBTAIL_TOKEN"' if service.access.needs_token else ""
    address = shlex.quote(f"{base}/api/jobs/{job}/logs?format=text&follow=true")
    return [f"curl -N{secret} {address}", f"jobtail tail {shlex.quote(f'{base}/jobs/{job}')}"]


async def cancel(request: Request, service: Service, grant: Grant) -> Response:
    """The form of the page without JavaScript."""
    await cancel_job(request, service, grant)
    return RedirectResponse(local(request, f"/jobs/{request.path_params['job']}"), 303, headers=PRIVATE_HEADERS)


routes = [
    asking("/", home, Action.LIST, ListPageQuery),
    guarded("/jobs/{job}", job, Action.VIEW_PART),
    guarded("/jobs/{job}/cancel", cancel, Action.CANCEL, ("POST",)),
]
