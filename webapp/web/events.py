"""`GET /api/jobs/{job}/events`: the live tail as Server-Sent Events."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from ..access.decide import Action, Grant
from ..access.headers import stream_headers
from ..errors import UpstreamDenied, UpstreamError
from ..journal.cursor import Cursor, parse_cursor
from ..journal.match import parse_levels
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
from .params import MAX_BYTES, Params
from .route import guarded

MAX_MS = 1 << 53
MAX_LINE = 10**15 - 1


async def events(request: Request, service: Service, grant: Grant) -> ASGIApp:
    params = Params(request)
    address, scans = service.access.address(request), service.access.scans
    form = await scans.compiled(
        request, grant, address, lambda: event_form(params, grant, service.settings.max_line_bytes)
    )
    refresh = params.seconds("refresh_seconds", 0.1, 60) or 1.0
    timeout = params.seconds("timeout", 0, 10**7)
    retries = params.integer("get_logs_retries", 0, 10**6)
    tail = params.integer("tail", 0, MAX_LINE)
    header = request.headers.get("last-event-id", "").strip()
    # `lastEventId` is what polyfills of EventSource add to the address when they come back by themselves: it is newer
    # than what the page began with.
    given = params.cursor("lastEventId") or params.cursor("last_event_id") or params.cursor("after")
    channel = await service.hub.channel(request.path_params["job"])
    service.hub.admit(channel)
    try:
        await channel.fresh(status_only=channel.state.last_line == 0)
    except UpstreamDenied:
        raise
    except UpstreamError:
        pass  # the stream says how it goes on, and outlasts it
    cursor = parse_cursor(header) if header else given

    def walk(journal: Journal, state: State, form: Form, tail: int | None) -> Awaitable[int]:
        if not form.filters:
            return LIVE.run(tail_start, journal, state, form, tail)  # one look, which waits for nobody's search
        return scans.run(request, grant, address, lambda check: tail_walk(journal, state, form, tail, check))

    position, reset = await _start(channel, form, cursor, bool(header), tail, walk)
    if cursor is not None and not reset and cursor.done and over(channel.state, form, position):
        return Response(status_code=204, headers=stream_headers(request.scope))

    def viewer(ended: Callable[[], None]) -> Viewer:
        ends = Ends(
            deadline=None if timeout is None else time.monotonic() + timeout,
            retries=retries,
            grant_ended=(lambda: service.access.ended(grant)) if grant.ends_ms is not None else None,
            grant_reason=grant.end_reason,
        )
        audience = channel.audience
        return Viewer(audience, form, refresh, position, ended=ended, ends=ends, tail=tail, reset=reset)

    stream = Stream(viewer, stream_headers(request.scope))
    seated = service.access.seats.seated(grant, address, stream)
    return service.access.searchers.seated(grant, address, seated) if form.searches else seated


def event_form(params: Params, grant: Grant, longest: int) -> Form:
    level, q = params.text("level"), params.text("q")
    return Form(
        format=params.choice("format", "line", ("line", "batch")),
        # Somebody chose the lines of a range: all of them are meant.
        sample=params.flag("sample_logs", True) and not (level or q or grant.lines),
        levels=parse_levels(level) if level else None,
        q=q,
        since_ms=params.integer("since_ms", 0, MAX_MS),
        longest=min(params.integer("max_line_bytes", 1, MAX_BYTES) or longest, longest),
        lines=grant.lines,
        detail=grant.sees_upstream_detail,
    )


async def _start(
    channel: Channel, form: Form, cursor: Cursor | None, header: bool, tail: int | None, walk: Walk
) -> tuple[Position, str]:
    """Where the stream starts, and why the cursor does not hold, if it does not."""
    if cursor is None:
        reset = "that Last-Event-ID is no cursor of ours" if header else ""
        return await channel.feed.start_position(form, tail, walk), reset
    await channel.feed.reload()
    state = channel.state
    low, high = (form.lines[0] - 1, form.lines[1]) if form.lines else (0, cursor.line)
    if cursor.epoch != state.epoch:
        reset = "the journal was begun anew since"
    # Of a range only what is in it can be missing: whether there are lines behind it is not for its reader to know.
    elif max(last_visible(state, form), low) < cursor.line <= high:
        reset = "the journal ends before that line"
    else:
        return Position(state.epoch, min(max(cursor.line, low), high)), ""
    return await channel.feed.start_position(form, tail, walk), reset


routes = [guarded("/api/jobs/{job}/events", events, Action.VIEW_PART)]
