"""`GET /api/jobs/{job}/logs`: lines, a page or the whole log, as JSON, ndjson or text, and followed if asked for."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from ..access.decide import Action, Grant
from ..access.headers import PRIVATE_HEADERS
from ..access.route import guarded
from ..errors import Conflict, Denied, JobNotFound, JobtailError, UpstreamDenied, UsageError
from ..journal.batch import Batch
from ..journal.match import parse_levels
from ..journal.state import State
from ..journal.terminal import SPAN
from ..service import Service
from ..store.base import Journal
from ..stream.channel import Channel
from ..stream.form import Form, Omitted, encode
from ..stream.shown import Shown, begins
from ..stream.straight import break_off
from ..stream.tail import tail_start
from .params import MAX_BYTES, Params

log = logging.getLogger("jobtail.web")
MAX_MS = 1 << 53
MAX_LINE = 10**15 - 1
MAX_EXCLUDED = 8
# What the address of the next page carries on.
_CARRIED = (
    "before", "since_ms", "until_ms", "level", "q", "regex", "case", "exclude", "max_line_bytes", "limit", "format",
)  # fmt: skip
PAGE_LINES = 1000
MAX_PAGE_LINES = 10_000
PAGE_BYTES = 64 << 20
_MEDIA = {
    "application/x-ndjson": "ndjson", "text/plain": "text", "text/*": "text",
    "application/json": "json", "application/*": "json", "*/*": "json",
}  # fmt: skip
_TYPES = {"json": "application/json", "ndjson": "application/x-ndjson", "text": "text/plain; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class Extent:
    """Lines after `after` up to `upto` (None: no end), at most `limit` of those that pass."""

    after: int
    upto: int | None
    limit: int | None


class Whole(StreamingResponse):
    """Where its body fails it breaks off, so that nobody takes a part for the whole."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        except JobtailError as error:
            log.info("%s was broken off: %s", scope["path"], error.detail)
            await break_off(scope, receive)


async def logs(request: Request, service: Service, grant: Grant) -> ASGIApp:
    params = Params(request)
    wanted = _format(params, request.headers.get("accept", ""))
    form = _form(params, grant, wanted)
    follow = params.flag("follow", False)
    if follow and wanted == "json":
        raise UsageError("follow=true goes with format=ndjson or format=text: a JSON list has to end")
    channel = await service.hub.channel(request.path_params["job"])
    await channel.fresh()
    await channel.reload()
    extent = await _extent(params, channel, form, follow)
    headers = dict(PRIVATE_HEADERS)
    if params.flag("download", False):
        ending = {"json": "json", "ndjson": "ndjson", "text": "log"}[wanted]
        headers["Content-Disposition"] = f'attachment; filename="{channel.job.replace(":", "_")}.{ending}"'
    if wanted == "json":
        return await _page(request, params, channel, form, extent, headers)
    if follow:
        service.hub.admit(channel)
    body = _stream(channel, form, extent, follow, lambda: service.access.ended(grant))
    response = Whole(body, headers=headers | {"X-Accel-Buffering": "no"}, media_type=_TYPES[wanted])
    return service.access.seats.seated(grant, service.access.address(request), response) if follow else response


def _format(params: Params, accept: str) -> str:
    if params.has("format"):
        return params.choice("format", "json", ("json", "ndjson", "text"))
    return accepted(accept)


def accepted(accept: str) -> str:
    """The format that an `Accept` header likes best (RFC 9110, 12.5.1); of equal ones the first, and json for none."""
    best, wanted = 0.0, "json"
    for part in accept.lower().split(","):
        media, *more = (word.strip() for word in part.split(";"))
        weight = next((_weight(word[2:]) for word in more if word.startswith("q=")), 1.0)
        if media in _MEDIA and weight > best:
            best, wanted = weight, _MEDIA[media]
    return wanted


def _weight(text: str) -> float:
    return float(text) if re.fullmatch(r"[01](\.[0-9]{0,3})?", text) else 0.0


def _form(params: Params, grant: Grant, wanted: str) -> Form:
    level = params.text("level")
    return Form(
        format="ndjson" if wanted == "json" else wanted,
        levels=parse_levels(level) if level else None,
        q=params.text("q"),
        regex=params.flag("regex", False),
        either_case=either_case(params),
        exclude=excluded(params),
        since_ms=params.integer("since_ms", 0, MAX_MS),
        until_ms=params.integer("until_ms", 0, MAX_MS),
        longest=params.integer("max_line_bytes", 1, MAX_BYTES) or 0,
        lines=grant.lines,
    )


def either_case(params: Params) -> bool | None:
    """None where nothing is said of case."""
    return params.choice("case", "exact", ("either", "exact")) == "either" if params.has("case") else None


def excluded(params: Params) -> str:
    """Up to MAX_EXCLUDED texts, a newline between each two."""
    text = params.text("exclude")
    if text.count("\n") >= MAX_EXCLUDED:
        raise UsageError(f"exclude has {text.count(chr(10)) + 1} texts: it takes {MAX_EXCLUDED} at most")
    return text


async def _extent(params: Params, channel: Channel, form: Form, follow: bool) -> Extent:
    state = channel.state
    tail = params.integer("tail", 0, MAX_LINE)
    limit = params.integer("limit", 1, MAX_LINE)
    low, high = form.lines or (1, MAX_LINE)
    after = max(low - 1, line_of(params, "after", state) or 0, (params.integer("from_line", 1, MAX_LINE) or 1) - 1)
    before = line_of(params, "before", state)
    upto = high if before is None else min(high, before - 1)
    within = replace(form, lines=(after + 1, upto))
    after = await asyncio.to_thread(tail_start, channel.journal, state, within, tail)
    if tail is not None and not follow:
        upto = min(upto, state.last_line)  # what came since would make them more than so many
    return Extent(after, None if upto == MAX_LINE else upto, limit)


def line_of(params: Params, name: str, state: State) -> int | None:
    """The line of a cursor of this journal. UsageError where it is of another one, or past the end."""
    cursor = params.cursor(name)
    if cursor is None:
        return None
    if cursor.epoch != state.epoch:
        raise UsageError(f"{name}={cursor} is of another journal of this job: the journal was begun anew since")
    if cursor.line > state.last_line + (name == "before"):
        raise UsageError(f"{name}={cursor} is past the end, which is {state.epoch}-{state.last_line}")
    return cursor.line


def _take(form: Form, epoch: str, batch: Batch, left: int | None) -> tuple[bytes, int, int]:
    """The batch in its form, cut after `left` lines that pass; how many did; the last line that was considered."""
    chosen = form.passing(batch)
    count = len(batch) if chosen is None else len(chosen)
    if left is not None and count > left:
        last = left - 1 if chosen is None else chosen[left - 1]
        batch, count = batch.part(batch.first, batch.first + last), left
    return encode(form, epoch, batch, Omitted()).data, count, batch.last


def _collect(channel: Channel, form: Form, extent: Extent, limit: int, epoch: str) -> tuple[bytes, int, bool]:
    """A page as ndjson, the last line that was considered, and whether it may go on."""
    parts: list[bytes] = []
    after, count, size = extent.after, 0, 0
    while True:
        batches = channel.journal.read(
            after, most_bytes=min(1 << 20, limit * 400), upto=extent.upto, levels=form.levels
        )
        if not batches:
            return b"".join(parts), after, False
        for batch in batches:
            data, taken, after = _take(form, epoch, batch, limit - count)
            parts.append(data)
            count, size = count + taken, size + len(data)
            if count >= limit or size > PAGE_BYTES:
                return b"".join(parts), after, True


async def _page(
    request: Request, params: Params, channel: Channel, form: Form, extent: Extent, headers: dict[str, str]
) -> Response:
    state = channel.state
    limit = min(extent.limit or PAGE_LINES, MAX_PAGE_LINES)
    data, after, more = await asyncio.to_thread(_collect, channel, form, extent, limit, state.epoch)
    last = state.last_line if extent.upto is None else min(state.last_line, extent.upto)
    if more and after < last:
        query = {name: params.text(name) for name in _CARRIED if params.has(name)}
        query["after"] = f"{state.epoch}-{after}"
        headers["Link"] = f'<{request.scope["path"]}?{urlencode(query)}>; rel="next"'
    body = b"[" + data.rstrip(b"\n").replace(b"\n", b",") + b"]"
    return Response(body, headers=headers, media_type=_TYPES["json"])


class _Formed:
    """Batches in a form, at most `left` lines of them."""

    def __init__(self, form: Form, epoch: str, left: int | None) -> None:
        self._form, self._epoch, self._left = form, epoch, left

    @property
    def over(self) -> bool:
        return self._left == 0

    def feed(self, batch: Batch) -> bytes:
        data, taken, _ = _take(self._form, self._epoch, batch, self._left)
        if self._left is not None:
            self._left -= taken
        return data

    def pause(self) -> bytes:
        return b""

    rest = pause


def _begin(channel: Channel, form: Form, extent: Extent) -> tuple[_Formed | Shown, int, int | None]:
    """What makes the body, and the lines that it reads: after the one, up to the other (None: no end). Text is what a
    terminal shows, for which lines around those that were asked for are read too. Filtered lines, which do not follow
    each other, are read each by itself."""
    after, upto = extent.after, extent.upto
    if form.format != "text" or form.filters:
        return _Formed(form, channel.state.epoch, extent.limit), after, upto
    low, high = form.lines or (1, MAX_LINE)
    start = begins(channel.journal, after, max(low - 1, channel.state.trimmed_to))
    return Shown(after, upto, extent.limit, form.longest), start, upto and min(high, -(-upto // SPAN) * SPAN)


async def _stream(
    channel: Channel,
    form: Form,
    extent: Extent,
    follow: bool,
    ended: Callable[[], bool],
) -> AsyncIterator[bytes]:
    epoch = channel.state.epoch
    with _reading(channel, follow):
        body, after, until = await asyncio.to_thread(_begin, channel, form, extent)
        while True:
            state = channel.state
            if ended():
                if follow:
                    return
                raise Denied("what allowed it has ended")
            upto = state.last_line if until is None else min(until, state.last_line)
            batches = await asyncio.to_thread(
                _read, channel.journal, epoch, max(after, state.trimmed_to), upto, form.levels
            )
            for batch in batches:
                data, after = await asyncio.to_thread(body.feed, batch), batch.last
                if data:
                    yield data
                if body.over:
                    return
            if batches:
                continue
            after = max(after, upto)
            if not follow or state.finished or (until is not None and after >= until):
                break
            if isinstance(channel.attendant.error, JobNotFound | UpstreamDenied):
                raise channel.attendant.error
            if data := body.pause():
                yield data
            await _wait(channel, state)
        if data := body.rest():
            yield data


def _read(journal: Journal, epoch: str, after: int, upto: int, levels: frozenset[int] | None) -> list[Batch]:
    """Conflict where the journal was begun anew: these lines are others."""
    batches = journal.read(after, upto=upto, levels=levels)
    if journal.state().epoch != epoch:
        raise Conflict("the journal was begun anew meanwhile")
    return batches


@contextmanager
def _reading(channel: Channel, follow: bool) -> Iterator[None]:
    """One who follows counts as somebody who watches."""
    channel.readers += follow
    try:
        yield
    finally:
        channel.readers -= follow


async def _wait(channel: Channel, state: State) -> None:
    """For news; while one waits, the job counts as watched."""
    channel.visit()
    with suppress(TimeoutError):
        async with asyncio.timeout(2):
            await channel.changed(state.revision)


routes = [guarded("/api/jobs/{job}/logs", logs, Action.VIEW_PART)]
