"""The API of one jobtail service as methods that give plain JSON. What `connect()` returns adds the objects.

    client = Client()                                  # JOBTAIL_URL and JOBTAIL_TOKEN, or http://127.0.0.1:8484
    client.status("wkf-1")                             # dict: RunResponse
    for event in client.stream("wkf-1", {"level": "error"}):
        ...                                            # Event(kind, data, cursor): resumed by itself until
        done
    for line in client.lines("wkf-1", tail=100):
        ...                                            # Line: a dict with .message, .timestamp, .level, .id
    client.get("/api/jobs", {"n": 20})                 # any route, as JSON

A job is an id or a link to it. A link to another service is asked there, and never with this one's token.
Everything raises a `ClientError` of `webapp.client.errors`; `Unreachable` where no service answers at all.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from .address import DEFAULT_URL, origin, service_url, target
from .errors import BadAnswer, ClientError, Conflict, NoLines, TimedOut, Unreachable
from .follow import ATTEMPT_SECONDS, Event, Follower, backoff
from .line import Line, split

if TYPE_CHECKING:
    from .http import Http

ANSWER_SECONDS = 60.0
CANCEL_SECONDS = 140.0
WAIT_SECONDS = 30.0
RESUMES = 5
RESUME_SECONDS = 15.0


class Client:
    """`url`: the service's address, or JOBTAIL_URL, or port 8484 of this machine. `token`: the access token,
    or JOBTAIL_TOKEN; "" for none. It is sent to the origin of `url` and nowhere else."""

    def __init__(self, url: str | None = None, token: str | None = None) -> None:
        if url is None:
            url, source = os.environ.get("JOBTAIL_URL") or DEFAULT_URL, "JOBTAIL_URL"
        else:
            source = "url"
        self.url = service_url(url, source)
        self._token = os.environ.get("JOBTAIL_TOKEN", "").strip() if token is None else token
        self._connection: Http | None = None
        self._guests: dict[str, tuple[Client, str]] = {}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r}{', token=***' if self._token else ''})"

    def __deepcopy__(self, memo: Any) -> Client:
        return self

    def __getstate__(self) -> dict[str, Any]:
        """Neither the connection nor the token is ever written down."""
        return {"url": self.url, "_token": "", "_connection": None, "_guests": {}}

    def same(self, other: Client) -> bool:
        """Whether both speak to one service with one token."""
        return (self.url, self._token) == (other.url, other._token)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        for guest, _ in self._guests.values():
            guest.close()
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @property
    def http(self) -> Http:
        if self._connection is None:
            from .http import Http  # httpx takes as long to load as all the rest: not before it is needed

            self._connection = Http(self.url, self._token)
        return self._connection

    # Any route

    def get(self, path: str, params: Mapping[str, Any] | None = None, *, seconds: float = ANSWER_SECONDS) -> Any:
        """The JSON that a route answers. `path` begins with `/`; parameters that are None are left out."""
        return self._json("GET", path, params, None, seconds)

    def post(self, path: str, body: Any = None, *, seconds: float = ANSWER_SECONDS) -> Any:
        return self._json("POST", path, None, body, seconds)

    def delete(self, path: str) -> Any:
        return self._json("DELETE", path, None, None, ANSWER_SECONDS)

    def _json(self, method: str, path: str, params: Mapping[str, Any] | None, body: Any, seconds: float) -> Any:
        answer = self.http.ask(method, path, params or {}, body, seconds)
        if not answer.body:
            return None
        try:
            return json.loads(answer.body)
        except ValueError:
            raise BadAnswer(f"{self.url} answered something that is no JSON: is it a jobtail service?") from None

    def _object(self, method: str, path: str, params: Mapping[str, Any] | None = None, body: Any = None,
                seconds: float = ANSWER_SECONDS) -> dict[str, Any]:  # fmt: skip
        found = self._json(method, path, params, body, seconds)
        if not isinstance(found, dict):
            raise BadAnswer(f"{self.url} answered JSON that is no object: is it a jobtail service?")
        return found

    # One job

    def find(self, job: str) -> tuple[Client, str]:
        """The client and the id that an id or a link means: this one, or one without a token for another service or
        for a shared link, whose holder needs none."""
        meant = target(job)
        if meant.share is not None and meant.url is not None:
            return self._guest(meant.url, meant.share)
        if meant.url is None or meant.url == self.url:
            return self, meant.job
        if origin(meant.url) == origin(self.url):
            return Client(meant.url, self._token), meant.job
        return Client(meant.url, ""), meant.job

    def _guest(self, url: str, share: str) -> tuple[Client, str]:
        """Trades a shared link for its cookie, once."""
        if share not in self._guests:
            guest = Client(url, "")
            found = guest._object("GET", f"/s/{quote(share, safe='')}")
            if not isinstance(found.get("job"), str):
                raise BadAnswer(f"{url} does not say which job that link is of: is it a jobtail service?")
            self._guests[share] = guest, found["job"]
        return self._guests[share]

    def link(self, job: str) -> str:
        """The address of a job's live page."""
        client, name = self.find(job)
        return f"{client.url}/jobs/{quote(name, safe=':')}"

    def status(self, job: str) -> dict[str, Any]:
        """RunResponse."""
        client, path = self._path(job)
        return client._object("GET", path)

    def cancel(self, job: str) -> dict[str, Any]:
        """RunResponse as it stands after the request. Can take two minutes."""
        client, path = self._path(job)
        return client._object("POST", path + "/cancel", seconds=CANCEL_SECONDS)

    def exec_time(self, job: str) -> dict[str, Any]:
        """`seconds`, `in_progress`, `first` and `last` (ms). NoLines where there is none."""
        client, path = self._path(job)
        try:
            return client._object("GET", path + "/exec-time")
        except Conflict as error:
            raise NoLines(str(error), status=error.status) from None

    def config(self, job: str) -> dict[str, Any]:
        """JobStepConfig: the one step of a job that has exactly one."""
        client, path = self._path(job)
        return client._object("GET", path + "/config")

    def steps_config(self, job: str) -> dict[str, Any]:
        """JobConfig."""
        client, path = self._path(job)
        return client._object("GET", path + "/steps-config")

    def search(self, job: str, **params: Any) -> dict[str, Any]:
        """`q`, `regex`, `level`, `after`, `before`, `limit`, `tail`; see GET /api/jobs/{job}/search."""
        client, path = self._path(job)
        return client._object("GET", path + "/search", params)

    def share(self, job: str, *, expires_in: str = "7d", can_cancel: bool = False, note: str = "",
              lines: tuple[int, int] | None = None) -> dict[str, Any]:  # fmt: skip
        """Makes a link to this one job."""
        client, path = self._path(job)
        body = {
            "expires_in": expires_in,
            "can_cancel": can_cancel,
            "note": note,
            "lines": lines and list(lines),
        }
        return client._object("POST", path + "/shares", body=body)

    def shares(self, job: str) -> Any:
        client, path = self._path(job)
        return client.get(path + "/shares")

    def revoke(self, job: str, share: str) -> None:
        client, path = self._path(job)
        client.delete(f"{path}/shares/{quote(share, safe='')}")

    def forget(self, job: str) -> None:
        """Throws the lines of a job away."""
        client, path = self._path(job)
        client.delete(path + "/journal")

    def job_list(self, n: int = 5, skip: int = 0) -> dict[str, Any]:
        """Jobs, newest first."""
        return self._object("GET", "/api/jobs", {"n": n, "skip": skip})

    def wait(self, job: str, timeout: float | None = None, *, pause: float = 5.0) -> dict[str, Any]:
        """RunResponse once the job has finished; TimedOut after `timeout` seconds.

        The service answers at the moment the job ends; `pause` is between attempts while the service does not
        answer, which is borne for as long as by `stream`.
        """
        client, path = self._path(job)
        begun, broken_since, reached = time.monotonic(), None, False
        while True:
            asked = time.monotonic()
            left = None if timeout is None else max(0.0, begun + timeout - asked)
            step = WAIT_SECONDS if left is None else min(WAIT_SECONDS, left)
            rest = 0.0
            try:
                return client._object("GET", path + "/wait", {"timeout": round(step, 3)}, seconds=step + ANSWER_SECONDS)
            except TimedOut:
                reached, broken_since = True, None
                if time.monotonic() - asked < step / 2:
                    rest = pause  # a proxy's answer, which comes at once
            except ClientError as error:
                reached = reached or not isinstance(error, Unreachable)
                broken_since = asked if broken_since is None else broken_since
                if not error.transient or not reached or time.monotonic() - broken_since >= 2 * ATTEMPT_SECONDS:
                    raise
                rest = backoff(1, pause, error.retry_after, 1.0)
            left = None if timeout is None else begun + timeout - time.monotonic()
            if left is not None and left <= 0:
                raise TimedOut(f"timed out after {timeout:g} s: the job {job!r} has not finished")
            time.sleep(rest if left is None else min(rest, left))

    # Its log

    def stream(self, job: str, params: Mapping[str, Any] | None = None, *, after: str = "",
               timeout: float | None = None, retries: int | None = 1) -> Iterator[Event]:  # fmt: skip
        """The live tail. Reconnects and resumes by itself, and says so by an event `retrying`.

        `params`: those of GET /api/jobs/{job}/events (`since_ms`, `sample_logs`, `level`, `q`, `tail`,
        `format`, ...). Ends after `done` when the job has finished; raises after it when it ended for any
        other reason (TimedOut, JobNotFound, ...). `retries`: additional attempts of 60 s of unbroken failure
        each; None: for ever.
        """
        client, name = self.find(job)
        path = _path_of(name)
        asked = dict(params or {})

        @contextmanager
        def connect(cursor: str, left: float | None, silence: float) -> Iterator[Iterator[bytes] | None]:
            headers = {"Accept": "text/event-stream"}
            if cursor:
                headers["Last-Event-ID"] = cursor
            with client.http.stream(path + "/events", {**asked, "timeout": left}, headers, silence) as answer:
                if answer.status == 204:
                    yield None
                else:
                    answer.require("text/event-stream", client.url)
                    yield answer.chunks

        return Follower(connect, name, retries=retries, timeout=timeout, after=after).events()

    def lines(self, job: str, **params: Any) -> Iterator[Line]:
        """The lines there are, in the journal's order, however many: streamed, and resumed where a connection
        breaks.

        `params`: those of GET /api/jobs/{job}/logs (`after`, `before`, `from_line`, `tail`, `since_ms`,
        `until_ms`, `level`, `q`, `limit`).
        """
        client, path = self._path(job)
        failures, given, begun = 0, 0, params.get("after")
        failing = time.monotonic()
        while True:
            try:
                for line in client._ndjson(path + "/logs", params):
                    params |= {"after": line.get("id"), "tail": None, "from_line": None}
                    failures, given = 0, given + 1
                    yield line
                    failing = time.monotonic()
                return
            except ClientError as error:
                failures += 1
                hopeless = isinstance(error, Unreachable) and params.get("after") == begun
                tried = failures > RESUMES or time.monotonic() - failing > RESUME_SECONDS
                if not error.transient or hopeless or tried:
                    raise
                if params.get("limit") is not None:
                    params["limit"], given = int(params["limit"]) - given, 0
                    if params["limit"] <= 0:
                        return
                time.sleep(backoff(failures, 0.2, error.retry_after, 1.0))

    def _ndjson(self, path: str, params: Mapping[str, Any]) -> Iterator[Line]:
        headers = {"Accept": "application/x-ndjson"}
        with self.http.stream(path, {**params, "format": "ndjson"}, headers, ANSWER_SECONDS) as answer:
            answer.require("application/x-ndjson", self.url)
            for text in split(answer.chunks):
                yield self._line(text)

    def _line(self, text: bytes) -> Line:
        try:
            return Line(json.loads(text))
        except ValueError:
            raise BadAnswer(f"{self.url} answered a line that is no JSON: {text[:80]!r}") from None

    def _path(self, job: str) -> tuple[Client, str]:
        client, name = self.find(job)
        return client, _path_of(name)


def _path_of(name: str) -> str:
    return f"/api/jobs/{quote(name, safe=':')}"


_connected: Client | None = None
_of_environment: Client | None = None


def default_client() -> Client:
    """What objects use that were made by hand: the newest `connect()`, or one for the environment's service."""
    global _of_environment
    if _connected is not None:
        return _connected
    client = Client()
    if _of_environment is None or not _of_environment.same(client):
        _of_environment = client
    return _of_environment


def set_default(client: Client) -> None:
    global _connected
    _connected = client
