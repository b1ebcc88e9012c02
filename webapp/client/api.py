"""The API of one jobtail service as methods that give plain JSON. What `connect()` returns adds the objects.

    client = Client()                                  # JOBTAIL_URL and JOBTAIL_TOKEN, or http://127.0.0.1:8484
    client.status("wkf-1")                             # dict: RunResponse
    for event in client.stream("wkf-1", {"level": "error"}):
        ...                                            # Event(kind, data, cursor): resumed by itself until done
    for line in client.lines("wkf-1", tail=100):
        ...                                            # Line: a dict with .message, .timestamp, .level, .id
    client.get("/api/jobs", {"n": 20})                 # any route, as JSON

A job is an id, a link to it, or an object. A link to another service is asked there, and never with this one's token.
Everything raises a `ClientError` of `webapp.client.errors`; `Unreachable` where no service answers at all. What is
asked and what the answers mean is in `calls.py`; `aio.py` has the same for asyncio.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from .address import Job
from .bound import Bound, newest
from .calls import Calls
from .script import Gives, Script, Site

if TYPE_CHECKING:
    from .transport import Transport

P = ParamSpec("P")
T = TypeVar("T")


def answer(call: Callable[Concatenate[Calls, P], Script[T]]) -> Callable[Concatenate[Client, P], T]:
    """A method that carries a call out and gives its answer."""

    @wraps(call)
    def method(self: Client, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self.transport.run(call(self._found(), *args, **kwargs))

    return method


def iterator(call: Callable[Concatenate[Calls, P], Gives[T]]) -> Callable[Concatenate[Client, P], Iterator[T]]:
    """A method that gives what a call gives, as it comes."""

    @wraps(call)
    def method(self: Client, /, *args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
        return self.transport.each(call(self._found(), *args, **kwargs))

    return method


class Client(Bound):
    """Thread-safe. `url`: the service's address, or JOBTAIL_URL, or port 8484 of this machine. `token`: the access
    token, or JOBTAIL_TOKEN; "" for none. It is sent to the origin of `url` and nowhere else."""

    _transport: Transport | None = None

    @property
    def transport(self) -> Transport:
        if self._transport is None:
            from .transport import Transport  # httpx takes as long to load as all the rest: not before it is needed

            self._transport = Transport()
        return self._transport

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def at(self, site: Site) -> Client:
        """The client for another site, over the same transport."""
        if site == self.calls.site:
            return self
        other = type(self).__new__(type(self))
        other._settle(Calls(site))
        other._transport = self.transport
        return other

    def find(self, job: Job) -> tuple[Client, str]:
        """The client and the id that an id or a link means: this one, or one without a token for another service or
        for a shared link, whose holder needs none."""
        site, name = self.transport.run(self._found().find(job))
        return self.at(site), name

    get = answer(Calls.get)
    post = answer(Calls.post)
    delete = answer(Calls.delete)
    link = answer(Calls.link)
    status = answer(Calls.status)
    cancel = answer(Calls.cancel)
    exec_time = answer(Calls.exec_time)
    config = answer(Calls.config)
    steps_config = answer(Calls.steps_config)
    search = answer(Calls.search)
    share = answer(Calls.share)
    shares = answer(Calls.shares)
    revoke = answer(Calls.revoke)
    forget = answer(Calls.forget)
    job_list = answer(Calls.job_list)
    wait = answer(Calls.wait)
    stream = iterator(Calls.stream)
    lines = iterator(Calls.lines)
    log = iterator(Calls.log)


_of_environment: Client | None = None


def default_client() -> Client:
    """What objects use that were made by hand: the newest `connect()`, or one for the environment's service."""
    global _of_environment
    connected: Any = newest(Client)
    if isinstance(connected, Client):
        return connected
    client = Client()
    if _of_environment is None or not _of_environment.same(client):
        _of_environment = client
    return _of_environment
