"""The seam between the service and what keeps its data: SQLite in a folder, or a database that several share.

Everything here is synchronous and may be called from any thread; every method may raise JournalError, with what went
wrong in words that name no file. Nothing outside `store/` knows of connections, files or SQL. Each implementation
passes the same tests (`tests/store/contract`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ..journal.batch import Batch
from ..journal.line import Entry
from ..journal.parts import Gap, Levels, Part, Span
from ..journal.state import State
from ..journal.text import Text
from ..room import Room
from .tables import Attempts, Cancellations, JobTable, Presence, Reports, Sessions, ShareTable


@dataclass(frozen=True, slots=True)
class Fence:
    """The right to write one journal. `token` grows each time the lease is taken, so that an outdated one is
    recognized; the store gives it, in the transaction that takes the lease."""

    epoch: str
    token: int


@dataclass(frozen=True, slots=True)
class ProducerBatch:
    """Who sent a batch, and which of its batches it is: `epoch` counts the runs of the producer, `seq` from 0 the
    batches of a run (the headers Producer-Id, Producer-Epoch and Producer-Seq)."""

    id: str
    epoch: int
    seq: int


class Writer(Protocol):
    """The one who may write a journal, from `Journal.claim` until the lease is lost or released.

    Each write is one transaction that first checks the fence and that the journal still ends at `last_line`. When it
    returns, it is on disk. It raises, having written nothing, LeaseLost where another has taken the lease since,
    BegunAnew where the journal was thrown away or begun anew, and LineMoved where it ends at another line. After
    BegunAnew, LineMoved and OutcomeUnknown, `resume` says what there is, and the writer goes on from that.
    """

    @property
    def fence(self) -> Fence: ...

    @property
    def last_line(self) -> int: ...

    def resume(self) -> State:
        """What the journal holds now; the next write goes on from there. LeaseLost."""
        ...

    def renew(self) -> None:
        """From now on the lease lasts as long again as it was claimed for. Readers see no change. LeaseLost."""
        ...

    def release(self) -> None:
        """Gives the lease back; does nothing where another has it by now."""
        ...

    def append(
        self,
        entries: list[Entry] | list[Text],
        *,
        mark_late: bool = True,
        partial: dict[str, Any] | None = None,
        producer: ProducerBatch | None = None,
    ) -> list[Batch]:
        """Numbers, redacts, samples and encodes the entries, and writes them. Returns the new lines.

        `mark_late`: lines older than what has gone out are marked. `partial`: as `set_partial`, in the same
        transaction. `producer`: the batch's number is checked and kept in the same transaction: one that is there
        already is not written again, and gives []; StaleProducer, ProducerGap.

        After OutcomeUnknown the same entries may be given again: they are written once, whether or not the first
        commit succeeded.
        """
        ...

    def add_gap(self, after_line: int, reason: str, count: int | None) -> None:
        """Records for good that lines may be missing between `after_line` and the next."""
        ...

    def set_status(self, status: dict[str, Any]) -> None:
        """The job's RunStatus as JSON. Nothing is written where only the heartbeat differs."""
        ...

    def set_upstream(self, upstream: dict[str, Any]) -> None:
        """The data of the `upstream` event."""
        ...

    def set_partial(self, partial: dict[str, Any] | None) -> None:
        """What the command has written after its last newline, by stream: `{"stderr": {"message", "timestamp"}}`; None
        for nothing."""
        ...

    def finish(self, complete: bool, status: dict[str, Any] | None = None) -> None:
        """Nothing more is expected: viewers may be told that this was the end. `status`: set in the same step."""
        ...

    def reopen(self) -> None:
        """The job goes on after all."""
        ...


class Journal(Protocol):
    """One job's lines. It stays the same object when what it keeps is damaged, deleted or replaced by an older copy:
    then the call that found out raises DamagedJournal, and the next ones see a journal with another epoch."""

    @property
    def job(self) -> str: ...

    # --- reading

    def state(self) -> State: ...

    def mark(self) -> tuple[str, int]:
        """`State.mark`, and nothing else: cheap."""
        ...

    def trimmed_to(self) -> int: ...

    def read(
        self, after: int, *, most_bytes: int = 1 << 20, upto: int | None = None, levels: Levels = None
    ) -> list[Batch]:
        """The lines after line `after`, as far as `most_bytes` go (at least one batch), none past `upto`. `levels`:
        batches that hold no line of these codes are passed over."""
        ...

    def read_back(self, before: int, *, most_bytes: int = 1 << 20, levels: Levels = None) -> list[Batch]:
        """The lines before line `before`, the newest as far as `most_bytes` go, in order. `levels`: as for `read`."""
        ...

    def spans(self, after: int) -> list[Span]:
        """What each batch after line `after` holds, without its lines: a search skips batches by it."""
        ...

    def line_at(self, since_ms: int) -> int:
        """The first line of a batch before which every line is older than `since_ms`; last_line + 1 where all are."""
        ...

    def gaps(self, after: int, upto: int) -> list[Gap]:
        """The gaps that stand from just after line `after` (included) to just after line `upto` (excluded)."""
        ...

    def overview(self, parts: int) -> list[Part]:
        """The whole log in at most `parts` parts: lines, times, and how many of each level."""
        ...

    def first_and_last_ms(self) -> tuple[int, int] | None:
        """Least and greatest timestamp of all lines that are still here; None without any."""
        ...

    def seen(self, start_ms: int, end_ms: int) -> dict[int, int]:
        """How often each key stands in the journal with start_ms <= timestamp < end_ms; trimmed lines count too."""
        ...

    def short_keys(self) -> bool:
        """Whether its lines are known by keys of 64 bits, as in journals of older versions."""
        ...

    def seen_untimed(self) -> dict[int, int]:
        """The same for entries that had no usable timestamp of their own."""
        ...

    # --- writing

    def claim(self, seconds: float, *, take_over: bool = False) -> Writer:
        """Takes the lease for so many seconds, by the store's clock. LeaseHeld while another has it. `take_over`: its
        holder loses it at once."""
        ...

    def forget(self) -> None:
        """Throws all lines away and begins anew under a new epoch. What was there is overwritten on the disk."""
        ...

    def trim(self, upto: int) -> int:
        """Removes whole batches up to line `upto`, and returns the last line that was removed. Their keys stay: see
        `seen`."""
        ...


@dataclass(frozen=True, slots=True)
class JournalSummary:
    """A journal as a list of all shows it. `age`: seconds since its last line. `written`: somebody has its lease."""

    job: str
    lines: int
    bytes: int
    age: float
    finished: bool
    written: bool


class Journals(Protocol):
    """A journal a job, and the bounds of all together."""

    def open(self, job: str) -> Journal:
        """The job's journal, begun where there is none."""
        ...

    def known(self, job: str) -> bool:
        """Whether the job has a journal."""
        ...

    def release(self, job: str) -> None:
        """Nobody in this process needs the journal for now."""
        ...

    def changes(self, seen: Mapping[str, tuple[str, int]]) -> list[str]:
        """The jobs whose journal no longer has the `State.mark` that is given for it: one look for all of them. A
        journal that can't be read counts as changed: its next reader gets the error."""
        ...

    def size(self) -> int:
        """Bytes of all journals together."""
        ...

    def all(self) -> Iterator[JournalSummary]:
        """All journals, the one that was changed last first. One that can't be read is left out; `check` says why."""
        ...

    def check(self) -> Iterator[tuple[str, str]]:
        """Looks at every journal as the store keeps it: which job, and what is wrong with it."""
        ...

    def sweep(self) -> list[str]:
        """Keeps to the bounds of age and size, the oldest journals first, none that is written, watched or open here.
        Where the disk is nearly full, the oldest that have finished go too. Returns the jobs whose journals are gone.
        """
        ...

    def room(self) -> Room | None:
        """What is left on the disk; None where only the database's own server can know that."""
        ...

    def close(self) -> None: ...


class Store(Protocol):
    @property
    def journals(self) -> Journals: ...

    @property
    def catalog(self) -> JobTable: ...

    @property
    def cancellations(self) -> Cancellations: ...

    @property
    def reports(self) -> Reports: ...

    @property
    def shares(self) -> ShareTable: ...

    @property
    def sessions(self) -> Sessions: ...

    @property
    def presence(self) -> Presence: ...

    @property
    def attempts(self) -> Attempts: ...

    def secret_key(self) -> str:
        """What signs links and cookies: made once, the same for all who use this store."""
        ...

    def backup(self, file: Path) -> None:
        """Writes all of it as of about now into one file, which others can't read, while it is in use."""
        ...

    def writable(self) -> None:
        """JournalError where nothing can be written: asked at the start and by `/readyz`."""
        ...

    def hurry(self, seconds: float) -> None:
        """The process ends: what waits for the store, now or later, has no longer than this, and fails then."""
        ...

    def close(self) -> None: ...
