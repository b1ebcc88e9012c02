"""The API of a jobtail service as scripts: what is asked, in which order, and what the answers mean.

`api.Client` and `aio.AsyncClient` carry them out. A job is an id, a link to it, or an object that is of one.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from .address import Job, origin, page, target
from .ask import ANSWER_SECONDS, mapping, value
from .errors import BadAnswer, ClientError, Conflict, IncompleteLogWarning, NoLines, TimedOut, Unreachable
from .follow import ATTEMPT_SECONDS, Event, EventFollower, backoff
from .line import Line, LineGap, missing
from .reading import log
from .script import Course, GiveAll, Gives, Script, Site, Sleep
from .warn import warn

CANCEL_SECONDS = 140.0
WAIT_SECONDS = 30.0


class Calls:
    """What one can ask of the service at `site`. A link to another service is asked there, without this token."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._guests: dict[str, tuple[Site, str]] = {}

    # Any route

    def get(self, path: str, params: Mapping[str, Any] | None = None, *,
            seconds: float = ANSWER_SECONDS) -> Script[Any]:  # fmt: skip
        """The JSON that a route answers. `path` begins with `/`; parameters that are None are left out."""
        return value(self.site, "GET", path, params, None, seconds)

    def post(self, path: str, body: Any = None, *, seconds: float = ANSWER_SECONDS) -> Script[Any]:
        return value(self.site, "POST", path, None, body, seconds)

    def delete(self, path: str) -> Script[Any]:
        return value(self.site, "DELETE", path)

    # One job

    def find(self, job: Job) -> Script[tuple[Site, str]]:
        """The site and the id that are meant: this one, or one without a token for another service or for a shared
        link, whose holder needs none."""
        meant = target(job)
        if meant.share is not None and meant.url is not None:
            return (yield from self._guest(meant.url, meant.share))
        if meant.url is None or meant.url == self.site.url:
            return self.site, meant.job
        same = origin(meant.url) == origin(self.site.url)
        return Site(meant.url, self.site.token if same else ""), meant.job

    def _guest(self, url: str, share: str) -> Script[tuple[Site, str]]:
        """Trades a shared link for its cookie, once."""
        if share not in self._guests:
            site = Site(url, share=share)
            found = yield from mapping(site, "GET", f"/s/{quote(share, safe='')}")
            if not isinstance(found.get("job"), str):
                raise BadAnswer(f"{url} does not say which job that link is of: is it a jobtail service?")
            self._guests[share] = site, found["job"]
        return self._guests[share]

    def link(self, job: Job) -> Script[str]:
        """The address of a job's live page."""
        site, name = yield from self.find(job)
        return page(site.url, name)

    def status(self, job: Job) -> Script[dict[str, Any]]:
        """RunResponse."""
        return (yield from self._of(job, "GET", ""))

    def cancel(self, job: Job) -> Script[dict[str, Any]]:
        """RunResponse as it stands after the request. Can take two minutes."""
        return (yield from self._of(job, "POST", "/cancel", seconds=CANCEL_SECONDS))

    def exec_time(self, job: Job) -> Script[dict[str, Any]]:
        """`seconds`, `in_progress`, `first` and `last` (ms). NoLines where there is none."""
        try:
            return (yield from self._of(job, "GET", "/exec-time"))
        except Conflict as error:
            raise NoLines(str(error), status=error.status) from None

    def config(self, job: Job) -> Script[dict[str, Any]]:
        """JobStepConfig: the one step of a job that has exactly one."""
        return (yield from self._of(job, "GET", "/config"))

    def steps_config(self, job: Job) -> Script[dict[str, Any]]:
        """JobConfig."""
        return (yield from self._of(job, "GET", "/steps-config"))

    def search(self, /, job: Job, q: str = "", *, regex: bool = False, level: str | None = None,
               limit: int | None = None, **params: Any) -> Script[dict[str, Any]]:  # fmt: skip
        """Lines that hold a text or match an expression: `lines`, `scanned_to`, `complete`.

        `params`: `after`, `before`, `tail`; see GET /api/jobs/{job}/search.
        """
        wanted = {"q": q, "regex": regex, "level": level, "limit": limit, **params}
        return (yield from self._of(job, "GET", "/search", wanted))

    def share(self, job: Job, *, expires_in: str = "7d", can_cancel: bool = False, note: str = "",
              lines: tuple[int, int] | None = None) -> Script[dict[str, Any]]:  # fmt: skip
        """Makes a link to this one job: `url`, `id` and its terms."""
        wanted = {"expires_in": expires_in, "can_cancel": can_cancel, "note": note, "lines": lines and list(lines)}
        return (yield from self._of(job, "POST", "/shares", body=wanted))

    def shares(self, job: Job) -> Script[list[dict[str, Any]]]:
        """The job's links, newest first, ended and revoked ones too."""
        site, path = yield from self._path(job)
        found = yield from value(site, "GET", path + "/shares")
        return [share for share in found if isinstance(share, dict)] if isinstance(found, list) else []

    def revoke(self, job: Job, share: str) -> Script[None]:
        """Ends a link, by its id."""
        site, path = yield from self._path(job)
        yield from value(site, "DELETE", f"{path}/shares/{quote(share, safe='')}")

    def forget(self, job: Job) -> Script[None]:
        """Throws the lines of a job away."""
        site, path = yield from self._path(job)
        yield from value(site, "DELETE", path + "/journal")

    def job_list(self, n: int = 5, skip: int = 0, *, q: str | None = None,
                 status: str | None = None) -> Script[dict[str, Any]]:  # fmt: skip
        """Jobs, newest first. `q`: only those whose id begins with it or whose name holds it; `status`: only those,
        such as "running" or "failed,canceled"."""
        wanted = {"n": n, "skip": skip, "q": q, "status": status}
        return (yield from mapping(self.site, "GET", "/api/jobs", wanted))

    def wait(self, job: Job, timeout: float | None = None, *, pause: float = 5.0) -> Script[dict[str, Any]]:
        """RunResponse once the job has finished; TimedOut after `timeout` seconds.

        The service answers at the moment the job ends; `pause` is between attempts while the service does not
        answer, which is tolerated for as long as by `stream`.
        """
        site, path = yield from self._path(job)
        begun, broken_since, reached = time.monotonic(), None, False
        while True:
            asked = time.monotonic()
            left = None if timeout is None else max(0.0, begun + timeout - asked)
            step = WAIT_SECONDS if left is None else min(WAIT_SECONDS, left)
            rest = 0.0
            try:
                params = {"timeout": round(step, 3)}
                return (yield from mapping(site, "GET", path + "/wait", params, seconds=step + ANSWER_SECONDS))
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
                raise TimedOut(f"timed out after {timeout:g} s: the job {path.rpartition('/')[2]!r} has not finished")
            yield Sleep(rest if left is None else min(rest, left))

    # Its log

    def stream(self, job: Job, params: Mapping[str, Any] | None = None, *, after: str = "",
               timeout: float | None = None, retries: int | None = 1) -> Gives[Event]:  # fmt: skip
        """The live tail. Reconnects and resumes by itself, and says so by an event `retrying`.

        `params`: those of GET /api/jobs/{job}/events (`since_ms`, `sample_logs`, `level`, `q`, `tail`,
        `format`, ...). Ends after `done` when the job has finished; raises after it when it ended for any
        other reason (TimedOut, JobNotFound, ...). `retries`: additional attempts of 60 s of unbroken failure
        each; None: for ever.
        """
        site, name = yield from self.find(job)
        yield from EventFollower(site, name, params or {}, retries=retries, timeout=timeout, after=after).events()

    def lines(self, /, job: Job, **params: Any) -> Gives[Line]:
        """The lines there are, in the journal's order, however many: streamed, and resumed where a connection
        breaks or ends early. Warns where lines are missing (IncompleteLogWarning).

        `params`: those of GET /api/jobs/{job}/logs (`after`, `before`, `from_line`, `tail`, `since_ms`,
        `until_ms`, `level`, `q`, `limit`).
        """
        course = Course(self.log(job, **params))
        while (effect := course.step()) is not None:
            if isinstance(effect, GiveAll):
                for gap in effect.values:
                    if isinstance(gap, LineGap):
                        warn(f"the log is incomplete: {missing(gap)}", IncompleteLogWarning)
                yield GiveAll([line for line in effect.values if isinstance(line, Line)])
                continue
            try:
                course.answer((yield effect))
            except ClientError as error:
                course.fail(error)

    def log(self, /, job: Job, **params: Any) -> Gives[Line | LineGap]:
        """The same, with a Gap where lines are missing."""
        site, path = yield from self._path(job)
        yield from log(site, path + "/logs", params)

    def _path(self, job: Job) -> Script[tuple[Site, str]]:
        site, name = yield from self.find(job)
        return site, path_of(name)

    def _of(self, job: Job, method: str, tail: str, params: Mapping[str, Any] | None = None, *, body: Any = None,
            seconds: float = ANSWER_SECONDS) -> Script[dict[str, Any]]:  # fmt: skip
        """An object that the service answers of a job."""
        site, path = yield from self._path(job)
        return (yield from mapping(site, method, path + tail, params, body, seconds))


def path_of(name: str) -> str:
    return f"/api/jobs/{quote(name, safe=':')}"
