"""What a caller looks for, compiled: RE2 (linear in the text), bounded in the work that one call can be.

RE2 is linear in the text and in the size of the program that the expression becomes: `(.?){900}` is short to type and
takes ten thousand steps for each byte. So the program is bounded, and a long text is searched in windows.
Compiling holds Python's lock for up to 35 ms: never do it on the event loop.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any

import re2

from ..errors import UsageError

MAX_CHARACTERS = 1000
# Instructions; a Unicode class such as \pL takes some 500, a character of a text up to 7.
MAX_PROGRAM = 2000
# Bytes of RE2's automata for one program. Compiling that much takes too long, so a first try has less.
MEMORY = 8 << 20
_TRY_MEMORY = 1 << 20
# All programs that are kept for the next caller, together.
CACHE_BYTES = 64 << 20
# Instructions times bytes in one call of RE2, which nothing can interrupt: about a fifth of a second at worst.
WORK = 100_000_000

Check = Callable[[], None]


def _nothing() -> None:
    pass


class Expression:
    """A compiled text or expression. Any thread may use it. UsageError where it is not valid, or too much work.
    `either_case` None: a text without an upper-case letter in it is found in either case, an expression is not."""

    def __init__(self, text: str, regex: bool, either_case: bool | None = None) -> None:
        if len(text) > MAX_CHARACTERS:
            raise UsageError(f"q is {len(text)} characters long: it takes {MAX_CHARACTERS} at most")
        if either_case is None:
            either_case = not regex and text == text.lower()
        encoded = text.encode("utf-8", "replace")
        pattern = encoded if regex else re2.escape(encoded)
        try:
            if regex:
                check_size(text, re2.compile(pattern, _options(_TRY_MEMORY, either_case)).programsize)
            self._program: Any = re2.compile(pattern, _options(MEMORY, either_case))
        except re2.error as error:
            raise _refusal(text, error) from None
        self.size: int = self._program.programsize

    def found(self, text: bytes, check: Check = _nothing) -> bool:
        """Whether it matches somewhere in UTF-8. In a text so long that one call would take too long, a match that is
        longer than half a window may be missed. `check` is called before each window, and may raise."""
        window = max(2, WORK // self.size)
        for start in range(0, max(1, len(text)), window // 2):
            check()
            if self._program.search(text, start, start + window) is not None:
                return True
            if start + window >= len(text):
                break
        return False

    def spans(self, text: str, most: int) -> Iterator[tuple[int, int]]:
        """The first `most` matches that hold a character, as start and end in UTF-16 code units, which are what
        JavaScript counts in. Fewer where finding them is too much work."""
        encoded = text.encode()
        count = _utf16_counter(encoded)
        end = max(2, WORK // self.size)
        work = given = 0
        for match in self._program.finditer(encoded, 0, end):
            start, stop = match.span()
            if stop > start:
                yield count(start), count(stop)
                given += 1
            # An expression may look to the end of the text for every match it gives, the empty ones included.
            work += (min(end, len(encoded)) - stop + 1) * self.size
            if given >= most or work > WORK:
                return


def check_size(text: str, size: int) -> None:
    if size > MAX_PROGRAM:
        raise UsageError(
            f"q={text!r} is too much work: it becomes {size} steps, and {MAX_PROGRAM} are taken at most. Repeat fewer"
            " times, or look for less"
        )


def utf16_length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


def _utf16_counter(encoded: bytes) -> Callable[[int], int]:
    """From byte offsets, asked for in ascending order, to UTF-16 code units."""
    if encoded.isascii():
        return lambda offset: offset
    at = units = 0

    def count(offset: int) -> int:
        nonlocal at, units
        units += len(encoded[at:offset].decode("utf-8", "ignore").encode("utf-16-le")) // 2
        at = offset
        return units

    return count


def _options(memory: int, either_case: bool) -> re2.Options:
    options = re2.Options()
    options.max_mem = memory
    options.log_errors = False
    options.case_sensitive = not either_case
    return options


def _refusal(text: str, error: re2.error) -> UsageError:
    reason = error.args[0].decode("utf-8", "replace") if isinstance(error.args[0], bytes) else str(error)
    if "too large" in reason or "repetition size" in reason:
        return UsageError(f"q={text!r} is too much work: {reason}. Repeat fewer times, or look for less")
    return UsageError(f"q={text!r} is not a valid expression: {reason}")


class Cache:
    """Expressions by their text, the newest as many as `CACHE_BYTES` hold at worst."""

    def __init__(self, most_bytes: int = CACHE_BYTES) -> None:
        self._most = most_bytes // MEMORY
        self._kept: OrderedDict[tuple[str, bool, bool | None], Expression] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, text: str, regex: bool, either_case: bool | None = None) -> Expression:
        """UsageError as for `Expression`."""
        key = (text, regex, either_case)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        made = Expression(text, regex, either_case)
        re2.purge()  # re2's own cache counts programs and not their bytes
        with self._lock:
            self._kept[key] = made
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return made

    def __len__(self) -> int:
        return len(self._kept)


cache = Cache()
