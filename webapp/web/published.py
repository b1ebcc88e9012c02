"""Our objects as the Fused wire has them: entries sorted by time with their newline back, records and steps that the
published client takes."""

from __future__ import annotations

import shlex
from bisect import bisect_left
from collections.abc import Iterator
from operator import itemgetter
from typing import Any

import orjson

from ..journal.journal import Journal
from ..journal.line import OURS
from ..models import JobRecord

CHUNK_BYTES = 256 << 10
_NEVER = "1970-01-01T00:00:00Z"


def sorted_log(journal: Journal, since_ms: int | None) -> Iterator[bytes]:
    """The JSON list of all entries, sorted by timestamp, those of one millisecond in the journal's order.

    Lines wait in memory only for batches that reach back to before them: as many as came late at once.
    """
    low = -1 if since_ms is None else since_ms
    spans = [span for span in journal.spans(0) if span.high_ms >= low]
    spans.sort(key=lambda span: (span.low_ms, span.first))
    waiting: list[tuple[int, int, bytes]] = []
    chunk, comma = bytearray(b"["), b""
    for index, span in enumerate(spans):
        for batch in journal.read(span.first - 1, most_bytes=1, upto=span.last):
            entries = zip(batch.timestamps(), range(batch.first, batch.last + 1), batch.split(), strict=True)
            waiting += [entry for entry in entries if entry[0] >= low]
        waiting.sort(key=itemgetter(0, 1))
        bound = spans[index + 1].low_ms if index + 1 < len(spans) else 1 << 62
        ready = bisect_left(waiting, bound, key=itemgetter(0))
        for _, _, line in waiting[:ready]:
            chunk += comma + published_entry(line)
            comma = b","
        del waiting[:ready]
        if len(chunk) >= CHUNK_BYTES:
            yield bytes(chunk)
            chunk.clear()
    yield bytes(chunk + b"]")


def published_entry(line: bytes) -> bytes:
    """A line as the entry it came as: its newline back, its own keys, none of ours."""
    value = orjson.loads(line)
    entry = {"timestamp": value["timestamp"], "message": value["message"] + "\n"}
    entry |= {name: kept for name, kept in value.items() if name not in OURS}
    clashed = value.get("upstream")
    if isinstance(clashed, dict):
        entry |= {name: kept for name, kept in clashed.items() if name not in ("timestamp", "message")}
    return orjson.dumps(entry)


def published_record(job: JobRecord) -> dict[str, Any]:
    """The published client refuses a job without these."""
    record = job.model_dump(mode="json")
    for name, default in (("user_id", ""), ("creation_date", _NEVER), ("execution_environment_id", "")):
        record[name] = record[name] or default
    return record


def published_config(config: dict[str, Any]) -> dict[str, Any]:
    """The published client refuses a step of a kind that it does not know, so a command is given as a `udf`."""
    steps = [_udf_of(step) if step["type"] == "command" else step for step in config["steps"]]
    return {**config, "steps": steps}


def _udf_of(step: dict[str, Any]) -> dict[str, Any]:
    command = step.get("command") or []
    code = shlex.join(command) if isinstance(command, list) else str(command)
    udf = {"type": "geopandas_v2", "name": step.get("name"), "code": code, "entrypoint": "udf", "metadata": None}
    return {**step, "type": "udf", "udf": udf}
