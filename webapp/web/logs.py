"""`GET /api/jobs/{job}/logs`: lines, a page or the whole log, as JSON, ndjson or text, and followed if asked for."""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol, TypeVar
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from .. import __version__
from ..access.decide import Action, Grant
from ..access.headers import PRIVATE_HEADERS
from ..access.scans import Walk
from ..errors import UsageError
from ..journal.cursor import Cursor
from ..journal.state import State
from ..service import Service
from ..stream.channel import Channel
from ..stream.form import Check, Form
from ..stream.step import settled
from ..stream.tail import tail_walk
from ..threads import PAGES
from .address import local
from .body import InThread, LogBody, LogRange, Manner, take
from .packed import SMALL_BYTES, packed, packed_whole, takes_gzip
from .params import parameters
from .queries import MAX_LINE, LogsQuery, SearchQuery
from .ranged import Ranged
from .route import asking
from .whole import Whole

T = TypeVar("T")
# Parameters for where the first page begins or how it is sent: the address of the next page repeats all others.
_OF_ONE_PAGE = {"after", "from_line", "tail", "follow", "end", "keepalive", "download"}
PAGE_LINES = 1000
MAX_PAGE_LINES = 10_000
PAGE_BYTES = 64 << 20
# A page of more is read once to see where it ends, and once more while it is sent.
HELD_BYTES = 1 << 20
# At a time: who waits for a turn, or reads slowly, holds so much.
READ_BYTES = 256 << 10
_MEDIA = {
    "application/x-ndjson": "ndjson", "text/plain": "text", "text/*": "text",
    "application/json": "json", "application/*": "json", "*/*": "json",
}  # fmt: skip
_TYPES = {"json": "application/json", "ndjson": "application/x-ndjson", "text": "text/plain; charset=utf-8"}


class Run(Protocol):
    """Walks the log, by turns with others."""

    def __call__(self, walk: Walk[T]) -> Awaitable[T]: ...


async def logs(request: Request, service: Service, grant: Grant, query: LogsQuery) -> ASGIApp:
    wanted = _format(request, query)
    access, address = service.access, service.access.address(request)
    make = partial(query.form, grant, "ndjson" if wanted == "json" else wanted)
    form = await access.scans.compiled(request, grant, address, make, query.searches)

    def run(walk: Walk[T]) -> Awaitable[T]:
        return access.scans.run(request, grant, address, walk)

    async def work(work: Callable[..., T], *arguments: Any) -> T:
        if form.searches:
            return await access.scans.once(request, grant, address, partial(work, *arguments), seated=True)
        return await PAGES.run(work, *arguments)

    channel = await service.hub.channel(request.path_params["job"])
    await channel.fresh()
    await channel.feed.reload()
    extent = await _extent(query, channel, form, run)
    headers = _headers(query, wanted, channel, extent)
    manner = Manner(
        follow=query.follow,
        marks=query.end,
        keepalive=query.follow and (wanted == "ndjson" if query.keepalive is None else query.keepalive),
        ended=lambda: access.ended(grant),
        end_reason=grant.end_reason,
        leaving=service.hub.leaving,
    )
    if wanted == "json":
        page = await _page(request, query, channel, form, extent, headers, run, work, manner)
        return access.reads.seated(grant, address, page)

    def body() -> AsyncIterator[bytes]:
        return LogBody(channel, form, extent, manner, work).chunks()

    if not query.follow:
        lines = _lines(request, query, channel.state, form, extent, body, headers)
        return access.reads.seated(grant, address, lines)
    service.hub.admit(channel)
    response: Response = Whole(body(), headers=headers, media_type=_TYPES[wanted])
    if form.searches:
        response = access.searchers.seated(grant, address, response)
    return access.seats.seated(grant, address, response)


def _format(request: Request, query: LogsQuery) -> str:
    """json, ndjson or text. UsageError where it doesn't go with what else is asked for."""
    wanted = query.format or accepted(request.headers.get("accept", ""))
    if query.follow and wanted == "json":
        raise UsageError("follow=true goes with format=ndjson or format=text: a JSON list has to end")
    if query.end and wanted != "ndjson":
        raise UsageError("end=true goes with format=ndjson: text can't hold a record, and a JSON list ends by itself")
    return wanted


def _headers(query: LogsQuery, wanted: str, channel: Channel, extent: LogRange) -> dict[str, str]:
    headers = PRIVATE_HEADERS | _place(channel.state, extent, query.follow)
    if query.download:
        ending = {"json": "json", "ndjson": "ndjson", "text": "log"}[wanted]
        headers["Content-Disposition"] = f'attachment; filename="{channel.job.replace(":", "_")}.{ending}"'
    if query.follow:
        return headers | {"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"}
    headers["Vary"] += ", Accept-Encoding"
    return headers


def _lines(
    request: Request, query: LogsQuery, state: State, form: Form, extent: LogRange,
    body: Callable[[], AsyncIterator[bytes]], headers: dict[str, str],
) -> Response:  # fmt: skip
    """ndjson or text to its end. A download, and what is asked for in parts, goes out as it is, with a length."""
    media, headers = _TYPES[form.format], headers | {"X-Accel-Buffering": "no"}
    resumable = query.download or "range" in request.headers
    # These have no fixed bytes: a later line may still draw over the text of a running job, and records show the
    # job's present state. A search is not repeated only to learn the length.
    fixed = (form.format == "ndjson" or settled(state)) and not query.end and not form.searches
    if resumable and fixed:
        # A range shows nothing of the lines around it, so its tag may not either.
        low, high = form.lines or (1, state.last_line)
        last = min(max(low - 1, state.last_line if extent.upto is None else extent.upto), high)
        place = (extent.after, extent.limit, last, max(low - 1, state.trimmed_to))
        asked = (sorted(request.query_params.multi_items()), form.format, form.lines, place)
        digest = hashlib.sha256(repr((__version__, *asked)).encode()).hexdigest()[:12]
        return Ranged(body, f"{state.epoch}-{last}-{digest}", headers, media)
    if not resumable and takes_gzip(request.headers.get("accept-encoding", "")):
        return Whole(packed(body()), headers=headers | {"Content-Encoding": "gzip"}, media_type=media)
    return Whole(body(), headers=headers, media_type=media)


def _place(state: State, extent: LogRange, follow: bool) -> dict[str, str]:
    """Which part of the log the answer covers: up to which line lines are no longer kept, where it asks for some of
    those, and up to which line it goes, where that is known beforehand."""
    headers = {}
    if extent.after < state.trimmed_to:
        trimmed = state.trimmed_to if extent.upto is None else min(state.trimmed_to, extent.upto)
        headers["Jobtail-Trimmed-To"] = f"{state.epoch}-{trimmed}"
    if extent.upto is not None and not follow:
        headers["Jobtail-Last-Id"] = f"{state.epoch}-{max(extent.after, extent.upto)}"
    return headers


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


async def _extent(query: LogsQuery, channel: Channel, form: Form, run: Run) -> LogRange:
    state = channel.state
    after, upto = lines_between(query, state, form.lines)
    after = max(after, query.from_line - 1)
    within = replace(form, lines=(after + 1, upto))
    after = await run(lambda check: tail_walk(channel.journal, state, within, query.tail, check))
    if not query.follow:
        upto = min(upto, state.last_line)  # the answer says beforehand how far it goes
    return LogRange(after, None if upto == MAX_LINE else upto, query.limit)


def lines_between(query: LogsQuery | SearchQuery, state: State, lines: tuple[int, int] | None) -> tuple[int, int]:
    """After which line and up to which one is asked for, within those that the caller may see."""
    low, high = lines or (1, MAX_LINE)
    after, before = line_of("after", query.after, state, lines), line_of("before", query.before, state, lines)
    return max(low - 1, after or 0), high if before is None else min(high, before - 1)


def line_of(name: str, cursor: Cursor | None, state: State, lines: tuple[int, int] | None) -> int | None:
    """The line of a cursor of this journal. UsageError where it is of another one, or past the end. `lines`: of a range
    nothing is past the end, since that would tell its reader where the log ends."""
    if cursor is None:
        return None
    if cursor.epoch != state.epoch:
        raise UsageError(f"{name}={cursor} is of another journal of this job: the journal was begun anew since")
    if lines is None and cursor.line > state.last_line + (name == "before"):
        raise UsageError(f"{name}={cursor} is past the end, which is {state.epoch}-{state.last_line}")
    return cursor.line


@dataclass(frozen=True, slots=True)
class JsonPage:
    """`data`: its lines as ndjson, None where they are too many to be held. `after`: the last line that was considered;
    `more`: the page may go on from there."""

    data: bytes | None
    after: int
    more: bool


def _collect(
    channel: Channel, form: Form, extent: LogRange, limit: int, epoch: str, check: Check
) -> Generator[None, None, JsonPage]:
    """Where a page ends, and its lines unless they are more than HELD_BYTES."""
    parts: list[bytes] = []
    after, count, size, more = extent.after, 0, 0, False
    most = min(READ_BYTES, limit * 400)
    while not more and (batches := channel.journal.read(after, most_bytes=most, upto=extent.upto, levels=form.levels)):
        if size and form.levels is None and batches[0].first > after + 1:
            more = True  # trimmed in between: the next page says so
            break
        for batch in batches:
            chosen = yield from form.walk(batch, check)
            data, taken, after = take(form, epoch, batch, limit - count, chosen)
            count, size = count + taken, size + len(data)
            if size <= HELD_BYTES:
                parts.append(data)
            else:
                parts.clear()  # many may wait for their turn with what they hold
            yield
            more = count >= limit or size > PAGE_BYTES
            if more:
                break
    return JsonPage(b"".join(parts) if size <= HELD_BYTES else None, after, more)


async def _page(
    request: Request, query: LogsQuery, channel: Channel, form: Form, extent: LogRange, headers: dict[str, str],
    run: Run, work: InThread, manner: Manner,
) -> Response:  # fmt: skip
    state = channel.state
    limit = min(extent.limit or PAGE_LINES, MAX_PAGE_LINES)
    page = await run(lambda check: _collect(channel, form, extent, limit, state.epoch, check))
    last = state.last_line if extent.upto is None else min(state.last_line, extent.upto)
    if page.more and page.after < last:
        headers["Jobtail-Last-Id"] = f"{state.epoch}-{page.after}"
        carried = parameters(LogsQuery).keys() - _OF_ONE_PAGE
        onward = {name: value for name, value in request.query_params.items() if name in carried and value}
        onward["after"] = f"{state.epoch}-{page.after}"
        headers["Link"] = f'<{local(request, request.scope["path"])}?{urlencode(onward)}>; rel="next"'
    small = takes_gzip(request.headers.get("accept-encoding", ""))
    if page.data is not None:
        data = b"[" + _listed(page.data) + b"]"
        if small and len(data) > SMALL_BYTES:
            headers["Content-Encoding"], data = "gzip", await packed_whole(data)
        return Response(data, headers=headers, media_type=_TYPES["json"])
    again = _bracketed(LogBody(channel, form, LogRange(extent.after, page.after, limit), manner, work).chunks())
    if small:
        headers["Content-Encoding"], again = "gzip", packed(again)
    return Whole(again, 200, headers, _TYPES["json"])


def _listed(ndjson: bytes) -> bytes:
    return ndjson.rstrip(b"\n").replace(b"\n", b",")


async def _bracketed(ndjson: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Pieces of whole lines as one JSON list."""
    before = b"["
    async for piece in ndjson:
        yield before + _listed(piece)
        before = b","
    yield b"[]" if before == b"[" else b"]"


routes = [asking("/api/jobs/{job}/logs", logs, Action.VIEW_PART, LogsQuery)]
