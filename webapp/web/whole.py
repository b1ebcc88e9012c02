"""A streamed answer that breaks off where its body fails, so that nobody takes a part for the whole."""

from __future__ import annotations

import asyncio
import logging

from starlette.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from ..errors import Busy, JobtailError
from ..stream.detached import break_off

log = logging.getLogger("jobtail.web")
# How long a reader may pause (`curl ... | less`): what waits for it is bounded, but it is not kept for ever.
PAUSE_SECONDS = 3600.0


class Whole(StreamingResponse):
    """The body is made for GET alone: HEAD gets the headers."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "HEAD":
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return

        async def patiently(message: Message) -> None:
            try:
                async with asyncio.timeout(PAUSE_SECONDS):
                    await send(message)
            except TimeoutError:
                raise Busy(f"its reader took nothing for {PAUSE_SECONDS:g} s") from None

        try:
            await super().__call__(scope, receive, patiently)
        except JobtailError as error:
            log.info("%s was broken off: %s", scope["path"], error.detail)
            await break_off(scope, receive)
