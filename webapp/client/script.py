"""How the client's logic is written once and carried out twice, with and without asyncio.

A script is a generator without I/O. It yields what it wants done (open an answer, read on, sleep, give something to
the caller), is sent what came of it, and has a ClientError thrown into it where that failed. `transport.py` carries
scripts out.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeAlias, TypeVar

from .errors import ClientError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Site:
    """A service and what one shows to it: the access token, or the token of the shared link whose cookie it gave."""

    url: str
    token: str = field(default="", repr=False)
    share: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Open:
    """Sends a request; gives a Reply as soon as the head of the answer is there. `silence`: seconds without a byte
    after which the connection counts as dead."""

    site: Site
    method: str
    path: str
    params: Mapping[str, Any]
    silence: float
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None


@dataclass(frozen=True, slots=True, eq=False)
class Reply:
    """The head of an answer. `source` is the transport's own."""

    status: int
    headers: Mapping[str, str]
    source: Any = None


@dataclass(frozen=True, slots=True)
class Read:
    """Gives the next bytes of an answer as they came over the wire, or None at its end."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class Close:
    """Stops reading an answer. One that ended or failed is closed already; the end of the script closes all."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class Sleep:
    seconds: float


@dataclass(frozen=True, slots=True)
class Give(Generic[T]):
    """Hands something to the caller that iterates over the script."""

    value: T


@dataclass(frozen=True, slots=True)
class GiveAll(Generic[T]):
    """Hands over several, one by one."""

    values: Sequence[T]


Effect: TypeAlias = Open | Read | Close | Sleep
Script: TypeAlias = Generator[Effect, Any, T]
Gives: TypeAlias = Generator[Effect | Give[T] | GiveAll[T], Any, None]


class Course(Generic[T]):
    """A script under way: `step()` gives what it wants done next, or None when it is over, with `result`."""

    def __init__(self, script: Generator[Any, Any, T]) -> None:
        self._script = script
        self._answer: Any = None
        self._error: ClientError | None = None
        self.result: T

    def step(self) -> Any:
        answer, error = self._answer, self._error
        self._answer = self._error = None
        try:
            return self._script.send(answer) if error is None else self._script.throw(error)
        except StopIteration as stop:
            self.result = stop.value
            return None

    def answer(self, value: Any) -> None:
        self._answer = value

    def fail(self, error: ClientError) -> None:
        self._error = error

    def close(self) -> None:
        self._script.close()


class Pull(Generic[T]):
    """What a script gives, for another script: `value = yield from pull.next()`, None when there is no more."""

    def __init__(self, script: Gives[T]) -> None:
        self._course = Course(script)
        self._given: Iterator[T] = iter(())

    def next(self) -> Script[T | None]:
        for value in self._given:
            return value
        while (effect := self._course.step()) is not None:
            if isinstance(effect, GiveAll):
                self._given = iter(effect.values)
                for value in self._given:
                    return value
                continue
            if isinstance(effect, Give):
                only: T = effect.value
                return only
            try:
                self._course.answer((yield effect))
            except ClientError as error:
                self._course.fail(error)
        return None
