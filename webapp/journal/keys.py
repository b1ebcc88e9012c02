"""The keys that a poller merges by, as they are kept: 16 bytes each, beside the times of their lines."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable
from itertools import chain

_HALF = (1 << 64) - 1


def pack_keys(keys: list[int]) -> bytes:
    """16 bytes a key."""
    return array("Q", chain.from_iterable((key & _HALF, key >> 64) for key in keys)).tobytes()


def unpack_keys(packed: bytes, lines: int) -> list[int]:
    """The keys of that many lines. Journals of older versions have 8 bytes a key."""
    halves: array[int] = array("Q")
    halves.frombytes(packed)
    if len(halves) == lines:
        return halves.tolist()
    return [low | high << 64 for low, high in zip(halves[::2], halves[1::2], strict=True)]


def signed(key: int) -> int:
    """For a database, whose integers have a sign."""
    return key - (1 << 64) if key >> 63 else key


def counted(rows: Iterable[tuple[int, int, bytes, bytes]], start_ms: int, end_ms: int) -> dict[int, int]:
    """How often each key bears a time with start_ms <= time < end_ms. `rows`: least and greatest time, times and keys
    of some lines each."""
    counts: Counter[int] = Counter()
    for low, high, raw_times, raw_keys in rows:
        keys = unpack_keys(raw_keys, len(raw_times) // 8)
        if low >= start_ms and high < end_ms:
            counts.update(keys)
            continue
        times: array[int] = array("q")
        times.frombytes(raw_times)
        counts.update(key for key, time in zip(keys, times, strict=True) if start_ms <= time < end_ms)
    counts.pop(0, None)
    return counts
