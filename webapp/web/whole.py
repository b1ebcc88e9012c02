"""A streamed answer that breaks off where its body fails, so that nobody takes a part for the whole."""

from __future__ import annotations

import logging

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from ..errors import JobtailError
from ..stream.straight import break_off

log = logging.getLogger("jobtail.web")


class Whole(StreamingResponse):
    """The body is made for GET alone: HEAD gets the headers."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "HEAD":
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        try:
            await super().__call__(scope, receive, send)
        except JobtailError as error:
            log.info("%s was broken off: %s", scope["path"], error.detail)
            await break_off(scope, receive)
