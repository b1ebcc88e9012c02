"""A fresh look at a job, for whoever asks. A link to a range stays open after the upstream has forgotten the job, for
as long as the journal keeps its lines: for everybody else there is no such job any more."""

from __future__ import annotations

from ..access.grant import Grant
from ..errors import JobNotFound
from ..models import RunStatus
from ..stream.channel import Channel


async def fresh(channel: Channel, grant: Grant, *, status_only: bool = False) -> None:
    """JobNotFound, or what else the upstream says where nothing is known yet."""
    try:
        await channel.fresh(status_only=status_only)
    except JobNotFound:
        if not _kept(channel, grant):
            raise


async def status(channel: Channel, grant: Grant) -> RunStatus:
    try:
        return await channel.status()
    except JobNotFound:
        if not _kept(channel, grant) or channel.state.status is None:
            raise
        return RunStatus.model_validate(channel.state.status)


def _kept(channel: Channel, grant: Grant) -> bool:
    state = channel.state
    return grant.lines is not None and state.last_line >= grant.lines[0] and state.trimmed_to < grant.lines[1]
