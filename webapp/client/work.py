"""What one can do with a job, as scripts: the objects of `objects.py` and `async_objects.py` carry them out."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import IO, Any, TypeVar

from pydantic import PrivateAttr

from ..models import JobConfig, JobStepConfig, WireModel
from .bound import Bound
from .calls import Calls
from .errors import BadAnswer, IncompleteLogWarning, JobInProgressWarning
from .follow import Event
from .line import Line, line_of, missing
from .script import Give, Gives, Pull, Script
from .share import Share
from .show import Printer, lines_of, settle
from .warn import warn

PAGE = 100
SEARCH_PAGE = 1000
M = TypeVar("M", bound=WireModel)


class JobHandle(WireModel):
    """One job, by its id, at the service that it was learnt from. `_client`: None for one made by hand."""

    _client: Bound | None = PrivateAttr(default=None)

    def model_post_init(self, context: Any) -> None:
        if isinstance(context, Bound):
            self._client = context

    @property
    def _job(self) -> str:
        raise NotImplementedError

    @property
    def _calls(self) -> Calls:
        raise NotImplementedError

    def _get_logs(self, since_ms: float | None = None) -> Script[list[Line]]:
        """The log so far, oldest first: `Line` dicts with `timestamp` (ms), `message` and the rest.

        `since_ms`: only lines of this time or later, in milliseconds since the epoch.
        """
        pull = Pull(self._calls.lines(self, since_ms=milliseconds(since_ms)))
        found: list[Line] = []
        while (line := (yield from pull.next())) is not None:
            found.append(line)
        found.sort(key=lambda line: line.timestamp)
        return found

    def _print_logs(self, since_ms: float | None = None, file: IO[str] | None = None) -> Script[None]:
        """Prints the log so far to `file`, or standard output: one message a line, indentation kept."""
        printer = Printer(sys.stdout if file is None else file)
        for line in (yield from self._get_logs(since_ms)):
            printer.line(line)
            if printer.full:
                yield from settle(printer)
        yield from settle(printer)

    def _iter_logs(
        self,
        since_ms: float | None = None,
        *,
        follow: bool = True,
        level: str | None = None,
        q: str | None = None,
        tail: int | None = None,
        timeout: float | None = None,
        get_logs_retries: int = 1,
    ) -> Gives[Line]:
        """The lines one by one, in the order in which the service learnt of them, until the job has ended.

        `follow=False`: only those that are there now. `level`: such as "warning" or "error,warning"; `q`: a
        text they hold; `tail`: only the last N of those there are, and what follows. Survives a break of the
        connection without losing or repeating a line; where lines are missing it warns
        (IncompleteLogWarning).
        """
        wanted: dict[str, Any] = {"since_ms": milliseconds(since_ms), "level": level, "q": q, "tail": tail}
        if not follow:
            yield from self._calls.lines(self, **wanted)
            return
        wanted |= {"sample_logs": False, "format": "batch"}
        pull = Pull(self._calls.stream(self, wanted, timeout=timeout, retries=get_logs_retries))
        while (event := (yield from pull.next())) is not None:
            if event.kind in ("line", "lines"):
                for line in lines_of(event):
                    yield Give((yield from self._whole(line)))
            elif event.kind == "gap":
                warn(f"{self._job}: {missing(event.data)}", IncompleteLogWarning)
            elif event.kind == "reset":
                warn(f"{self._job}: the log begins anew ({event.data.get('reason')})", IncompleteLogWarning)

    def _whole(self, line: Line) -> Script[Line]:
        """A stream cuts very long lines; the log gives them whole while it keeps them."""
        if not line.get("cut"):
            return line
        pull = Pull(self._calls.lines(self, from_line=line.line, limit=1))
        whole = yield from pull.next()
        if whole is not None and whole.get("id") == line.get("id"):
            return whole
        warn(f"{self._job}: line {line.line} is longer and was cut: it is no longer kept", IncompleteLogWarning)
        return line

    def _get_exec_time(self) -> Script[timedelta]:
        """The time from the first to the last line. Warns while the job is in progress; NoLines where there
        is no line yet."""
        found = yield from self._calls.exec_time(self)
        if found.get("in_progress"):
            message = f"the job {self._job!r} is still in progress: this is the time up to its newest line"
            warn(message, JobInProgressWarning)
        seconds = found.get("seconds")
        if not isinstance(seconds, int | float):
            raise BadAnswer(f"{self._calls.site.url} did not say how long the job took: is it a jobtail service?")
        return timedelta(seconds=seconds)

    def _tail_logs(
        self,
        refresh_seconds: float = 1,
        sample_logs: bool = True,
        timeout: float | None = None,
        get_logs_retries: int = 1,
    ) -> Script[None]:
        """Prints the log, then each line as it comes, until the job has ended.

        `refresh_seconds`: how often news are wanted. `sample_logs`: only a sample, with a note of how much
        was left out; errors are always shown. `timeout`: seconds after which it raises TimeoutError.
        `get_logs_retries`: additional attempts, of 60 s of unbroken failure each, before it raises.
        """
        printer = Printer(sys.stdout)
        wanted = {
            "refresh_seconds": min(60.0, max(0.1, refresh_seconds)),
            "sample_logs": sample_logs,
            "format": "batch",
        }
        pull: Pull[Event] = Pull(self._calls.stream(self, wanted, timeout=timeout, retries=get_logs_retries))
        while (event := (yield from pull.next())) is not None:
            printer.event(event)
            if printer.full or not event.more:
                yield from settle(printer)
        yield from settle(printer)

    def _search(self, q: str = "", *, regex: bool = False, level: str | None = None,
                limit: int | None = None) -> Script[list[Line]]:  # fmt: skip
        """The lines of the whole log that hold a text, or with `regex` match an expression (RE2), oldest first.

        A text is found in either case unless it holds a capital letter. `level`: only lines of these levels; `limit`:
        the first so many. Looks at a log of any length, a part a request.
        """
        found: list[Line] = []
        after: str | None = None
        while limit is None or len(found) < limit:
            wanted = SEARCH_PAGE if limit is None else min(SEARCH_PAGE, limit - len(found))
            part = yield from self._calls.search(self, q, regex=regex, level=level, limit=wanted, after=after)
            found += [line_of(line) for line in part.get("lines") or () if isinstance(line, dict)]
            if part.get("complete") is not False or part.get("scanned_to") == after:
                break
            after = str(part.get("scanned_to"))
        return found

    def _share(self, expires_in: str = "7d", *, can_cancel: bool = False, note: str = "",
               lines: tuple[int, int] | None = None) -> Script[Share]:  # fmt: skip
        """Makes a link to this one job for somebody without an account. `expires_in`: such as 30m, 12h, 7d; `note`: for
        whom it is; `lines`: only these. `str()` of it is its address."""
        made = yield from self._calls.share(self, expires_in=expires_in, can_cancel=can_cancel, note=note, lines=lines)
        return valid(Share, made, self._calls.site.url)

    def _shares(self) -> Script[list[Share]]:
        """The links to this job, newest first, ended and revoked ones too; their addresses are not told again."""
        found = yield from self._calls.shares(self)
        return [valid(Share, share, self._calls.site.url) for share in found]

    def _revoke(self, share: Share | str) -> Script[None]:
        """Ends a link to this job."""
        return (yield from self._calls.revoke(self, share if isinstance(share, str) else share.id))

    def _forget(self) -> Script[None]:
        """Throws the lines of this job away, such as when a secret got into them."""
        return (yield from self._calls.forget(self))

    def _config(self) -> Script[JobStepConfig]:
        """The configuration of the one step of this job; an error where it has more."""
        return valid(JobStepConfig, (yield from self._calls.config(self)), self._calls.site.url)

    def _steps_config(self) -> Script[JobConfig]:
        """The configuration of all steps of this job."""
        return valid(JobConfig, (yield from self._calls.steps_config(self)), self._calls.site.url)


def milliseconds(since: float | None) -> int | None:
    """What people have at hand, such as `time.time() * 1000`, as the API takes it."""
    return None if since is None else max(0, int(since))


def take_over(run: M, new: M) -> M:
    """Makes an object what another of its kind is."""
    run.__dict__.update(new.__dict__)
    object.__setattr__(run, "__pydantic_extra__", new.__pydantic_extra__)
    object.__setattr__(run, "__pydantic_fields_set__", new.__pydantic_fields_set__)
    return run


def valid(model: type[M], data: Any, url: str, client: Bound | None = None) -> M:
    """The object that an answer is, bound to the client it came from. A field that cannot be read is left out, and
    named in `altered`; BadAnswer where nothing is left."""
    try:
        found = model.read(data)
    except ValueError as error:
        raise BadAnswer(f"{url} answered what is no {model.__name__}: {error}") from None
    if isinstance(found, JobHandle):
        found._client = client
    return found


def listed(calls: Calls, n: int, skip: int, per_request: int, max_requests: int | None) -> Script[dict[str, Any]]:
    """Up to `n` jobs, newest first, and no more than `max_requests` times `per_request`: what a Jobs is made from. One
    that is in two answers, since the list grew between them, is there once."""
    wanted = n if max_requests is None else min(n, per_request * max_requests)
    found: dict[Any, Any] = {}
    asked = 0
    while len(found) < wanted:
        before, size = len(found), min(PAGE, wanted - len(found))
        page = (yield from calls.job_list(size, skip + asked)).get("jobs")
        rows = page if isinstance(page, list) else []
        found |= {row["id"]: row for row in rows if isinstance(row, dict) and isinstance(row.get("id"), str)}
        asked += len(rows)
        if len(rows) < size or len(found) == before:
            break
    how = {"n": n, "skip": skip, "per_request": per_request, "max_requests": max_requests}
    return {"jobs": list(found.values())[:wanted], **how}
