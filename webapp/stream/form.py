"""How a viewer wants lines, and batches in that form.

Two viewers of one form at one position get the same bytes: they are made once.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field

import orjson

from ..journal.batch import KEPT, LEVEL_MASK, SEPARATOR, Batch
from ..journal.levels import LEVELS
from ..journal.match import Finder, level_indexes
from ..journal.shorter import shorter
from ..journal.terminal import shown
from ..journal.walk import finish
from ..strictjson import dump, loads
from ..threads import FILTERED, LIVE, Pool
from .events import DATA_BYTES, event, lines_event, one_line

Check = Callable[[], None]


def nothing() -> None:
    pass


@dataclass(frozen=True, slots=True)
class Form:
    """`format`: line or batch (events), ndjson, text. `levels`: codes of `LEVELS`; None: all. `longest`: bytes of a
    message past which it is cut; 0: never. `either_case`: as of `journal.expression`. `exclude`: texts, a newline
    between each two; lines that hold one are left out. `lines`: the only ones this viewer may see. `detail`: whether it
    may see the upstream's own words."""

    format: str = "line"
    sample: bool = False
    levels: frozenset[int] | None = None
    q: str = ""
    regex: bool = False
    either_case: bool | None = None
    exclude: str = ""
    since_ms: int | None = None
    until_ms: int | None = None
    longest: int = 0
    lines: tuple[int, int] | None = None
    detail: bool = True
    _finder: Finder | None = field(default=None, init=False, compare=False, repr=False)
    _excluded: tuple[Finder, ...] = field(default=(), init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        if self.q:
            object.__setattr__(self, "_finder", Finder(self.q, self.regex, self.either_case))
        texts = [text for text in self.exclude.split("\n") if text]
        object.__setattr__(self, "_excluded", tuple(Finder(text, either_case=self.either_case) for text in texts))

    @property
    def filters(self) -> bool:
        timed = self.since_ms is not None or self.until_ms is not None
        return timed or self.levels is not None or bool(self.q or self.exclude)

    @property
    def searches(self) -> bool:
        """Whether the text of lines is looked at, which takes time."""
        return bool(self.q or self.exclude)

    def passing(self, batch: Batch) -> list[int] | None:
        """The places in the batch, from 0, of the lines that pass the filters; None: all of them."""
        return finish(self.walk(batch))

    def walk(self, batch: Batch, check: Check = nothing) -> Generator[None, None, list[int] | None]:
        """The same; yields between lines that are looked at, and calls `check` within long ones."""
        chosen: list[int] | None = None
        if self.since_ms is not None or self.until_ms is not None:
            low = -1 if self.since_ms is None else self.since_ms
            high = 1 << 62 if self.until_ms is None else self.until_ms
            chosen = [index for index, time in enumerate(batch.timestamps()) if low <= time <= high]
        if self.levels is not None:
            found = level_indexes(batch, self.levels)
            chosen = found if chosen is None else sorted(set(found).intersection(chosen))
        if self._finder is not None and (chosen is None or chosen):
            found = yield from self._finder.indexes(batch, check)
            chosen = found if chosen is None else sorted(set(found).intersection(chosen))
        for finder in self._excluded:
            hidden = set((yield from finder.indexes(batch, check)))
            chosen = [place for place in (range(len(batch)) if chosen is None else chosen) if place not in hidden]
        return None if chosen is not None and len(chosen) == len(batch) else chosen

    def spans(self, line: bytes, shown: bytes) -> list[tuple[int, int]]:
        """Where in a line `q` was found: see `Finder.spans`. Nothing without `q`."""
        return [] if self._finder is None else self._finder.spans(line, shown)

    def shortened(self, line: bytes) -> bytes:
        """A line, cut where it is longer than this viewer takes."""
        return cut(line, self.longest) if 0 < self.longest < len(line) else line


def pool_of(form: Form) -> Pool:
    """The threads that make its lines: viewers that look for a text do not hold up the others."""
    return FILTERED if form.searches else LIVE


@dataclass(slots=True)
class Omitted:
    """Lines that sampling has left out and that no event has counted yet."""

    count: int = 0
    first: int = 0
    last: int = 0
    levels: dict[int, int] = field(default_factory=dict)

    def add(self, line: int, level: int) -> None:
        self.first = self.first or line
        self.last = line
        self.count += 1
        self.levels[level] = self.levels.get(level, 0) + 1

    def clear(self) -> None:
        self.count = self.first = self.last = 0
        self.levels = {}

    def event(self, epoch: str) -> bytes:
        named = {LEVELS[code] or "none": n for code, n in sorted(self.levels.items(), reverse=True)}
        return event(
            "omitted",
            {"count": self.count, "first": f"{epoch}-{self.first}", "last": f"{epoch}-{self.last}", "levels": named},
        )


@dataclass(slots=True)
class Piece:
    """Bytes for a viewer. `sent`: the last line in them, 0 for none."""

    data: bytes
    sent: int


def encode(form: Form, epoch: str, batch: Batch, omitted: Omitted) -> Piece:
    """The batch in the viewer's form. `omitted` is carried from batch to batch, and changed."""
    return encode_chosen(form, epoch, batch, omitted, form.passing(batch))


def encode_chosen(form: Form, epoch: str, batch: Batch, omitted: Omitted, chosen: list[int] | None) -> Piece:
    """The same where it is known which lines pass."""
    if form.sample:
        return _sampled(form, epoch, batch, chosen, omitted)
    if chosen is not None and not chosen:
        return Piece(b"", 0)
    if chosen is None and form.format in ("batch", "ndjson") and not (form.longest and batch.longest > form.longest):
        text = one_line(batch.lines)
        if form.format == "ndjson":
            return Piece(text.replace(SEPARATOR, b"\n") + b"\n", batch.last)
        if events := _whole(epoch, batch, text):
            return Piece(events, batch.last)
    lines = batch.split()
    indexes = range(len(lines)) if chosen is None else chosen
    picked = [lines[index] for index in indexes]
    if form.longest and batch.longest > form.longest:
        picked = [form.shortened(line) for line in picked]
    numbers = [batch.first + index for index in indexes]
    return Piece(_dress(form, epoch, numbers, picked), numbers[-1])


def _dress(form: Form, epoch: str, numbers: list[int], lines: list[bytes]) -> bytes:
    if form.format == "text":
        return "".join([shown(orjson.loads(line)["message"]) + "\n" for line in lines]).encode()
    # Most lines need neither, and a look at all of them together costs a fraction of one at each.
    joined = SEPARATOR.join(lines)
    if (clean := one_line(joined)) is not joined:
        lines = clean.split(SEPARATOR)
    if form.format == "ndjson":
        return b"\n".join(lines) + b"\n"
    if max(map(len, lines)) > DATA_BYTES:
        lines = [fitting(line) for line in lines]
    if form.format == "batch":
        return _lists(epoch, numbers, lines)
    name = epoch.encode()
    return b"".join(
        [b"id: %b-%d\ndata: %b\n\n" % (name, number, line) for number, line in zip(numbers, lines, strict=True)]
    )


def _whole(epoch: str, batch: Batch, text: bytes) -> bytes | None:
    """All lines of the batch in as many events as their size asks for. `text`: the lines, which are cut between two of
    them without a look at each, since that takes a tenth of the time. None where a line is too large for an event."""
    events: list[bytes] = []
    start, number = 0, batch.first - 1
    while len(text) - start > DATA_BYTES:
        end = text.rfind(SEPARATOR, start, start + DATA_BYTES + len(SEPARATOR))
        if end < 0:
            return None
        number += text.count(b"\t", start, end) + 1  # a tab stands nowhere else: one byte counts faster
        events.append(lines_event(f"{epoch}-{number}", text[start:end]))
        start = end + len(SEPARATOR)
    events.append(lines_event(f"{epoch}-{batch.last}", text[start:]))
    return b"".join(events)


def _lists(epoch: str, numbers: list[int], lines: list[bytes]) -> bytes:
    """The lines in as many events as their size asks for."""
    events: list[bytes] = []
    start, size = 0, 0
    for place, line in enumerate(lines):
        if size + len(line) > DATA_BYTES:
            events.append(lines_event(f"{epoch}-{numbers[place - 1]}", SEPARATOR.join(lines[start:place])))
            start, size = place, 0
        size += len(line) + len(SEPARATOR)
    events.append(lines_event(f"{epoch}-{numbers[-1]}", SEPARATOR.join(lines[start:])))
    return b"".join(events)


def fitting(line: bytes) -> bytes:
    """The line, cut as `cut` does where an event would be too large for it: escapes in JSON take room too."""
    short, longest = line, DATA_BYTES - 1024
    while len(short) > DATA_BYTES:
        short = one_line(cut(line, longest))
        longest = max(64, longest * DATA_BYTES // max(len(short), DATA_BYTES) - 64)
    return short


def _sampled(form: Form, epoch: str, batch: Batch, chosen: list[int] | None, omitted: Omitted) -> Piece:
    lines = batch.split()
    parts: list[bytes] = []
    run: list[int] = []
    sent = 0

    def flush() -> None:
        if run:
            picked = [lines[index] for index in run]
            if form.longest and batch.longest > form.longest:
                picked = [form.shortened(line) for line in picked]
            parts.append(_dress(form, epoch, [batch.first + index for index in run], picked))
            run.clear()

    for index in range(len(lines)) if chosen is None else chosen:
        mark = batch.marks[index]
        if not mark & KEPT:
            omitted.add(batch.first + index, mark & LEVEL_MASK)
            continue
        if omitted.count:
            flush()
            if form.format in ("line", "batch"):
                parts.append(omitted.event(epoch))
            omitted.clear()
        run.append(index)
        sent = batch.first + index
    flush()
    return Piece(b"".join(parts), sent)


def cut(line: bytes, longest: int) -> bytes:
    """The line, its message cut to `longest` bytes of UTF-8 where it is longer, and without the upstream's other keys
    where those are much longer; marked where anything was left out, with the `message_bytes` that it had. A line that
    redraws is cut to its end state, with the number of its `states`."""
    value = loads(line)
    size = len(value["message"].encode())
    if size > longest:
        message, states = shorter(value["message"], longest)
        size = value.get("message_bytes", size)  # of a line that was cut before
        value |= {"message": message, "cut": True, "message_bytes": size} | ({"states": states} if states else {})
        line = dump(value)
    if len(line) <= 2 * longest + 512:
        return line
    names = ("id", "line", "timestamp", "message", "level", "message_bytes", "states")
    return dump({name: value[name] for name in names if name in value} | {"cut": True})
