"""`GET /api/jobs/{job}/search`: matching lines of the whole log, oldest first."""

from __future__ import annotations

import asyncio
import time

from starlette.requests import Request
from starlette.responses import Response

from ..access.decide import Action, Grant
from ..access.headers import PRIVATE_HEADERS
from ..access.route import guarded
from ..errors import UsageError
from ..journal.journal import Journal
from ..journal.match import parse_levels
from ..service import Service
from ..stream.form import Form
from .logs import MAX_LINE, line_of
from .params import Params

LIMIT = 100
MAX_LIMIT = 1000
# An answer is given after this many seconds at the latest; `scanned_to` says where to go on.
SECONDS = 2.0
READ_BYTES = 4 << 20


async def search(request: Request, service: Service, grant: Grant) -> Response:
    params = Params(request)
    level, q = params.text("level"), params.text("q")
    if not q and not level:
        raise UsageError("q is missing: it takes the text to look for, or with regex=true an expression")
    form = Form(
        format="ndjson",
        q=q,
        regex=params.flag("regex", False),
        levels=parse_levels(level) if level else None,
        lines=grant.lines,
    )
    limit = params.integer("limit", 1, MAX_LIMIT) or LIMIT
    channel = await service.hub.channel(request.path_params["job"])
    await channel.fresh()
    await channel.reload()
    state = channel.state
    low, high = form.lines or (1, MAX_LINE)
    after, upto = max(low - 1, line_of(params, "after", state) or 0), min(high, state.last_line)
    found, scanned = await asyncio.to_thread(scan, channel.journal, form, after, upto, limit)
    body = b'{"lines":[%b],"scanned_to":"%b-%d","complete":%b}' % (
        b",".join(found), state.epoch.encode(), scanned, b"true" if scanned >= upto else b"false",
    )  # fmt: skip
    return Response(body, headers=PRIVATE_HEADERS, media_type="application/json")


def scan(journal: Journal, form: Form, after: int, upto: int, limit: int) -> tuple[list[bytes], int]:
    """The lines that match, as JSON, and the last line that was looked at. Ends at `limit` or after SECONDS."""
    found: list[bytes] = []
    stop_at = time.monotonic() + SECONDS
    while after < upto:
        batches = journal.read(after, most_bytes=READ_BYTES, upto=upto, levels=form.levels)
        if not batches:
            return found, upto
        for batch in batches:
            chosen = form.passing(batch)
            if chosen is None or chosen:
                lines = batch.split()
                for index in range(len(lines)) if chosen is None else chosen:
                    found.append(lines[index])
                    if len(found) >= limit:
                        return found, batch.first + index
            after = batch.last
        if time.monotonic() > stop_at:
            break
    return found, after


routes = [guarded("/api/jobs/{job}/search", search, Action.VIEW_PART)]
