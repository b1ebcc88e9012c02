"""What writers count of their appends, whatever they write to."""

from __future__ import annotations

import time
from collections.abc import Sequence

from ..counts import counts
from ..journal.batch import Batch


def appended(batches: Sequence[Batch], began: float) -> None:
    """`began`: when the append did, on the monotonic clock."""
    counts.add("batches_in_total")
    counts.add("append_seconds_total", time.monotonic() - began)
    counts.add("lines_in_total", sum(map(len, batches)))
    counts.add("bytes_in_total", sum(len(batch.lines) for batch in batches))
