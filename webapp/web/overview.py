"""`GET /api/jobs/{job}/overview`: the whole log in a few parts, for a map of it: lines, times, warnings, errors."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from ..access.decide import Action, Grant
from ..journal.batch import LEVEL_MASK
from ..journal.levels import LEVELS
from ..journal.parts import Gap, Part
from ..service import Service
from ..store.base import Journal
from ..stream.step import within
from ..threads import PAGES
from .api import answer
from .map import paths
from .queries import OverviewQuery
from .route import asking


async def overview(request: Request, service: Service, grant: Grant, query: OverviewQuery) -> Response:
    channel = await service.hub.channel(request.path_params["job"])
    await channel.fresh()
    await channel.feed.reload()
    state = channel.state
    low, high = grant.clip(state.trimmed_to + 1, state.last_line)
    if grant.lines is not None:
        low, high = min(low, grant.lines[1] + 1), max(high, grant.lines[0] - 1)
    walk = partial(parts_of, channel.journal, low, high, query.parts, grant)
    found = await service.access.scans.run(request, grant, service.access.address(request), lambda _: walk())
    gaps = await PAGES.run(channel.journal.gaps, low - 1, high)
    gaps = [gap for gap in gaps if within(grant.lines, gap.after_line)]
    if grant.lines is None and state.trimmed_to and not any(gap.reason == "trimmed" for gap in gaps):
        gaps = [Gap(state.trimmed_to, "trimmed", state.trimmed_to), *gaps]
    names = ("first", "last", "low_ms", "high_ms", "warnings", "errors")
    found = [part for part in found if part.first <= high] if grant.lines is None else found
    shown = [{name: getattr(part, name) for name in names} for part in found]
    return answer(
        {
            "epoch": state.epoch, "first_line": low, "last_line": high, "complete": state.complete,
            "viewers": service.hub.watching(channel), "parts": shown, "paths": paths(found),
            "gaps": [{"after": gap.after_line, "reason": gap.reason, "count": gap.count} for gap in gaps],
        }
    )  # fmt: skip


def parts_of(journal: Journal, low: int, high: int, parts: int, grant: Grant) -> Generator[None, None, Sequence[Part]]:
    """The log in at most so many parts. Of a range it is made from its own lines: how the whole is parted would tell
    how long that is."""
    yield
    if grant.lines is None:
        return journal.overview(parts)
    step = -(-max(1, high - low + 1) // parts)
    found: dict[int, Part] = {}
    after = low - 1
    while after < high and (batches := journal.read(after, upto=high)):
        for batch in batches:
            for line, mark, time_ms in zip(
                range(batch.first, batch.last + 1), batch.marks, batch.timestamps(), strict=True
            ):
                level, place = LEVELS[mark & LEVEL_MASK], (line - low) // step
                part = found.get(place) or Part(line, line, time_ms, time_ms, 0, 0)
                found[place] = Part(
                    part.first, line, min(part.low_ms, time_ms), max(part.high_ms, time_ms),
                    part.warnings + (level == "warning"), part.errors + (level == "error"),
                )  # fmt: skip
            after = batch.last
            yield
    return list(found.values())


routes = [asking("/api/jobs/{job}/overview", overview, Action.VIEW_PART, OverviewQuery)]
