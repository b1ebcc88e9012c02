"""The body of an answer, decoded within bounds. Pure: a script reads, this counts.

What is compressed is taken apart in small pieces, so that a few kilobytes that stand for gigabytes never become more
than one piece of memory before somebody has counted it.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from .errors import BadAnswer, ServiceDown
from .script import Close, Read, Reply, Script

PIECE_BYTES = 256 << 10
_GZIP, _ZLIB = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS


class Body:
    """`yield from read()` gives the next bytes, None at the end. BadAnswer for an encoding that was not asked for,
    such as `gzip, gzip`; ServiceDown where compressed data stops before its end."""

    def __init__(self, reply: Reply, url: str) -> None:
        self.reply = reply
        self._url = url
        self._pending: Iterator[bytes] = iter(())
        self._unpack = None
        encoding = reply.headers.get("content-encoding", "").strip().lower()
        if encoding in ("gzip", "x-gzip", "deflate"):
            self._unpack = zlib.decompressobj(_ZLIB if encoding == "deflate" else _GZIP)
        elif encoding not in ("", "identity"):
            raise BadAnswer(f"{url} answered in the encoding {encoding[:40]!r}, which was not asked for")

    def read(self) -> Script[bytes | None]:
        while True:
            for piece in self._pending:
                return piece
            raw = yield Read(self.reply)
            if raw is None:
                if self._unpack is not None and not self._unpack.eof:
                    raise ServiceDown(f"the answer of {self._url} stopped before its end")
                return None
            self._pending = self._pieces(raw)

    def _pieces(self, raw: bytes) -> Iterator[bytes]:
        if self._unpack is None:
            if raw:
                yield raw
            return
        try:
            while raw and not self._unpack.eof:
                if piece := self._unpack.decompress(raw, PIECE_BYTES):
                    yield piece
                raw = self._unpack.unconsumed_tail
        except zlib.error as error:
            raise BadAnswer(f"{self._url} answered compressed data that is broken: {error}") from None

    def head(self, most: int) -> Script[bytes]:
        """All of it, or its first `most` bytes; then nothing more is read."""
        found = bytearray()
        while (piece := (yield from self.read())) is not None:
            found += piece[: most - len(found)]
            if len(found) >= most:
                yield Close(self.reply)
                break
        return bytes(found)
