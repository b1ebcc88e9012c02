"""One JSON dialect: what comes in is read leniently, what is kept and sent on is strict, bounded JSON.

Two parsers that disagree are how one odd value spoils everything after it: Python's reads and writes NaN, orjson does
neither; orjson rounds integers past 64 bits; each has another bound on depth. So there is one way in, `loads`, and one
way out, `dumps`. What strict JSON has no form for (NaN, Infinity, a number of thousands of digits, half a surrogate
pair, nesting without end) becomes a text, an `Odd`, so that whoever writes it down can say that it was altered.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson
import re2

# Levels of nesting, digits of an integer, characters of an object's own names, bytes of all its values together.
DEPTH_MOST = 100
DIGITS_MOST = 300
NAME_MOST = 1024
SIZE_MOST = 1 << 20
# What is kept of one value that is too deep or too long.
TEXT_MOST = 64 << 10

_LONG = re2.compile(rb"[0-9]{19}")
_SURROGATE = re.compile("[\ud800-\udfff]")
# Surrogates come as escapes, or as bytes that are not UTF-8.
_MAYBE_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]|[\ud800-\udfff]")
_OPTIONS = orjson.OPT_PASSTHROUGH_SUBCLASS
_NON_FINITE = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


class Odd(str):
    """The text of a value that strict JSON cannot hold as it came."""

    __slots__ = ()


class Strict(NamedTuple):
    """An object that can be written: its JSON, itself, and the names of what is not as it came (at most 100)."""

    text: bytes
    value: dict[str, Any]
    altered: list[str]


def loads(data: bytes) -> Any:
    """Any JSON that is met in the wild. Integers keep their digits. ValueError: it is none, or nested too deep."""
    if _LONG.search(data) is None:
        try:
            return orjson.loads(data)
        except orjson.JSONDecodeError:
            pass
    text = data.decode("utf-8", "surrogateescape")
    try:
        value = json.loads(text, parse_int=_integer, parse_float=_fraction, parse_constant=Odd, strict=False)
        return _without_surrogates(value) if _MAYBE_SURROGATE.search(text) else value
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def dumps(value: dict[str, Any]) -> Strict:
    """An object as strict JSON, bounded in depth and size, whatever it holds."""
    try:
        text = orjson.dumps(value, option=_OPTIONS)
    except TypeError:  # too deep, too large a number, half a surrogate pair, an Odd, or no JSON at all
        return _tamed(value)
    # orjson writes null for NaN.
    if b"null" in text or text.count(b"{") + text.count(b"[") > DEPTH_MOST:
        return _tamed(value)
    if len(text) > NAME_MOST and (len(text) > SIZE_MOST or max(map(len, value)) > NAME_MOST):
        return _tamed(value)
    return Strict(text, value, [])


def dump(value: Any) -> bytes:
    """JSON of a value that is strict already, of any size: orjson cannot write an integer past 64 bits, and Python's
    own writes all its digits."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def text_of(value: Any) -> str:
    """The JSON text of any value that `loads` has given, for people: what cannot be written strictly stands as a text
    in it. Never fails."""
    if isinstance(value, str) and type(value) is not str:
        return str(value)
    try:
        return orjson.dumps(value, option=_OPTIONS).decode()
    except TypeError:
        return "".join(_pieces(value))


def strict(value: Any) -> tuple[Any, bool]:
    """The value as it can be written, and whether anything of it was altered. One that is nested too deep becomes the
    text of its JSON."""
    try:
        return _strict(value, DEPTH_MOST - 1)
    except _TooDeep:
        return "".join(_pieces(value, TEXT_MOST))[:TEXT_MOST], True


class _TooDeep(Exception):
    pass


def _strict(value: Any, depth: int) -> tuple[Any, bool]:
    if value is None or isinstance(value, bool):
        return value, False
    if isinstance(value, str):
        clean = _SURROGATE.sub("\ufffd", value)
        return clean, type(value) is Odd or clean != value
    if isinstance(value, float):
        return (value, False) if math.isfinite(value) else (_NON_FINITE[str(value)], True)
    if isinstance(value, int):
        short = abs(value) < 10**DIGITS_MOST
        return (int(value), False) if short else (hex(value), True)
    if isinstance(value, dict | list | tuple):
        if depth <= 0:
            raise _TooDeep
        return _dict(value, depth) if isinstance(value, dict) else _list(value, depth)
    return str(value)[:TEXT_MOST], True


def _list(value: list[Any] | tuple[Any, ...], depth: int) -> tuple[list[Any], bool]:
    items = [_strict(item, depth - 1) for item in value]
    return [item for item, _ in items], any(altered for _, altered in items)


def _dict(value: dict[Any, Any], depth: int) -> tuple[dict[str, Any], bool]:
    items: dict[str, Any] = {}
    changed = False
    for name, item in value.items():
        named, renamed = _name(name, items)
        items[named], altered = _strict(item, depth - 1)
        changed = changed or renamed or altered
    return items, changed


def _name(name: Any, taken: dict[str, Any], most: int = SIZE_MOST) -> tuple[str, bool]:
    """A name that can be written, and whether it had to be altered."""
    clean = _SURROGATE.sub("\ufffd", str(name))
    if len(clean) > most:
        clean = clean[:most] + "…"
    if clean == name and type(name) is not Odd:
        return clean, False
    return (clean if clean not in taken else f"{clean} ({len(taken)})"), True


def _tamed(value: dict[str, Any]) -> Strict:
    kept: dict[str, Any] = {}
    altered: list[str] = []
    left, dropped = SIZE_MOST, 0
    for name, item in value.items():
        named, renamed = _name(name, kept, NAME_MOST)
        if left <= len(named):
            dropped += 1
            continue
        item, changed = strict(item)
        size = _size(item)
        if size > left:
            text = item if isinstance(item, str) else text_of(item)
            item, changed = text[: min(TEXT_MOST, left // 12)], True  # a character takes 12 bytes of JSON at most
            size = _size(item)
        kept[named] = item
        left -= size + len(named)
        if renamed or changed:
            altered.append(named)
    if len(altered) > 98:
        altered = [*altered[:98], f"… and {len(altered) - 98} more"]
    if dropped:
        altered.append(f"… and {dropped} left out")
    return Strict(dump(kept), kept, altered)


def _size(value: Any) -> int:
    return len(dump(value))


def _pieces(value: Any, most: int | None = None) -> Iterator[str]:
    """JSON text without recursion, however deep the value; cut off after `most` characters, about."""
    stack: list[Any] = [value]
    size = 0
    while stack and (most is None or size < most):
        item = stack.pop()
        if type(item) is _Raw:
            piece = str(item)
        elif isinstance(item, dict):
            piece = "{"
            stack.append(_Raw("}"))
            for index, (name, inner) in enumerate(reversed(item.items())):
                stack += [*([_Raw(",")] if index else []), inner, _Raw(json.dumps(_name(name, {})[0]) + ":")]
        elif isinstance(item, list | tuple):
            piece = "["
            stack.append(_Raw("]"))
            for index, inner in enumerate(reversed(item)):
                stack += [*([_Raw(",")] if index else []), inner]
        else:
            piece = dump(strict(item)[0]).decode()
        size += len(piece)
        yield piece


class _Raw(str):
    """Punctuation among values."""

    __slots__ = ()


def _integer(digits: str) -> Any:
    return int(digits) if len(digits.lstrip("-")) <= DIGITS_MOST else Odd(digits)


def _fraction(digits: str) -> Any:
    value = float(digits)
    return value if math.isfinite(value) else Odd(digits)


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        clean = _SURROGATE.sub("\ufffd", value)
        return value if clean == value else Odd(clean)
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_without_surrogates(name): _without_surrogates(item) for name, item in value.items()}
    return value
