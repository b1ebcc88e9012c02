"""`GET /api/jobs/{job}/search`: matching lines of the whole log, oldest first, or how many they are."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

import orjson
from starlette.requests import Request
from starlette.responses import Response

from ..access.decide import Action, Grant
from ..access.headers import PRIVATE_HEADERS
from ..access.route import guarded
from ..errors import UsageError
from ..journal.match import parse_levels
from ..service import Service
from ..store.base import Journal
from ..stream.form import Form
from ..stream.tail import backwards
from .logs import MAX_LINE, either_case, excluded, line_of
from .params import MAX_BYTES, Params

LIMIT = 100
MAX_LIMIT = 1000
# An answer is given after this many seconds at the latest; `scanned_to` says where to go on.
SECONDS = 0.5
READ_BYTES = 4 << 20


@dataclass(slots=True)
class Found:
    """`lines`: as JSON, oldest first. `spans`: for each of them where the matches are. `scanned`: the last line that
    was looked at, from the end the first."""

    scanned: int
    lines: list[bytes] = field(default_factory=list)
    spans: list[list[tuple[int, int]]] = field(default_factory=list)
    count: int = 0
    complete: bool = False

    def add(self, form: Form, lines: list[bytes], at: int | None = None) -> None:
        shown = [form.shortened(line) for line in lines]
        spans = [form.spans(line, short) for line, short in zip(lines, shown, strict=True)]
        place = len(self.lines) if at is None else at
        self.lines[place:place], self.spans[place:place] = shown, spans


async def search(request: Request, service: Service, grant: Grant) -> Response:
    params = Params(request)
    level, q = params.text("level"), params.text("q")
    exclude = excluded(params)
    if not q and not level and not exclude:
        raise UsageError("q is missing: it takes the text to look for, or with regex=true an expression")
    form = Form(
        format="ndjson",
        q=q,
        regex=params.flag("regex", False),
        either_case=either_case(params),
        exclude=exclude,
        levels=parse_levels(level) if level else None,
        longest=params.integer("max_line_bytes", 1, MAX_BYTES) or 0,
        lines=grant.lines,
    )
    limit, tail = params.integer("limit", 0, MAX_LIMIT), params.integer("tail", 1, MAX_LIMIT)
    if tail and limit is not None:
        raise UsageError("tail and limit exclude each other: tail=N takes the last N matches, limit=N the first")
    channel = await service.hub.channel(request.path_params["job"])
    await channel.fresh()
    await channel.reload()
    state = channel.state
    low, high = form.lines or (1, MAX_LINE)
    after, before = line_of(params, "after", state, form.lines) or 0, line_of(params, "before", state, form.lines)
    after, upto = max(low - 1, after), min(high, state.last_line, MAX_LINE if before is None else before - 1)
    if tail:
        found = await asyncio.to_thread(scan_back, channel.journal, form, after, upto, tail)
    else:
        found = await asyncio.to_thread(scan, channel.journal, form, after, upto, LIMIT if limit is None else limit)
    # Where a link's range begins past the end, nothing was looked at that a cursor could stand for.
    scanned = min(found.scanned, state.last_line + (1 if tail else 0))
    complete = b"true" if found.complete else b"false"
    body = b'{"lines":[%b],"spans":%b,"count":%d,"scanned_to":"%b-%d","complete":%b}' % (
        b",".join(found.lines), orjson.dumps(found.spans), found.count, state.epoch.encode(), scanned, complete,
    )  # fmt: skip
    return Response(body, headers=PRIVATE_HEADERS, media_type="application/json")


def scan(journal: Journal, form: Form, after: int, upto: int, limit: int) -> Found:
    """Ends at `limit` matches or after SECONDS. A limit of 0: all are counted, none is given."""
    found = Found(after)
    stop_at = time.monotonic() + SECONDS
    while found.scanned < upto:
        batches = journal.read(found.scanned, most_bytes=READ_BYTES, upto=upto, levels=form.levels)
        if not batches:
            found.scanned = upto
        for batch in batches:
            passing = form.passing(batch)
            places = range(len(batch)) if passing is None else passing
            found.scanned = batch.last
            if limit and places:
                if found.count + len(places) >= limit:
                    places = places[: limit - found.count]
                    found.scanned = batch.first + places[-1]
                lines = batch.split()
                found.add(form, [lines[place] for place in places])
            found.count += len(places)
            if found.count == limit > 0:
                found.complete = found.scanned >= upto
                return found
        if time.monotonic() > stop_at:
            break
    found.complete = found.scanned >= upto
    return found


def scan_back(journal: Journal, form: Form, after: int, upto: int, tail: int) -> Found:
    """The last `tail` matches. Ends after SECONDS too."""
    found = Found(upto + 1)
    stop_at = time.monotonic() + SECONDS
    for batch, passing in backwards(journal, form, after, upto):
        places = passing[-(tail - found.count) :]
        found.scanned = batch.first
        if places:
            lines = batch.split()
            found.add(form, [lines[place] for place in places], at=0)
            found.count += len(places)
        if found.count == tail:
            found.scanned = batch.first + places[0]
            break
        if time.monotonic() > stop_at:
            break
    else:
        found.scanned = after + 1
    found.complete = found.scanned <= after + 1
    return found


routes = [guarded("/api/jobs/{job}/search", search, Action.VIEW_PART)]
