"""Answers to HTTP/1.0, which knows no chunks (RFC 9112, 6.1): uvicorn sends them all the same."""

from __future__ import annotations

import math

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle


class Unchunked(RequestResponseCycle):
    """A body of unknown length ends with its connection."""

    async def send(self, message: ASGISendEvent) -> None:
        endless = self.expected_content_length == math.inf
        if message["type"] == "http.response.start":
            if not any(name.lower() == b"content-length" for name, _ in message.get("headers", ())):
                self.chunked_encoding, self.keep_alive = False, False
                self.expected_content_length = math.inf  # type: ignore[assignment]
        elif endless and message["type"] == "http.response.body" and not message.get("more_body", False):
            self.expected_content_length = len(message.get("body", b""))
        await super().send(message)
