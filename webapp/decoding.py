"""The body of an answer without its Content-Encoding, a bounded piece at a time, so that ten kilobytes that unfold to
gigabytes are noticed while they unfold: the caller counts what it takes, and stops. No I/O."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Protocol

PIECE = 1 << 16


class _Inflater(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unconsumed_tail(self) -> bytes: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = ..., /) -> bytes: ...


class Decoder:
    """`encoding`: the value of a Content-Encoding header. ValueError, here and from every method: it is one that was
    not asked for (only gzip and deflate are, and none twice over), or the data is not in it."""

    def __init__(self, encoding: str = "") -> None:
        names = [name for part in encoding.lower().split(",") if (name := part.strip()) not in ("", "identity")]
        if len(names) > 1:
            raise ValueError(f"the answer is encoded more than once ({encoding[:60]!r})")
        if names and names[0] not in ("gzip", "x-gzip", "deflate"):
            raise ValueError(f"the answer is encoded as {names[0][:60]!r}, which was not asked for")
        self._gzip = bool(names) and names[0] != "deflate"
        self._plain = not names
        self._inflater: _Inflater | None = zlib.decompressobj(31) if self._gzip else None
        self._head = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What the data unfolds to, in pieces of at most PIECE bytes; nothing is unfolded before it is taken."""
        if self._plain:
            yield from (data[start : start + PIECE] for start in range(0, len(data), PIECE))
            return
        held, self._head = self._head, (self._head + data)[:2]
        if self._inflater is None:
            if len(self._head) < 2:
                return
            data = held + data
            self._inflater = zlib.decompressobj(15 if _is_zlib(self._head) else -15)
        while data:
            piece = self._inflate(data)
            data = self._inflater.unconsumed_tail
            if piece:
                yield piece
            if self._inflater.eof:
                data = self._next_member()

    def end(self) -> None:
        """All data has been fed. ValueError: it breaks off."""
        if self._head and (self._inflater is None or not self._inflater.eof):
            raise ValueError("the encoded answer breaks off")

    def _inflate(self, data: bytes) -> bytes:
        assert self._inflater is not None
        try:
            return self._inflater.decompress(data, PIECE)
        except zlib.error as error:
            raise ValueError(f"the encoded answer is damaged ({error})") from None

    def _next_member(self) -> bytes:
        """Gzip data may follow gzip data (RFC 1952, 2.2); what else follows an end is ignored."""
        assert self._inflater is not None
        rest = self._inflater.unused_data
        if not self._gzip or not rest.startswith(b"\x1f\x8b"):
            return b""
        self._inflater = zlib.decompressobj(31)
        return rest


def _is_zlib(head: bytes) -> bool:
    """Whether these two bytes begin the zlib format (RFC 1950). Many servers send raw deflate as "deflate"."""
    return head[0] & 0x0F == 8 and int.from_bytes(head) % 31 == 0
