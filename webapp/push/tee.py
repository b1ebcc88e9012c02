"""A standard stream of a program, of which a job gets a copy."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from typing import Any, BinaryIO, TextIO

Put = Callable[[bytes], None]


class Tee(io.TextIOBase):
    """Writes where it was written before, and to the job. In all else it is the stream that it stands for."""

    def __init__(self, under: TextIO, put: Put) -> None:
        self._under = under
        self._put = put

    def write(self, text: str) -> int:
        try:
            return self._under.write(text)
        finally:
            if isinstance(text, str):
                self._put(text.encode("utf-8", "replace"))

    def writelines(self, texts: Iterable[str]) -> None:  # type: ignore[override]
        for text in texts:
            self.write(text)

    def flush(self) -> None:
        self._under.flush()

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self._under.isatty()

    def fileno(self) -> int:
        return self._under.fileno()

    @property
    def buffer(self) -> BinaryTee:
        return BinaryTee(self._under.buffer, self._put)

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._under.encoding

    @property
    def errors(self) -> str | None:  # type: ignore[override]
        return self._under.errors

    def __getattr__(self, name: str) -> Any:
        return getattr(self._under, name)


class BinaryTee:
    def __init__(self, under: BinaryIO, put: Put) -> None:
        self._under = under
        self._put = put

    def write(self, data: Any) -> int:
        written = self._under.write(data)
        self._put(bytes(data))
        return written

    def __getattr__(self, name: str) -> Any:
        return getattr(self._under, name)
