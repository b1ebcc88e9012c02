"""The whole error tree.

    JobtailError
    ├── UsageError            what a caller sent is wrong          400
    │   ├── BadJobId
    │   └── TooLarge           a bound of the request          413
    ├── Denied                 this caller may not                  403
    │   └── SignInNeeded       nobody is signed in                  401
    ├── NotFound               no such job, share or line           404
    │   └── JobNotFound
    ├── Conflict               not in this state                    409
    ├── Busy                   a bound was reached; come back       503
    │   └── TooManyTries       wrong tokens, one after another      429
    ├── UpstreamError          the upstream answered wrongly        502
    │   ├── UpstreamDenied     it refused our credential            502
    │   └── UpstreamDown       it did not answer, or asks for time  503
    ├── JournalError           the disk does not do as told         503
    └── SettingsError          a setting is wrong (stops the start)

`status` is what `web/problem.py` answers with; it is the one place where errors become HTTP. Messages quote
the value that was wrong and name the way out; they never hold a credential.
"""

from __future__ import annotations


class JobtailError(Exception):
    status = 500
    title = "Something went wrong"

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail)
        self.detail = detail


class UsageError(JobtailError):
    status = 400
    title = "That request is not right"


class BadJobId(UsageError):
    def __init__(self, job: str) -> None:
        super().__init__(
            f"{job[:140]!r} is no job id: it takes 1 to 128 of A-Z a-z 0-9 . _ : - and begins with a letter or digit"
        )


class TooLarge(UsageError):
    status = 413
    title = "That request is too large"


class Denied(JobtailError):
    status = 403
    title = "That is not allowed"


class SignInNeeded(Denied):
    status = 401
    title = "Sign in first"


class NotFound(JobtailError):
    status = 404
    title = "Not found"


class JobNotFound(NotFound):
    def __init__(self, job: str) -> None:
        super().__init__(f"there is no job {job!r}, or you may not see it")


class Conflict(JobtailError):
    status = 409
    title = "Not in this state"


class Busy(JobtailError):
    """A bound was reached. `retry_after`: seconds."""

    status = 503
    title = "Too many at once"

    def __init__(self, detail: str, retry_after: int = 5) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class TooManyTries(Busy):
    status = 429
    title = "Too many tries"


class UpstreamError(JobtailError):
    status = 502
    title = "The upstream answered wrongly"


class UpstreamDenied(UpstreamError):
    """The upstream refused our credential (401, 403): asking again does not help."""


class UpstreamDown(UpstreamError):
    """No answer, or one that asks to come back. `retry_after`: seconds, where the upstream named them."""

    status = 503
    title = "The upstream does not answer"

    def __init__(self, detail: str, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class JournalError(JobtailError):
    status = 503
    title = "The journal can't be written or read"

    @property
    def for_viewers(self) -> str:
        """What is wrong, without the path of the file: that is for the service's log."""
        return f"{self.title}: {self.detail.rpartition(': ')[2]}"


class SettingsError(JobtailError):
    title = "A setting is wrong"
