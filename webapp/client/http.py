"""HTTP to one service: the one place of the client that knows httpx. The token goes to this origin and no
other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from .address import is_loopback
from .errors import BadAnswer, ClientError, ServiceDown, Unreachable, UsageError, error_of

CONNECT_SECONDS = 5.0
MAX_BYTES = 64 << 20
MAX_ERROR_BYTES = 64 << 10
_TOKEN = re.compile(r"[\x21-\x7e]+")

Params = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


class Http:
    """Thread-safe. Redirects are not followed: what asks for one gets a BadAnswer that says so."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        headers = {"User-Agent": "jobtail-python", "Accept": "application/json", "Cache-Control": "no-cache"}
        if token:
            if not _TOKEN.fullmatch(token):
                raise UsageError("the token holds characters that no header may hold")
            headers["Authorization"] = f"Bearer {token}"
        self._client = httpx.Client(headers=headers, follow_redirects=False, trust_env=not is_loopback(url))

    def close(self) -> None:
        self._client.close()

    def ask(self, method: str, path: str, params: Params, body: Any, seconds: float) -> Answer:
        """One answer, held whole within MAX_BYTES; a ClientError where it is no success."""
        for attempt in range(3):
            try:
                return self._ask(method, path, params, body, seconds)
            except (httpx.RemoteProtocolError, httpx.ReadError) as error:
                # A kept connection that the service closed meanwhile: what changes nothing is asked again.
                if method != "GET" or attempt == 2:
                    raise self._down(error) from None
            except httpx.HTTPError as error:
                down = self._down(error)
                raise (ServiceDown(str(down)) if attempt else down) from None
            except (httpx.InvalidURL, UnicodeEncodeError) as error:
                raise UsageError(f"{self.url + path!r} is no address that can be asked: {error}") from None
        raise AssertionError("unreachable")

    def _ask(self, method: str, path: str, params: Params, body: Any, seconds: float) -> Answer:
        with self._client.stream(
            method, self.url + path, params=_query(params), json=body, timeout=_timeout(seconds)
        ) as response:
            if not response.is_success:
                raise self._error(response, _head(response, MAX_ERROR_BYTES))
            found = _head(response, MAX_BYTES + 1)
        if len(found) > MAX_BYTES:
            raise BadAnswer(f"{self.url} answered more than {MAX_BYTES >> 20} MiB: is it a jobtail service?")
        return Answer(response.status_code, response.headers, found)

    @contextmanager
    def stream(self, path: str, params: Params, headers: Mapping[str, str], silence: float) -> Iterator[Stream]:
        """An answer read as it comes. `silence`: seconds without a byte after which the connection counts as
        dead."""
        try:
            with self._client.stream(
                "GET",
                self.url + path,
                params=_query(params),
                headers={"Accept-Encoding": "identity", **headers},
                timeout=_timeout(silence),
            ) as response:
                if not response.is_success:
                    raise self._error(response, _head(response, MAX_ERROR_BYTES))
                yield Stream(response.status_code, response.headers, response.iter_bytes())
        except httpx.HTTPError as error:
            raise self._down(error) from None

    def _error(self, response: httpx.Response, body: bytes) -> ClientError:
        return error_of(response.status_code, body, self.url, response.headers.get("retry-after"))

    def _down(self, error: httpx.HTTPError) -> ServiceDown:
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
            return Unreachable(f"no service answers at {self.url}: is `jobtail serve` running there?")
        if isinstance(error, httpx.TimeoutException):
            return ServiceDown(f"{self.url} did not answer in time")
        return ServiceDown(f"the connection to {self.url} broke: {error or type(error).__name__}")


@dataclass(frozen=True, slots=True)
class Stream:
    status: int
    headers: Mapping[str, str]
    chunks: Iterator[bytes]

    def require(self, kind: str, url: str) -> None:
        if not self.headers.get("content-type", "").startswith(kind):
            raise BadAnswer(f"{url} answered something other than {kind}: is it a jobtail service?")


def _head(response: httpx.Response, most: int) -> bytes:
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk[: most - len(body)]
        if len(body) >= most:
            break
    return bytes(body)


def _timeout(seconds: float) -> httpx.Timeout:
    return httpx.Timeout(seconds, connect=CONNECT_SECONDS)


def _query(params: Params) -> dict[str, str]:
    """None is left out; True and False as JSON has them."""
    return {name: _text(value) for name, value in params.items() if value is not None}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)
