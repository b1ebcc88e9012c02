"""Carries scripts out over httpx, with and without asyncio: the one place of the client that knows it.

A site has connections of its own, so that a token or a shared link's cookie goes to the service that it is for and
to no other. Redirects are not followed.
"""

from __future__ import annotations

import re
import ssl
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from threading import Lock
from typing import Any, TypeVar

import httpx

from .address import is_loopback
from .errors import ClientError, ServiceDown, Unreachable, Untrusted, UsageError
from .script import Close, Course, Effect, Give, GiveAll, Gives, Open, Read, Reply, Script, Site, Sleep
from .trust import distrust, trusted

CONNECT_SECONDS = 5.0
_TOKEN = re.compile(r"[\x21-\x7e]+")
T = TypeVar("T")


class Transport:
    """Thread-safe: each call has a script and open answers of its own."""

    def __init__(self) -> None:
        self._clients: dict[Site, httpx.Client] = {}
        self._lock = Lock()

    def run(self, script: Script[T]) -> T:
        """What the script comes to."""
        steps = self._steps(script)
        while True:
            try:
                next(steps)
            except StopIteration as stop:
                result: T = stop.value
                return result

    def each(self, script: Gives[T]) -> Iterator[T]:
        """What the script gives, one by one."""
        return self._steps(script)

    def close(self) -> None:
        with self._lock:
            clients, self._clients = self._clients, {}
        for client in clients.values():
            client.close()

    def _steps(self, script: Generator[Any, Any, Any]) -> Generator[Any, None, Any]:
        course, opened = Course(script), list[httpx.Response]()
        try:
            while (effect := course.step()) is not None:
                if isinstance(effect, GiveAll):
                    yield from effect.values
                    continue
                if isinstance(effect, Give):
                    yield effect.value
                    continue
                try:
                    course.answer(self._do(effect, opened))
                except ClientError as error:
                    course.fail(error)
            return course.result
        finally:
            course.close()
            for response in opened:
                response.close()

    def _do(self, effect: Effect, opened: list[httpx.Response]) -> Any:
        match effect:
            case Sleep(seconds):
                time.sleep(seconds)
                return None
            case Read(reply):
                with translated(reply.source[0].request):
                    return next(reply.source[1], None)
            case Close(reply):
                reply.source[0].close()
                return None
        with translated(effect):
            client = self._client(effect.site)
            response = client.send(request(client, effect), stream=True)
        opened[:] = [other for other in opened if not other.is_closed]
        opened.append(response)
        return Reply(response.status_code, response.headers, (response, response.iter_raw()))

    def _client(self, site: Site) -> httpx.Client:
        with self._lock:
            if site not in self._clients:
                self._clients[site] = httpx.Client(**connections(site))
            return self._clients[site]


def connections(site: Site) -> dict[str, Any]:
    """How a site's connections are made. No proxy is asked for this machine."""
    # Uncompressed: of an answer that breaks off every whole line that came counts, and the next goes on from it.
    headers = {"User-Agent": "jobtail-python", "Accept-Encoding": "identity", "Cache-Control": "no-cache"}
    if site.token:
        if not _TOKEN.fullmatch(site.token):
            raise UsageError("the token holds characters that no header may hold")
        headers["Authorization"] = f"Bearer {site.token}"
    # Without TLS a context that trusts nobody: httpx would else make one for each client, at milliseconds apiece.
    verify = trusted() if site.url.startswith("https:") else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return {"headers": headers, "follow_redirects": False, "trust_env": not is_loopback(site.url), "verify": verify}


def request(client: httpx.Client | httpx.AsyncClient, wanted: Open) -> httpx.Request:
    return client.build_request(
        wanted.method, wanted.site.url + wanted.path, params=_query(wanted.params), json=wanted.body,
        headers=dict(wanted.headers), timeout=httpx.Timeout(wanted.silence, connect=CONNECT_SECONDS),
    )  # fmt: skip


@contextmanager
def translated(asked: Open | httpx.Request) -> Iterator[None]:
    """What httpx raises becomes an error of ours."""
    try:
        yield
    except httpx.HTTPError as error:
        raise _down(error, _base(asked)) from None
    except (httpx.InvalidURL, UnicodeEncodeError) as error:
        path = asked.path if isinstance(asked, Open) else ""
        raise UsageError(f"{_base(asked) + path!r} is not an address that can be asked: {error}") from None


def _base(asked: Open | httpx.Request) -> str:
    return asked.site.url if isinstance(asked, Open) else f"{asked.url.scheme}://{asked.url.netloc.decode()}"


def _down(error: httpx.HTTPError, url: str) -> ClientError:
    if (reason := distrust(error)) is not None:
        return Untrusted(
            f"the certificate of {url} is not trusted: {reason}. If it is of an authority of your own, "
            "name the file that holds it in SSL_CERT_FILE"
        )
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        return Unreachable(f"no service answers at {url}: is `jobtail serve` running there?")
    if isinstance(error, httpx.TimeoutException):
        return ServiceDown(f"{url} did not answer in time")
    down = ServiceDown(f"the connection to {url} broke: {error or type(error).__name__}")
    down.broke = isinstance(error, httpx.RemoteProtocolError | httpx.ReadError)
    return down


def _query(params: Mapping[str, Any]) -> dict[str, str]:
    """None is left out; True and False as JSON has them."""
    return {name: _text(value) for name, value in params.items() if value is not None}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)
