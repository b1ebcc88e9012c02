"""All viewers of one job, in groups that are sent the same bytes, and the beat that serves them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Coroutine
from typing import Any

from ..errors import JobNotFound, JobtailError, JournalError, UpstreamDenied
from ..tasks import Tasks
from .feed import Feed
from .form import Form
from .group import Group
from .step import last_visible
from .viewer import Viewer

log = logging.getLogger("jobtail.stream")
# A socket that takes nothing for so many seconds has nobody behind it.
SEND_SECONDS = 120.0


class Audience:
    """Implements `viewer.Groups`. `left_at`: when the last viewer left, on the monotonic clock; 0 for never."""

    def __init__(self, feed: Feed) -> None:
        self.feed = feed
        self.viewers: set[Viewer] = set()
        self.left_at = 0.0
        self._groups: dict[tuple[Form, float], Group] = {}
        self._tasks = Tasks()
        self._tasks.start(self._deliver())

    # --- viewers come, find their group, and go

    def add(self, viewer: Viewer) -> None:
        self.viewers.add(viewer)

    def run(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """What a viewer does by itself."""
        return self._tasks.start(work)

    def goal(self, viewer: Viewer) -> int | None:
        """How far a viewer that catches up may read, so that it meets its group."""
        group = self._groups.get((viewer.form, viewer.refresh))
        if group is None or not group.occupied:
            return None
        return max(group.position.line, viewer.position.line)

    def join(self, viewer: Viewer) -> float | None:
        """Takes the viewer into its group. Where that is not possible yet: how many seconds to wait."""
        key = (viewer.form, viewer.refresh)
        group = self._groups.get(key)
        if group is None or not group.occupied:
            state = viewer.state or self.feed.state
            group = self._groups[key] = Group(self.feed, viewer.form, viewer.refresh, viewer.position.copy(), state)
        elif not group.position.meets(viewer.position) or group.state is not viewer.state:
            return min(0.05, viewer.refresh)
        group.add(viewer)
        viewer.form, viewer.position = group.form, group.position  # equal ones: they need not be kept twice
        if group.behind:
            self.feed.signal()
        return None

    def leave_group(self, viewer: Viewer) -> None:
        key = (viewer.form, viewer.refresh)
        group = self._groups.get(key)
        if group is not None:
            group.discard(viewer)
            if not group.occupied:
                del self._groups[key]

    def leave(self, viewer: Viewer) -> None:
        self.viewers.discard(viewer)
        self.leave_group(viewer)
        self.left_at = time.monotonic()

    # --- the beat

    async def _deliver(self) -> None:
        """Brings every group to the newest state, none more often than it wants."""
        signalled = self.feed.signalled
        while True:
            due = [group.due for group in self._groups.values() if group.behind and not group.searching]
            timeout = max(0.0, min(due) - time.monotonic()) if due else None
            try:
                async with asyncio.timeout(timeout):
                    await signalled.wait()
            except TimeoutError:
                pass
            try:
                if signalled.is_set():
                    signalled.clear()
                    await self.feed.reload(delivers=True)
                now = time.monotonic()
                for group in list(self._groups.values()):
                    if group.behind and group.due <= now:
                        await self._bring(group)
            except JournalError as error:
                await self.feed.recover(error)
            if not self.viewers:
                self.feed.drop_pieces()

    async def _bring(self, group: Group) -> None:
        """A group that looks for a text takes longer, and the others do not wait for it."""
        if not group.form.searches:
            await group.deliver()
        elif not group.searching:
            group.task = self._tasks.start(self._search_on(group))

    async def _search_on(self, group: Group) -> None:
        try:
            await group.deliver()
        except JournalError as error:
            await self.feed.recover(error)
        except Exception:
            log.exception("a filtered group of %s failed", self.feed.job)
        self.feed.signal()  # it may be behind again

    def tick(self, now: float, error: JobtailError | None) -> None:
        """Once a second: heartbeats, and who has to go. `error`: why the job can't be kept up to date now."""
        for group in list(self._groups.values()):
            group.ping(now)
        attempt = self.feed.attempt
        for viewer in list(self.viewers):
            if (reason := viewer.ends.reason(now, attempt)) is not None:
                viewer.finish(reason)
            elif viewer.waits_since is not None and now - viewer.waits_since > SEND_SECONDS:
                viewer.abandon()
            elif isinstance(error, JobNotFound) and self._shown(viewer):
                viewer.finish("not_found")
            elif isinstance(error, UpstreamDenied):
                viewer.finish("denied")

    def _shown(self, viewer: Viewer) -> bool:
        """The journal may keep more than the upstream still has: a viewer is sent that first."""
        return viewer.position.line >= last_visible(self.feed.state, viewer.form)

    async def close(self) -> None:
        for viewer in list(self.viewers):
            viewer.stop()
        await self._tasks.close()
