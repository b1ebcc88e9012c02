"""What one read of a job's log was like."""

from __future__ import annotations

from dataclasses import dataclass

from ..journal.line import Entry


@dataclass(slots=True)
class Fetch:
    """What a read of the log was like. `complete`: it was the whole log, shown to be so, with nothing new and all that
    we hold in it. `late_ms`: how much older than the newest one we knew the oldest new entry was, of those within the
    widest window; `behind_ms`: the same of all. `first_ms`, `last_ms`: of what is newer than all that we knew, -1 for
    none. `holes`: entries may be hidden that we never had; `hidden_end`: behind the last line."""

    held: int = 0
    new: int = 0
    entries: int = 0
    late_ms: int = 0
    behind_ms: int = 0
    holes: bool = False
    hidden_end: bool = False
    complete: bool = False
    newest_ms: int = -1
    first_ms: int = -1
    last_ms: int = -1

    @property
    def span(self) -> float:
        """Seconds from the first to the last of the entries that are newer than all that we knew."""
        return (self.last_ms - self.first_ms) / 1000

    def arrived(self, entries: list[Entry], window_most_ms: int) -> None:
        """Takes note of new entries, sorted."""
        if self.newest_ms >= 0:
            floor = self.newest_ms - window_most_ms
            oldest = next((entry.timestamp for entry in entries if entry.timed and entry.timestamp >= floor), None)
            if oldest is not None:
                self.late_ms = max(self.late_ms, self.newest_ms - oldest)
            first = next((entry.timestamp for entry in entries if entry.timed), self.newest_ms)
            self.behind_ms = max(self.behind_ms, self.newest_ms - first)
        newer = next((entry.timestamp for entry in entries if entry.timed and entry.timestamp > self.newest_ms), None)
        if newer is not None:
            self.first_ms = newer if self.first_ms < 0 else min(self.first_ms, newer)
            self.last_ms = max(self.last_ms, entries[-1].timestamp)
