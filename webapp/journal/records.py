"""A record is more than its first line: what stands below an error belongs to it.

A traceback ends with its exception line. Stack frames, the source that a compiler quotes and the box that a tool draws
belong to the line above them. Between two appends an `OpenRecord` is remembered for each stream.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

NONE, TRACEBACK, INDENTED, GOROUTINE, FRAMES = range(5)
MOST_LINES = 2000  # of one record: what goes on for longer is not one

_TRACEBACK = re.compile(r"(\s*)(?:\+ )?(?:Exception Group )?Traceback \(most recent call last\)")
_INDENTED = re.compile(r"CMake (?:Error|Warning|Deprecation)|\s*● .* › |\s*--- FAIL: ")
_GOROUTINE = re.compile(r"panic: |goroutine [0-9]+ \[|fatal error: ")
# What goes on with whatever stands above it.
FRAME = (
    r"\s+at (?:async )?[\w$.<>\[\]`/@ ]+[(:]|\s+at (?:\S+:[0-9]+|<anonymous>)|\s*\.\.\. [0-9]+ (?:more|common frames)"
    r"|Caused by: |\s+Suppressed: |\s*--- End of "
    r"|\s*[0-9]* +\||\s*[0-9]+ \| |\s+(?:-->|:::) |\s+[\^~]+\s*$|\s+= (?:note|help): |[│|](?: |$)|╵"
    r"|\s+from \S+:[0-9]+:in |#[0-9]+ \S|\t\S"
)
_FRAME = re.compile(FRAME)
_GO_LINE = re.compile(r"\s*$|\t|goroutine |created by |\[signal |exit status |.*\)$|main\.|runtime\.")


# The beginning of lines that go on with a record, or begin one that goes on by other rules than frames.
TELLING = rf"{FRAME}|\s*(?:\+ )?(?:Exception Group )?Traceback |{_INDENTED.pattern}|{_GOROUTINE.pattern}"


@dataclass(frozen=True, slots=True)
class OpenRecord:
    """What the line before was part of. `level`: its code. `indent`: of its first line, where that matters. `lines`: so
    far."""

    kind: int = NONE
    level: int = 0
    indent: int = 0
    lines: int = 0

    @property
    def open(self) -> bool:
        """What comes next may belong to it whatever it looks like."""
        return self.kind in (TRACEBACK, INDENTED, GOROUTINE)


NOTHING = OpenRecord()


def follow(record: OpenRecord, line: str, level: int) -> tuple[int, OpenRecord]:
    """The level of a line below `record`, and the record that the next line stands below. `level`: what the line says
    by itself, 0 for nothing."""
    head = _TRACEBACK.match(line)
    if head:
        return level, OpenRecord(TRACEBACK, level, len(head[1]))
    if record.kind == TRACEBACK and record.lines < MOST_LINES:
        return _traced(record, line, level)
    if level == 0 and record.level and _belongs(record, line):
        return (record.level if line.strip() else 0), _longer(record)
    return level, _opened(line, level)


def _traced(record: OpenRecord, line: str, level: int) -> tuple[int, OpenRecord]:
    text = line.lstrip()
    indent = len(line) - len(text)
    if indent > record.indent or not text or line[record.indent : record.indent + 1] in ("|", "+"):
        return (record.level if text else level), _longer(record)
    # The exception line: the last of a traceback.
    return max(level, record.level), OpenRecord(FRAMES, record.level)


def _belongs(record: OpenRecord, line: str) -> bool:
    if record.lines >= MOST_LINES:
        return False
    if record.kind == INDENTED:
        return not line.strip() or _indent(line) > record.indent
    if record.kind == GOROUTINE:
        return _GO_LINE.match(line) is not None
    return _FRAME.match(line) is not None


def _opened(line: str, level: int) -> OpenRecord:
    if level == 0:
        return NOTHING
    if _INDENTED.match(line):
        return OpenRecord(INDENTED, level, _indent(line))
    return OpenRecord(GOROUTINE if _GOROUTINE.match(line) else FRAMES, level)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _longer(record: OpenRecord) -> OpenRecord:
    return OpenRecord(record.kind, record.level, record.indent, record.lines + 1)
