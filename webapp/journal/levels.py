"""The level of a line, from its text: the first level word in its first 256 characters.

Upper case words count anywhere, whole words only ("0 ERRORS found" is none). Other spellings count where a
level is expected: `level=error`, `"severity": "warn"`, `[info]`, `<err>`, `error:` at the start,
`main.c:3: warning:`, and the numbers of pino and bunyan (`"level":50`). So do the letter of klog
(`E0102 15:04:05`) and the head of a Python traceback. Colours before or around the word do not matter.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import re2

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
    rf"(?=[A-Z]{{3}}){_UPPER}"
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
_COLOUR = re.compile(r"\x1b\[[0-9;:]*[A-Za-z]")
_LETTERS = re.compile(r"[a-z0-9]+(?: error)?")


class _Found(dict[str, int]):
    """Codes by what was found, brackets, quotes and case included. Bounded, as what can be found is."""

    def __missing__(self, found: str) -> int:
        word = _LETTERS.search(found.lower())
        code = _CODES.get(word[0], 0) if word else 0
        self[found] = code
        return code


_FOUND_CODES = _Found({"": 0})


def without_level(text: bytes) -> bool:
    """True where no line of this text has a level; many logs hold none, and this is known without a look at a line."""
    return not _ANYTHING.search(text)


def levels(messages: Sequence[str]) -> bytes:
    """A byte a message: its place in LEVELS."""
    if len(messages) <= PIECE:
        return _piece(messages)
    return b"".join([_piece(messages[start : start + PIECE]) for start in range(0, len(messages), PIECE)])


def _piece(messages: Sequence[str]) -> bytes:
    text = "\n".join([message[:HEAD] for message in messages])
    if text.count("\n") >= len(messages):
        text = "\n".join([message[:HEAD].replace("\n", "\v") for message in messages])
    if "\x1b" in text:
        text = _COLOUR.sub("", text)
    if not _ANYTHING.search(text.encode("utf-8", "replace")):
        return bytes(len(messages))
    return bytes(map(_FOUND_CODES.__getitem__, _LINE.findall(text + "\n")))
