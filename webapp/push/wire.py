"""What a runner asks of a service elsewhere, as `docs/push.md` describes it, and what the answers mean."""

from __future__ import annotations

import gzip
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import orjson

from ..client.errors import ClientError
from ..client.script import Site
from ..client.transport import connections, translated
from ..errors import JobtailError
from ..journal.text import Text

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 15.0
BEAT_SECONDS = 4.0
MOST_ANSWER = 1 << 16
PACK_BYTES = 1024
MOST_WAIT = 300.0
_TOKEN = re.compile(r"[\x21-\x7e]+")


class Trouble(JobtailError):
    """It failed, and may succeed the next time. `seconds`: when the service said to come back. `smaller`: it may have
    been too much at once."""

    def __init__(self, detail: str, seconds: float = 0.0, *, smaller: bool = False) -> None:
        super().__init__(detail)
        self.seconds = seconds
        self.smaller = smaller


class Refused(JobtailError):
    """It fails however often it is tried. `unauthorised`: because of the token or the grant."""

    def __init__(self, detail: str, *, unauthorised: bool = False) -> None:
        super().__init__(detail)
        self.unauthorised = unauthorised


class Unknown(JobtailError):
    """The service does not know the job, or not these batches: it has to be begun again. `expected`: the number of the
    batch that it takes."""

    def __init__(self, detail: str, expected: int | None = None) -> None:
        super().__init__(detail)
        self.expected = expected


@dataclass(frozen=True, slots=True)
class Producer:
    id: str
    epoch: int


class Wire:
    """Thread-safe. `token`: what begins the job; `grant`: given by the service when the job began, it allows writing to
    the job."""

    def __init__(self, url: str, job: str, producer: Producer, token: str, grant: str = "") -> None:
        self.url = url
        self.grant = grant
        self._path = f"/api/jobs/{job}"
        self._token = token
        self._headers = {"Producer-Id": producer.id, "Producer-Epoch": str(producer.epoch)}
        if token and not _TOKEN.fullmatch(token):
            raise Refused("JOBTAIL_TOKEN holds characters that no header may hold")
        try:
            self._client = httpx.Client(**connections(Site(url)))
        except (ClientError, httpx.HTTPError, ValueError, OSError) as error:
            raise Refused(f"{url} can't be asked: {error}") from None

    def close(self) -> None:
        self._client.close()

    def begin(self, job: Mapping[str, Any]) -> dict[str, Any]:
        try:
            answer = self._ask("PUT", "", job, token=self.grant or self._token)
        except Refused as error:
            if not (error.unauthorised and self.grant and self._token):
                raise
            answer = self._ask("PUT", "", job, token=self._token)  # the grant has expired, or its key is gone
        self.grant = str(answer.get("grant") or self.grant)
        return answer

    def lines(
        self, seq: int | None, texts: Sequence[Text] = (), *, partial: Mapping[str, Any] | None = None,
        missing: Mapping[str, Any] | None = None,
    ) -> dict[str, Any] | None:  # fmt: skip
        """The answer; None where it says nothing, as for lines that the service already had."""
        lines = [
            {"timestamp": each.timestamp, "message": each.data.decode("utf-8", "replace") + "\n", **each.extra}
            for each in texts
        ]
        body: dict[str, Any] = {"lines": lines, "partial": partial}
        if missing is not None:
            body = {"missing": missing}
        headers = {} if seq is None else {"Producer-Seq": str(seq)}
        return self._ask("POST", "/lines", body, headers) or None

    def beat(self) -> str | None:
        """Who asked for the job's end."""
        who = self._ask("POST", "/heartbeat", {}, seconds=BEAT_SECONDS).get("cancelled_by")
        return None if who is None else str(who)

    def end(self, how: Mapping[str, Any]) -> None:
        self._ask("POST", "/end", how)

    def _ask(
        self, method: str, path: str, body: Any, headers: Mapping[str, str] | None = None, *, token: str = "",
        seconds: float = ANSWER_SECONDS,
    ) -> dict[str, Any]:  # fmt: skip
        content = orjson.dumps(body)
        named = {**self._headers, **(headers or {}), "Content-Type": "application/json"}
        if token := token or self.grant:
            named["Authorization"] = f"Bearer {token}"
        if path == "/lines" and len(content) > PACK_BYTES:
            content, named["Content-Encoding"] = gzip.compress(content, 1), "gzip"
        timeout = httpx.Timeout(seconds, connect=CONNECT_SECONDS)
        request = self._client.build_request(
            method, self.url + self._path + path, content=content, headers=named, timeout=timeout
        )
        try:
            with translated(request):
                response = self._client.send(request, stream=True)
                try:
                    text = _bounded(response, time.monotonic() + seconds)
                finally:
                    response.close()
        except ClientError as error:
            raise Trouble(str(error), smaller=path == "/lines") from None
        return self._read(method, response, text)

    def _read(self, method: str, response: httpx.Response, text: bytes) -> dict[str, Any]:
        status, kind = response.status_code, response.headers.get("content-type", "").partition(";")[0]
        if status == 204:
            return {}
        if 300 <= status < 400:
            where = response.headers.get("location", "")[:200]
            raise Trouble(f"{self.url} leads elsewhere ({status} to {where!r}): give the address that it is reached by")
        try:
            found = orjson.loads(text) if "json" in kind else None
        except orjson.JSONDecodeError:
            found = None
        if not isinstance(found, dict) or (status >= 400 and kind != "application/problem+json"):
            raise Trouble(f"{self.url} answers {status} with {kind or 'nothing'}: something else than jobtail is there")
        if response.is_success:
            return found
        raise self._error(method, status, response.headers, str(found.get("detail") or found.get("title") or status))

    def _error(self, method: str, status: int, headers: httpx.Headers, detail: str) -> JobtailError:
        if status == 409 and _number(headers.get("producer-expected-seq")) is not None:
            return Unknown(detail, _number(headers.get("producer-expected-seq")))
        if status == 404 and method != "PUT":
            return Unknown(detail)
        if status in (404, 405):
            return Refused(f"the jobtail at {self.url} is too old to take jobs of other machines")
        if status in (401, 403, 409):
            return Refused(f"{self.url} refuses it: {detail}", unauthorised=status == 401)
        wait = _number(headers.get("retry-after"))
        return Trouble(f"{self.url}: {detail}", min(float(wait or 0), MOST_WAIT), smaller=status in (400, 413))


def _bounded(response: httpx.Response, until: float) -> bytes:
    found = b""
    for part in response.iter_bytes():
        found += part
        if len(found) > MOST_ANSWER or time.monotonic() > until:
            break
    return found


def _number(value: str | None) -> int | None:
    return int(value) if value is not None and value.isascii() and value.isdigit() and len(value) < 16 else None
