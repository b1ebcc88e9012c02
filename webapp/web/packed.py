"""Answers that travel compressed, where the client takes that."""

from __future__ import annotations

import re
import zlib
from collections.abc import AsyncIterator

from ..threads import PAGES

# The quickest level: it makes a log small, too.
LEVEL = 1
_GZIP = 31  # what zlib calls gzip, with its largest window
# Less than this fits into one packet as it is.
SMALL_BYTES = 1200


def takes_gzip(accept: str) -> bool:
    """RFC 9110, 12.5.3, as far as one encoding goes."""
    for part in accept.lower().split(","):
        name, *more = (word.strip() for word in part.split(";"))
        if name in ("gzip", "x-gzip"):
            return not any(re.fullmatch(r"q=0(\.0{0,3})?", word) for word in more)
    return False


async def packed(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same bytes in gzip. Where `pieces` raises there is no end mark, so that a part is not taken for the whole."""
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, _GZIP)
    async for piece in pieces:
        if data := await PAGES.run(packer.compress, piece):
            yield data
    yield packer.flush()


async def packed_whole(data: bytes) -> bytes:
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, _GZIP)
    return await PAGES.run(lambda: packer.compress(data) + packer.flush())
