"""What has to be remembered of a job's lines to read the next ones: keys that have begun, records that go on."""

from __future__ import annotations

from dataclasses import dataclass, field

from .key_blocks import KeyBlocks
from .records import OpenRecord


@dataclass(slots=True)
class Memory:
    """`records`: of each stream, what its last line was part of."""

    keys: KeyBlocks = field(default_factory=KeyBlocks)
    records: dict[str, OpenRecord] = field(default_factory=dict)

    def copy(self) -> Memory:
        return Memory(self.keys.copy(), dict(self.records))
