"""Bodies are unfolded a bounded piece at a time."""

from __future__ import annotations

import gzip
import zlib

import pytest

from webapp.decoding import PIECE, Decoder

TEXT = b"line after line\n" * 50_000
PACKED = gzip.compress(TEXT, mtime=0)


def raw_deflate(data: bytes) -> bytes:
    made = zlib.compressobj(wbits=-15)
    return made.compress(data) + made.flush()


def decoded(encoding: str, data: bytes, step: int = 1000) -> bytes:
    decoder = Decoder(encoding)
    pieces = [piece for start in range(0, len(data), step) for piece in decoder.feed(data[start : start + step])]
    decoder.end()
    assert all(0 < len(piece) <= PIECE for piece in pieces)
    return b"".join(pieces)


@pytest.mark.parametrize("step", [1, 1000, 1 << 20])
@pytest.mark.parametrize(
    ("encoding", "encode"),
    [
        ("", bytes),
        ("identity", bytes),
        ("gzip", gzip.compress),
        ("X-GZIP", gzip.compress),
        ("gzip, identity", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", raw_deflate),
        ("gzip", lambda data: gzip.compress(data[:100]) + gzip.compress(data[100:])),
    ],
)
def test_what_was_encoded_comes_out(encoding, encode, step):
    text = TEXT[: 2000 if step == 1 else None]
    assert decoded(encoding, encode(text), step) == text


def test_nothing_is_unfolded_before_it_is_taken():
    bomb = gzip.compress(bytes(64 << 20))
    pieces = Decoder("gzip").feed(bomb)
    assert len(next(pieces)) <= PIECE


@pytest.mark.parametrize("encoding", ["gzip, gzip", "deflate,gzip", "br", "zstd", "gzip gzip"])
def test_what_was_not_asked_for_is_refused(encoding):
    with pytest.raises(ValueError):
        Decoder(encoding)


@pytest.mark.parametrize("data", [PACKED[:-20], b"no gzip at all", PACKED[:50] + b"x" * 100])
def test_damaged_data_is_an_error(data):
    with pytest.raises(ValueError):
        decoded("gzip", data)


def test_an_empty_body_is_empty_however_it_is_called():
    assert decoded("gzip", b"") == b""
