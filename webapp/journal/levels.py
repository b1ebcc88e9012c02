"""The level of a line, from its text: the first level word in its first 256 characters, unless the line is an object or
a list of names and values that names its own. Formats of known tools count too (`failures.py`); words that deny a level
("0 errors") do not. What stands below an error belongs to it (`records.py`). Of a line that is redrawn the last state
counts.

Upper case words count anywhere, whole words only ("0 ERRORS found" is none). Other spellings count where a
level is expected: `level=error`, `"severity": "warn"`, `[info]`, `<err>`, `error:` at the start,
`main.c:3: warning:`, and the numbers of pino and bunyan (`"level":50`). So do the letter of klog
(`E0102 15:04:05`) and the head of a Python traceback. `CRITICAL.md` is a file's name. Colours before or around the
word do not matter.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any

import orjson
import re2

from . import failures, records
from .line import named_level
from .memory import Memory

LEVELS = (None, "debug", "info", "warning", "error")
HEAD = 256  # characters that are looked at
PIECE = 256  # lines that are looked at together

_CODES = {
    "": 0,
    "trace": 1, "verbose": 1, "debug": 1, "10": 1, "20": 1,
    "info": 2, "information": 2, "notice": 2, "30": 2, "i": 2,
    "warn": 3, "warning": 3, "40": 3, "w": 3,
    "err": 4, "error": 4, "fatal": 4, "crit": 4, "critical": 4, "panic": 4, "severe": 4, "emerg": 4,
    "emergency": 4, "alert": 4, "50": 4, "60": 4, "e": 4, "f": 4, "fatal error": 4, "traceback": 4,
}  # fmt: skip
_UPPER = (
    r"\b(?:INFO|ERR(?:OR)?|WARN(?:ING)?|DEBUG|NOTICE|TRACE|VERBOSE|FATAL|CRIT(?:ICAL)?|PANIC|SEVERE"
    r"|EMERG(?:ENCY)?|ALERT)\b"
)
_NO_FILE = r"(?!\.(?:md|txt|log|json|html|py)\b)"  # `CRITICAL.md`
_WORDS = (
    r"info(?:rmation)?|err(?:or)?|warn(?:ing)?|debug|notice|trace|verbose|fatal|crit(?:ical)?|panic|severe"
    r"|emerg(?:ency)?|alert"
)
_ANY = rf"(?ai:{_WORDS})"
_CASELESS = rf"(?i:{_WORDS})"
_NAME = (
    r"""(?<=[elyELY"' ])(?:(?<=evel)|(?<=evel["' ])|(?<=everity)|(?<=everity["' ])|(?<=lvl)|(?<=evelname)"""
    r"""|(?<=evelname["'])|(?<=EVEL)|(?<=EVERITY))"""
)
# Each begins with one of A-Z [ < = : so that a search can rush past everything else; a look at the next
# letters first spares most of the work.
_FOUND = (
    rf"(?=[A-Z]{{3}}){_UPPER}{_NO_FILE}"
    rf"|[\[<](?=\ {{0,8}}[a-zA-Z]{{3}})\ {{0,8}}{_ANY}\ {{0,8}}[\]>]"
    rf"""|{_NAME}[=:][ ]?["']?(?:{_ANY}\b|[1-6]0\b)"""
    r"|:\ (?=[few])(?:fatal\ error|error|warning)(?=:)"
    r"|Traceback(?=\ \(most\ recent\ call\ last\))"
)
_START = rf"(?=[A-Za-z]{{3,11}}+[:\[]){_ANY}(?=:|\[[A-Z][0-9]+\]:)|[IWEF](?=[01][0-9][0-3][0-9]\ )"
_DATE = r"(?:[0-9]{4}[-/][0-9]{2}[-/][0-9]{2}[T\ ][0-9]{2}:[0-9]{2}(?::[0-9]{2}[0-9.,]*+)?+)?+"
# One match a line, whose one group is what was found. Possessive throughout: each character is passed once.
_LINE = re.compile(
    rf"[\ \t]*+(?:(?!{_START}){_DATE}[^\nA-Z\[<=:]*+(?:(?!{_FOUND})(?:[A-Z]++|[\[<=:])[^\nA-Z\[<=:]*+)*+)?+"
    rf"({_FOUND}|{_START})?[^\n]*+\n"
)
# Finds whatever _LINE finds, and some more: many logs hold no level, and RE2 sees that five times faster.
_ANYTHING = re2.compile(
    rf"{_UPPER}|[\[<] {{0,8}}{_CASELESS} {{0,8}}[\]>]"
    rf"""|(?i:evel|everity|lvl|evelname)["' ]?[=:] ?["']?(?:{_CASELESS}|[1-6]0)"""
    rf"|: (?:fatal error|error|warning):|Traceback \(most"
    rf"|(?m:^)[ \t]*(?:{_CASELESS}[:\[]|[IWEF][01][0-9][0-3][0-9] )"
)
_COLOUR = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b\n]*(?:\x07|\x1b\\)")  # and what moves the cursor; links
_LETTERS = re.compile(r"[a-z0-9]+(?: error)?")


class _Found(dict[str, int]):
    """Codes by what was found, brackets, quotes and case included. Bounded, as what can be found is."""

    def __missing__(self, found: str) -> int:
        word = _LETTERS.search(found.lower())
        code = _CODES.get(word[0], 0) if word else 0
        self[found] = code
        return code


_FOUND_CODES = _Found({"": 0})


_COLOUR_START = "\x1b"
_KNOWN = (
    (4, failures.ERRORS), (3, failures.WARNINGS), (2, failures.INFOS), (1, failures.DEBUGS),
)  # fmt: skip


def _in_lines(pattern: str) -> Any:
    """Searches joined lines, and sees no line's end as a blank."""
    return re2.compile(_within(pattern), _options())


def _within(pattern: str) -> str:
    return f"(?m:{pattern})".replace(r"\s", r"[ \t\r\f\v]")


def _options() -> Any:
    options = re2.Options()
    options.max_mem = 64 << 20  # past it RE2 falls back to a search a hundred times slower
    options.log_errors = False
    return options


_FORMS = [(code, "^(?:{})".format("|".join(forms))) for code, forms in _KNOWN]
_BY_FORMAT = [(code, _in_lines(form)) for code, form in _FORMS]
_NEGATED = _in_lines(failures.NEGATED)
_RECORD = _in_lines(f"^(?:{records.TELLING})")
# `level=info msg="an ERROR in the text"`: a line of names and values goes by its own level, wherever it stands.
_LOGFMT = re.compile(r"[\w.@-]+=(?:.*?\s)?(?:level|lvl|severity)=[\"']?(\w+)")
_PAIRS = _in_lines(_PAIRS_FORM := r"^[\w.@-]+=.*\s(?:level|lvl|severity)=")
# Where nothing of all this is found, and it mostly is not, one search over the joined lines says so.
_SPECIAL = _in_lines("|".join([form for _, form in _FORMS] + [_PAIRS_FORM]))
MOST_JSON = 64 << 10  # bytes of a JSON line that is read for its level


def without_level(text: bytes, memory: Memory) -> bool:
    """True where no line of this text has a level; many logs have none, and one search over all of it shows that."""
    if any(record.open for record in memory.records.values()) or text.startswith(b"{") or b"\n{" in text:
        return False
    return not (_ANYTHING.search(text) or _SPECIAL.search(text) or _RECORD.search(text))


def levels(messages: Sequence[str], streams: Sequence[str] | None = None, memory: Memory | None = None) -> bytes:
    """A byte a message: its place in LEVELS. `streams`: a name a message, where lines of several streams are mixed.
    `memory`: of the lines before these; it is brought up to date."""
    memory = memory or Memory()
    names = streams or [""] * len(messages)
    return b"".join(
        [_piece(messages[start : start + PIECE], names[start : start + PIECE], memory)
         for start in range(0, len(messages), PIECE)]
    )  # fmt: skip


def _piece(messages: Sequence[str], streams: Sequence[str], memory: Memory) -> bytes:
    heads = [message[:HEAD] if "\r" not in message else _last(message)[:HEAD] for message in messages]
    text = "\n".join(heads)
    if text.count("\n") >= len(messages):
        heads = [head.replace("\n", "\v") for head in heads]
        text = "\n".join(heads)
    if _COLOUR_START in text:
        text = _COLOUR.sub("", text)
    data = text.encode("utf-8", "replace")
    codes = bytearray(len(messages))
    if _ANYTHING.search(data):
        codes[:] = map(_FOUND_CODES.__getitem__, _LINE.findall(text + "\n"))
    where = _Lines(data)
    _negate(codes, data, where)
    if _SPECIAL.search(data):
        _by_format(codes, data, where)
        _by_pairs(codes, data, where)
    if b"\n{" in data or data.startswith(b"{"):
        _by_json(codes, messages)
    if any(record.open for record in memory.records.values()) or _RECORD.search(data):
        _follow(codes, text.split("\n"), streams, memory)
    else:
        _remember(codes, text, streams, memory)
    return bytes(codes)


def _last(message: str) -> str:
    """The last state of a line that is drawn again and again."""
    return message.rstrip("\r").rpartition("\r")[2]


class _Lines:
    """Which line of a joined text an offset stands in."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._ends: list[int] = []

    def at(self, offset: int) -> int:
        if not self._ends:
            self._ends = list(accumulate(len(line) + 1 for line in self._data.split(b"\n")))
        return bisect_right(self._ends, offset)

    def text(self, index: int) -> bytes:
        return self._data[self._ends[index - 1] if index else 0 : self._ends[index] - 1]


def _found(pattern: Any, data: bytes, lines: _Lines) -> Iterator[int]:
    """The lines in which it matches, each once."""
    before = -1
    for match in pattern.finditer(data):
        index = lines.at(match.start())
        if index != before:
            before = index
            yield index


def _negate(codes: bytearray, data: bytes, lines: _Lines) -> None:
    for index in _found(_NEGATED, data, lines) if any(codes) else ():
        if codes[index]:
            rest = _NEGATED.sub(b" ", lines.text(index)).decode("utf-8", "replace")
            codes[index] = _FOUND_CODES[_LINE.findall(rest + "\n")[0]]


def _by_format(codes: bytearray, data: bytes, lines: _Lines) -> None:
    for code, pattern in _BY_FORMAT:
        for index in _found(pattern, data, lines):
            if not codes[index] and pattern.search(_NEGATED.sub(b" ", lines.text(index))):
                codes[index] = code


def _by_json(codes: bytearray, messages: Sequence[str]) -> None:
    """An object that names its own level goes by it, whatever else it says."""
    for index, message in enumerate(messages):
        named = _json_level(message) if message.startswith("{") else None
        codes[index] = codes[index] if named is None else named


def _by_pairs(codes: bytearray, data: bytes, lines: _Lines) -> None:
    """A line of names and values goes by its own level too."""
    for index in _found(_PAIRS, data, lines):
        pair = _LOGFMT.match(lines.text(index).decode("utf-8", "replace"))
        if pair:
            codes[index] = _CODES.get(pair[1].lower(), codes[index])


def _json_level(message: str) -> int | None:
    if len(message) > MOST_JSON:
        return None
    try:
        value = orjson.loads(message)
    except orjson.JSONDecodeError:
        return None
    return named_level(value) if isinstance(value, dict) else None


def _follow(codes: bytearray, lines: Sequence[str], streams: Sequence[str], memory: Memory) -> None:
    held = memory.records
    for index, (line, stream) in enumerate(zip(lines, streams, strict=True)):
        codes[index], held[stream] = records.follow(held.get(stream, records.NOTHING), line, codes[index])


def _remember(codes: bytearray, text: str, streams: Sequence[str], memory: Memory) -> None:
    """Only the last line of each stream can matter to what comes next."""
    lines: list[str] | None = None
    for stream in set(streams):
        index = len(streams) - 1 - streams[::-1].index(stream)
        if codes[index]:
            lines = lines or text.split("\n")
            memory.records[stream] = records.follow(records.NOTHING, lines[index], codes[index])[1]
