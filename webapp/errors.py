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
    │   ├── TooManyTries       wrong tokens, one after another      429
    │   └── OverQuota          more than a run token may bring      429
    ├── UpstreamError          the upstream answered wrongly        502
    │   ├── UpstreamDenied     it refused our credential            502
    │   └── UpstreamDown       it did not answer, or asks for time  503
    ├── Gone                   the caller hung up                   499
    ├── JournalError           the store can't be read or written   503
    │   ├── DamagedJournal     it was damaged or lost; begun anew   503
    │   ├── StoreDown          the database does not answer         503
    │   ├── DiskFull           too little room for new lines        503
    │   ├── NewerSchema        a newer jobtail wrote it             503
    │   ├── LeaseHeld          another writes this job              503
    │   ├── LeaseLost          another writes this job by now       503
    │   ├── BegunAnew          the epoch is another by now          503
    │   ├── LineMoved          it ends at another line than thought 503
    │   ├── OutcomeUnknown     whether it was written is not known  503
    │   ├── StaleProducer      a newer run of it writes by now      403
    │   └── ProducerGap        a batch before this one is missing   409
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
            f"{job[:140]!r} is not a job id: it takes 1 to 128 of A-Z a-z 0-9 . _ : - and begins with a letter or digit"
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


class OverQuota(Busy):
    status = 429
    title = "Too much for now"


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


class Gone(JobtailError):
    """The client has hung up: nobody reads the answer."""

    status = 499
    title = "The caller has gone"


class JournalError(JobtailError):
    """The store failed. `detail` says why without a path, so that anybody may read it; the text of the exception begins
    with `where`, the file, and is for logs and for the people who run the service."""

    status = 503
    title = "The journal can't be written or read"

    def __init__(self, detail: str, where: object = "") -> None:
        super().__init__(detail)
        self.where = str(where)

    def __str__(self) -> str:
        return f"{self.where}: {self.detail}" if self.where else self.detail

    @property
    def for_viewers(self) -> str:
        return f"{self.title}: {self.detail}"


class DamagedJournal(JournalError):
    """What was kept could not be read any more, or was taken away. The store has begun it anew under a new epoch,
    which the next call gets."""


class StoreDown(JournalError):
    """The database does not answer, for now: what waits goes on by itself once it does."""


class DiskFull(JournalError):
    """The disk is nearly full, and the room that is left is kept for states and ends of jobs, not for lines."""

    retry_after = 30


class NewerSchema(JournalError):
    """A newer version of this program wrote it, in a way that this one does not know."""


class LeaseHeld(JournalError):
    """Another writes this journal. `holder` says who, for people; `seconds`: until its lease ends if not renewed."""

    def __init__(self, job: str, holder: str, seconds: float) -> None:
        super().__init__(f"the journal of {job!r} is written by {holder or 'another'}")
        self.holder = holder
        self.seconds = seconds


class LeaseLost(JournalError):
    """Another has taken the lease since: this writer must stop."""


class BegunAnew(JournalError):
    """The journal was thrown away, or begun anew, since the writer last looked."""


class LineMoved(JournalError):
    """The journal does not end at the line that the writer expects: it has to look again before it goes on."""


class OutcomeUnknown(JournalError):
    """The connection broke while the commit was under way: it may be written or not. `Writer.resume` finds out."""


class StaleProducer(JournalError):
    """A later run of this producer has begun: this one may not write any more. `epoch`: of that run."""

    status = 403
    title = "That is not allowed"

    def __init__(self, detail: str, epoch: int) -> None:
        super().__init__(detail)
        self.epoch = epoch


class ProducerGap(JournalError):
    """A batch before this one never came. `expected`: the sequence number that would be right."""

    status = 409
    title = "Not in this state"

    def __init__(self, expected: int, received: int) -> None:
        super().__init__(f"batch {received} of this producer came where {expected} is expected")
        self.expected = expected
        self.received = received


class SettingsError(JobtailError):
    title = "A setting is wrong"
