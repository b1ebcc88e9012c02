"""`GET /api/jobs/{job}/search`: matching lines of the whole log, oldest first, or how many they are."""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import dataclass, field
from functools import partial

import orjson
from starlette.requests import Request
from starlette.responses import Response

from ..access.decide import Action, Grant
from ..access.headers import PRIVATE_HEADERS
from ..journal.batch import Batch
from ..service import Service
from ..store.base import Journal
from ..stream.form import Check, Form, nothing
from ..stream.tail import backwards
from .logs import lines_between
from .queries import SearchQuery
from .route import asking

# An answer is given after this many seconds at the latest; `scanned_to` says where to go on.
SECONDS = 0.5
# An answer that ends within a batch has its matches looked for again by the next, so it takes longer first.
OVERTIME = 0.5
READ_BYTES = 4 << 20


@dataclass(slots=True)
class Matches:
    """`lines`: as JSON, oldest first. `spans`: for each of them where the matches are. `scanned`: the last line that
    was looked at, from the end the first."""

    scanned: int
    lines: list[bytes] = field(default_factory=list)
    spans: list[list[tuple[int, int]]] = field(default_factory=list)
    count: int = 0
    complete: bool = False

    def add(self, form: Form, line: bytes, at: int) -> None:
        shown = form.shortened(line)
        self.lines.insert(at, shown)
        self.spans.insert(at, form.spans(line, shown))
        self.count += 1

    def over(self, complete: bool) -> Matches:
        self.complete = complete
        return self


Steps = Generator[None, None, Matches]


async def search(request: Request, service: Service, grant: Grant, query: SearchQuery) -> Response:
    address, scans = service.access.address(request), service.access.scans
    form = await scans.compiled(request, grant, address, partial(query.form, grant, "ndjson"), query.searches)
    channel = await service.hub.channel(request.path_params["job"])
    await channel.fresh()
    await channel.feed.reload()
    state = channel.state
    after, upto = lines_between(query, state, form.lines)
    upto = min(upto, state.last_line)

    def walk(check: Check) -> Steps:
        if query.tail:
            return scan_back(channel.journal, form, after, upto, query.tail, check)
        return scan(channel.journal, form, after, upto, query.limit, check)

    found = await scans.run(request, grant, address, walk)
    complete = b"true" if found.complete else b"false"
    body = b'{"lines":[%b],"spans":%b,"count":%d,"scanned_to":"%b-%d","complete":%b}' % (
        b",".join(found.lines), orjson.dumps(found.spans), found.count, state.epoch.encode(), found.scanned, complete,
    )  # fmt: skip
    return Response(body, headers=PRIVATE_HEADERS, media_type="application/json")


def scan(journal: Journal, form: Form, after: int, upto: int, limit: int, check: Check = nothing) -> Steps:
    """Ends at `limit` matches or after SECONDS. A limit of 0: all are counted, none is given."""
    found = Matches(after)
    stop_at = time.monotonic() + SECONDS
    while found.scanned < upto:
        batches = journal.read(found.scanned, most_bytes=READ_BYTES, upto=upto, levels=form.levels)
        if not batches:
            found.scanned = upto
        for batch in batches:
            for line, place in (yield from _matches(form, batch, bool(limit), found, check)):
                found.add(form, line, len(found.lines))
                found.scanned = batch.first + place
                yield
                if found.count == limit or time.monotonic() > stop_at + OVERTIME:
                    return found.over(found.scanned >= upto)
            found.scanned = batch.last
            yield
            if time.monotonic() > stop_at:
                return found.over(found.scanned >= upto)
    return found.over(True)


def _matches(
    form: Form, batch: Batch, wanted: bool, found: Matches, check: Check
) -> Generator[None, None, list[tuple[bytes, int]]]:
    """The lines that match, with their places in the batch; only counted where they are not wanted."""
    passing = yield from form.walk(batch, check)
    places = range(len(batch)) if passing is None else passing
    if not wanted:
        found.count += len(places)
    if not wanted or not places:
        return []
    lines = batch.split()
    return [(lines[place], place) for place in places]


def scan_back(journal: Journal, form: Form, after: int, upto: int, tail: int, check: Check = nothing) -> Steps:
    """The last `tail` matches. Ends after SECONDS too."""
    found = Matches(upto + 1)
    stop_at = time.monotonic() + SECONDS
    for step in backwards(journal, form, after, upto, check):
        yield
        if step is None:
            continue
        batch, places = step
        lines = batch.split() if places else []
        for place in reversed(places):
            found.add(form, lines[place], 0)
            found.scanned = batch.first + place
            yield
            if found.count == tail or time.monotonic() > stop_at + OVERTIME:
                return found.over(found.scanned <= after + 1)
        found.scanned = batch.first
        if time.monotonic() > stop_at:
            return found.over(found.scanned <= after + 1)
    found.scanned = after + 1
    return found.over(True)


routes = [asking("/api/jobs/{job}/search", search, Action.VIEW_PART, SearchQuery)]
