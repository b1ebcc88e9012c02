"""The Fused wire through httpx: five calls, and their errors as ours."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar
from urllib.request import getproxies, proxy_bypass

import httpx

from ..counts import counts
from ..decoding import Decoder
from ..errors import JobtailError, UpstreamDown, UpstreamError
from ..models import JOB_ID, JobConfig, JobRecord, RunStatus, WireModel
from ..settings import Settings
from ..strictjson import loads
from .base import Answer
from .elsewhere import target
from .refusal import date_ms, refusal

log = logging.getLogger("jobtail.source")
Model = TypeVar("Model", bound=WireModel)
MOST_BODY = 8 << 20  # of any answer but a log
MOST_ERROR = 64 << 10
PIECE_BYTES = 1 << 16
PAGE = 25  # jobs a request, as the published client asks
_LIST = "list of jobs"
# A log that comes in slower than this, once a minute has gone by, hangs.
SLOWEST = 256


class Blanker(Protocol):
    """Takes credentials out of a text."""

    def text(self, text: str) -> str: ...


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: to connect, for an answer (or the next bytes of it), for a cancellation, which waits for the job's end,
    and for a free connection."""

    connect: float = 5.0
    read: float = 30.0
    cancel: float = 130.0
    pool: float = 60.0

    def of(self, read: float) -> httpx.Timeout:
        return httpx.Timeout(read, connect=self.connect, pool=self.pool)


def proxy_of(url: httpx.URL) -> str | None:
    """The proxy that the environment names for that address (`HTTPS_PROXY`, `NO_PROXY` and the like)."""
    if proxy_bypass(url.host):
        return None
    proxies = getproxies()
    return proxies.get(url.scheme) or proxies.get("all")


class FusedSource:
    """Implements `base.Source`. The credential goes to `settings.upstream_url` and nowhere else."""

    def __init__(self, settings: Settings, blanker: Blanker, timeouts: Timeouts | None = None) -> None:
        self._blanker = blanker
        self._timeouts = timeouts or Timeouts()
        self._token = settings.upstream_token.get_secret_value()
        self._base = httpx.URL(settings.upstream_url + "/")
        headers = {"accept": "application/json", "accept-encoding": "gzip, deflate", "user-agent": "jobtail"}
        if self._token:
            headers["authorization"] = f"{settings.upstream_auth_scheme} {self._token}"
        self._headers = httpx.Headers({"host": self._base.netloc.decode("ascii"), **headers})
        # A client without its cookies and redirects, which we have no use for: two requests a beat and job are most of
        # what a beat costs.
        self._upstream = httpx.AsyncHTTPTransport(
            limits=httpx.Limits(max_connections=100, max_keepalive_connections=20), proxy=proxy_of(self._base)
        )
        # A cancellation waits for the job's end: many of them take no connection from logs and statuses.
        self._cancels = httpx.AsyncHTTPTransport(
            limits=httpx.Limits(max_connections=16, max_keepalive_connections=0), proxy=proxy_of(self._base)
        )
        # For signed addresses elsewhere: it has no credential, no cookie, and no proxy between it and its target.
        self._bare = httpx.AsyncClient(timeout=self._timeouts.of(self._timeouts.read), trust_env=False)

    async def aclose(self) -> None:
        await self._upstream.aclose()
        await self._cancels.aclose()
        await self._bare.aclose()

    async def status(self, job: str) -> RunStatus:
        return self._status(job, await self._call("GET", f"run/by-id/{job}", what="status", job=job), "status")

    async def cancel(self, job: str, who: str = "") -> RunStatus:
        seconds = self._timeouts.cancel
        body = await self._call("POST", f"run/by-id/{job}/cancel", what="cancel", job=job, seconds=seconds)
        return self._status(job, body, "cancel")

    def _status(self, job: str, body: bytes, what: str) -> RunStatus:
        """Its id is the one that was asked, since it becomes part of addresses: another one, of no job that was asked
        for, is left out and named in `altered`."""
        status = _model(RunStatus, body, what, job_id=job)
        if not RunStatus.model_fields.keys() & (status.model_fields_set - {"job_id"}):
            raise UpstreamError(f"{what}: the upstream's answer says nothing of the job")
        if status.job_id != job:
            status.job_id = job
            status.name_altered(["job_id"])
        return status

    async def jobs(self, n: int, skip: int) -> list[JobRecord]:
        """A row that cannot be read, or has no valid id, is left out and the others are kept. The list may grow between
        two requests, so that the second begins with rows of the first: those are not given twice."""
        found: dict[str, JobRecord] = {}
        grown = False
        for _ in range(2 * (n // PAGE + 2)):
            limit = PAGE if grown else min(PAGE, n - len(found))
            rows = _json(await self._call("GET", f"job/self?skip={skip}&limit={limit}", what=_LIST), _LIST)
            if not isinstance(rows, list):
                raise UpstreamError(f"{_LIST}: the upstream's answer is not a JSON list")
            for record in _records(rows[:limit]):
                grown = grown or record.id in found
                found.setdefault(record.id, record)
            skip += limit
            if len(rows) < limit or len(found) >= n:
                break
        return list(found.values())[:n]

    async def config(self, job: str) -> JobConfig:
        """Follows the one redirect to the signed address, without our credential."""
        async with self._stream("GET", f"job/by-id/{job}/config", "config", job, redirect=True) as response:
            location = response.headers.get("location")
            if not response.is_redirect or location is None:
                return _model(JobConfig, await _body(response, MOST_BODY), "config")
        to = await target(location, self._base)
        request = self._bare.build_request(
            "GET", to.url, headers={"host": to.host, "accept": "application/json"}, extensions={"sni_hostname": to.name}
        )
        request.headers.pop("cookie", None)
        async with self._sent(self._elsewhere(request), "config") as response:
            if response.status_code != 200:
                # Not what it says: a storage's error names keys and signatures.
                raise UpstreamError(f"config: the storage that the upstream named answered {response.status_code}")
            return _model(JobConfig, await _body(response, MOST_BODY), "config")

    @asynccontextmanager
    async def logs(self, job: str, since_ms: int | None) -> AsyncIterator[Answer]:
        query = "" if since_ms is None else f"?since_ms={since_ms}"
        async with self._stream("GET", f"logs/{job}{query}", "logs", job) as response:
            yield Answer(date_ms(response.headers.get("date")), self._chunks(response))

    async def _chunks(self, response: httpx.Response) -> AsyncIterator[bytes]:
        began, size = time.monotonic(), 0
        try:
            async for chunk in _decoded(response, "logs"):
                yield chunk
                size += len(chunk)
                if (waited := time.monotonic() - began) > 60 and size < SLOWEST * waited:
                    raise UpstreamDown(f"logs: the upstream sent {size} bytes in {waited:.0f} s")
        except httpx.HTTPError as error:
            raise self._unreached(error, "logs") from None

    # --- one request ---------------------------------------------------------------------------------------------

    async def _call(
        self, method: str, path: str, *, what: str, job: str | None = None, seconds: float | None = None
    ) -> bytes:
        """The whole of a short answer. One that comes in byte by byte is given up, however steadily it comes."""
        most = self._timeouts.read + (self._timeouts.read if seconds is None else seconds)
        try:
            async with asyncio.timeout(most), self._stream(method, path, what, job, seconds=seconds) as response:
                return await _body(response, MOST_BODY)
        except TimeoutError:
            raise UpstreamDown(f"{what}: the upstream's answer was not whole after {most:g} s") from None

    @asynccontextmanager
    async def _stream(
        self,
        method: str,
        path: str,
        what: str,
        job: str | None,
        *,
        redirect: bool = False,
        seconds: float | None = None,
    ) -> AsyncIterator[httpx.Response]:
        """The answer to one request of ours, when it is a good one (or, with `redirect`, leads on)."""
        timeout = self._timeouts.of(self._timeouts.read if seconds is None else seconds)
        request = httpx.Request(
            method, f"{self._base}{path}", headers=self._headers, extensions={"timeout": timeout.as_dict()}
        )
        transport = self._cancels if what == "cancel" else self._upstream
        async with self._sent(transport.handle_async_request(request), what) as response:
            if response.status_code != 200 and not (redirect and response.is_redirect):
                body = await _body(response, MOST_ERROR, cut=True)
                raise refusal(response.status_code, response.headers, body, what=what, job=job, blank=self._blank)
            yield response

    async def _elsewhere(self, request: httpx.Request) -> httpx.Response:
        return await self._bare.send(request, stream=True, follow_redirects=False)

    @asynccontextmanager
    async def _sent(self, sending: Awaitable[httpx.Response], what: str) -> AsyncIterator[httpx.Response]:
        began = time.monotonic()
        try:
            response = await sending
            _count(what, str(response.status_code), began)
            try:
                yield response
            finally:
                await response.aclose()
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            _count(what, type(error).__name__, began)
            raise self._unreached(error, what) from None

    def _unreached(self, error: Exception, what: str) -> JobtailError:
        if isinstance(error, httpx.TimeoutException):
            return UpstreamDown(f"{what}: the upstream did not answer in time ({type(error).__name__})")
        said = self._blank(str(error) or type(error).__name__)[:200]
        if isinstance(error, httpx.DecodingError):
            return UpstreamError(f"{what}: the upstream's answer can't be decoded ({said})")
        return UpstreamDown(f"{what}: the upstream can't be reached ({said})")

    def _blank(self, text: str) -> str:
        text = text.replace(self._token, "***") if self._token else text
        return self._blanker.text(text)


def _count(what: str, outcome: str, began: float) -> None:
    """A request, by what came of it: the answer's status, or how there was none."""
    counts.add("upstream_requests_total", call=what, outcome=outcome)
    counts.add("upstream_seconds_total", time.monotonic() - began, call=what)


def _model(model: type[Model], body: bytes, what: str, **known: Any) -> Model:
    try:
        return model.read(_json(body, what), **known)
    except ValueError as error:
        raise UpstreamError(f"{what}: the upstream's answer is not as the wire has it: {error}") from None


def _records(rows: list[Any]) -> Iterator[JobRecord]:
    left_out = 0
    for row in rows:
        try:
            record = JobRecord.read(row)
        except ValueError:
            left_out += 1
            continue
        if JOB_ID.fullmatch(record.id):
            yield record
        else:
            left_out += 1
    if left_out:
        log.warning("%s: %d of %d rows name no job and are left out", _LIST, left_out, len(rows))


def _json(body: bytes, what: str) -> Any:
    try:
        return loads(body)
    except ValueError:
        begin = repr(body[:60].decode("utf-8", "replace"))
        raise UpstreamError(f"{what}: the upstream's answer is not JSON; it begins with {begin}") from None


async def _decoded(response: httpx.Response, what: str) -> AsyncIterator[bytes]:
    """The body a bounded piece at a time, so that it can be counted after decoding."""
    try:
        decoder = Decoder(response.headers.get("content-encoding", ""))
        async for data in response.aiter_raw(PIECE_BYTES):
            for piece in decoder.feed(data):
                yield piece
        decoder.end()
    except ValueError as error:
        raise UpstreamError(f"{what}: {error}") from None


async def _body(response: httpx.Response, most: int, *, cut: bool = False) -> bytes:
    """The whole body, bounded. `cut`: what is past the bound is left unread instead of an error."""
    body = bytearray()
    async for chunk in _decoded(response, "the upstream"):
        body += chunk
        if len(body) > most:
            if cut:
                break
            raise UpstreamError(f"the upstream's answer is longer than {most >> 20} MiB")
    return bytes(body[:most])
