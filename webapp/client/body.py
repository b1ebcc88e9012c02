"""The body of an answer, decoded within bounds. Pure: a script reads, this counts."""

from __future__ import annotations

from collections.abc import Iterator

from ..decoding import Decoder
from .errors import BadAnswer, ServiceDown
from .script import Close, Read, Reply, Script


class AnswerBody:
    """`yield from read()` gives the next bytes, None at the end. BadAnswer for an encoding that was not asked for,
    such as `gzip, gzip`; ServiceDown where compressed data stops before its end."""

    def __init__(self, reply: Reply, url: str) -> None:
        self.reply = reply
        self._url = url
        self._pending: Iterator[bytes] = iter(())
        try:
            self._decoder = Decoder(reply.headers.get("content-encoding", ""))
        except ValueError as error:
            raise BadAnswer(f"{url}: {error}") from None

    def read(self) -> Script[bytes | None]:
        while True:
            try:
                if (piece := next(self._pending, None)) is not None:
                    return piece
            except ValueError as error:
                raise BadAnswer(f"{self._url} answered compressed data that is broken: {error}") from None
            raw = yield Read(self.reply)
            if raw is None:
                self._end()
                return None
            self._pending = self._decoder.feed(raw)

    def _end(self) -> None:
        try:
            self._decoder.end()
        except ValueError:
            raise ServiceDown(f"the answer of {self._url} stopped before its end") from None

    def head(self, most: int) -> Script[bytes]:
        """All of it, or its first `most` bytes; then nothing more is read."""
        found = bytearray()
        while (piece := (yield from self.read())) is not None:
            found += piece[: most - len(found)]
            if len(found) >= most:
                yield Close(self.reply)
                break
        return bytes(found)
