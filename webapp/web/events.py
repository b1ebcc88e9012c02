"""`GET /api/jobs/{job}/events`: the live tail as Server-Sent Events."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from ..access.decide import Action, Grant
from ..access.headers import stream_headers
from ..errors import UpstreamDenied, UpstreamError
from ..journal.cursor import Cursor, parse_cursor
from ..journal.state import State
from ..service import Service
from ..store.base import Journal
from ..stream.channel import Channel
from ..stream.feed import Walk
from ..stream.form import Form
from ..stream.response import Stream
from ..stream.step import Position, last_visible, over
from ..stream.tail import tail_start, tail_walk
from ..stream.viewer import Ends, Viewer
from ..threads import LIVE
from .queries import EventsQuery
from .route import asking


async def events(request: Request, service: Service, grant: Grant, query: EventsQuery) -> ASGIApp:
    address, scans = service.access.address(request), service.access.scans
    make = partial(query.form, grant, query.format, sample=query.sample_logs, longest=service.settings.max_line_bytes)
    form = await scans.compiled(request, grant, address, make, query.searches)
    header = request.headers.get("last-event-id", "").strip()
    channel = await service.hub.channel(request.path_params["job"])
    service.hub.admit(channel)
    try:
        await channel.fresh(status_only=channel.state.last_line == 0)
    except UpstreamDenied:
        raise
    except UpstreamError:
        pass  # the stream reports the state of the upstream, and outlasts the failure
    cursor = parse_cursor(header) if header else query.cursor

    def walk(journal: Journal, state: State, form: Form, tail: int | None) -> Awaitable[int]:
        if not form.filters:
            return LIVE.run(tail_start, journal, state, form, tail)  # one look, which does not wait for searches
        return scans.run(request, grant, address, lambda check: tail_walk(journal, state, form, tail, check))

    position, reset = await _start(channel, form, cursor, bool(header), query.tail, walk)
    if cursor is not None and not reset and cursor.done and over(channel.state, form, position):
        return Response(status_code=204, headers=stream_headers(request.scope))

    def viewer(ended: Callable[[], None]) -> Viewer:
        ends = Ends(
            deadline=None if query.timeout is None else time.monotonic() + query.timeout,
            retries=query.get_logs_retries,
            grant_ended=(lambda: service.access.ended(grant)) if grant.ends_ms is not None else None,
            grant_reason=grant.end_reason,
        )
        return Viewer(
            channel.audience, form, query.refresh_seconds, position,
            ended=ended, ends=ends, tail=query.tail, reset=reset,
        )  # fmt: skip

    stream = Stream(viewer, stream_headers(request.scope))
    seated = service.access.seats.seated(grant, address, stream)
    return service.access.searchers.seated(grant, address, seated) if form.searches else seated


async def _start(
    channel: Channel, form: Form, cursor: Cursor | None, header: bool, tail: int | None, walk: Walk
) -> tuple[Position, str]:
    """Where the stream starts, and why the cursor does not hold, if it does not."""
    if cursor is None:
        reset = "that Last-Event-ID is not a cursor of ours" if header else ""
        return await channel.feed.start_position(form, tail, walk), reset
    await channel.feed.reload()
    state = channel.state
    low, high = (form.lines[0] - 1, form.lines[1]) if form.lines else (0, cursor.line)
    if cursor.epoch != state.epoch:
        reset = "the journal was begun anew since"
    # For a range only what is in it can be missing: its reader may not learn whether there are lines behind it.
    elif max(last_visible(state, form), low) < cursor.line <= high:
        reset = "the journal ends before that line"
    else:
        return Position(state.epoch, min(max(cursor.line, low), high)), ""
    return await channel.feed.start_position(form, tail, walk), reset


routes = [asking("/api/jobs/{job}/events", events, Action.VIEW_PART, EventsQuery)]
