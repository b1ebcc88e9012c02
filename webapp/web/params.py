"""Query parameters, read strictly: a wrong one is a 400 that names it, what it held and what it takes."""

from __future__ import annotations

import math
import re

from starlette.requests import Request

from ..errors import UsageError
from ..journal.cursor import Cursor, parse_cursor

MAX_VALUE = 2000
MAX_BYTES = 1 << 40
# Python's own readers take more: `1_0`, ` 5`, digits of other scripts.
_WHOLE = re.compile(r"-?[0-9]{1,20}")
_NUMBER = re.compile(r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_TRUE = {"true", "1", "yes", "on"}
_FALSE = {"false", "0", "no", "off"}


class Params:
    """Of a parameter that is there twice the last counts. An empty value is as none."""

    def __init__(self, request: Request) -> None:
        self._values = {name: value for name, value in request.query_params.items() if value != ""}
        for name, value in self._values.items():
            if len(value) > MAX_VALUE:
                raise UsageError(f"{name[:40]} is {len(value)} characters long: it takes {MAX_VALUE} at most")

    def text(self, name: str, default: str = "") -> str:
        return self._values.get(name, default)

    def choice(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        value = self._values.get(name, default)
        if value not in choices:
            raise self._wrong(name, value, " or ".join(choices))
        return value

    def flag(self, name: str, default: bool) -> bool:
        value = self._values.get(name)
        if value is None:
            return default
        if value.lower() in _TRUE:
            return True
        if value.lower() in _FALSE:
            return False
        raise self._wrong(name, value, "true or false")

    def integer(self, name: str, low: int, high: int) -> int | None:
        value = self._values.get(name)
        if value is None:
            return None
        try:
            if not _WHOLE.fullmatch(value):
                raise ValueError
            number = int(value)
        except ValueError:
            raise self._wrong(name, value, f"a whole number from {low} to {high}") from None
        if not low <= number <= high:
            raise self._wrong(name, value, f"a whole number from {low} to {high}")
        return number

    def seconds(self, name: str, low: float, high: float) -> float | None:
        value = self._values.get(name)
        if value is None:
            return None
        number = float(value) if _NUMBER.fullmatch(value) else math.nan
        if not low <= number <= high:
            raise self._wrong(name, value, f"a number from {low:g} to {high:g}")
        return number

    def cursor(self, name: str) -> Cursor | None:
        value = self._values.get(name)
        if value is None:
            return None
        cursor = parse_cursor(value)
        if cursor is None:
            raise self._wrong(name, value, "a cursor, which is the id of a line such as mb3k7-120")
        return cursor

    def has(self, *names: str) -> bool:
        return any(name in self._values for name in names)

    def _wrong(self, name: str, value: str, takes: str) -> UsageError:
        return UsageError(f"{name}={value[:100]!r} is not right: it takes {takes}")
