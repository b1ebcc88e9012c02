"""Entries to write, and what was written."""

from __future__ import annotations

from typing import Any

import orjson

from webapp.journal.line import Entry
from webapp.store.base import Journal

START_MS = 1_700_000_000_000


def entries(first: int, count: int) -> list[Entry]:
    return [Entry(START_MS + n, f"line {n}", None, n + 1) for n in range(first, first + count)]


def lines(journal: Journal) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while batches := journal.read(len(found) + journal.trimmed_to()):
        found += [orjson.loads(line) for batch in batches for line in batch.split()]
    return found


def messages(journal: Journal) -> list[str]:
    return [line["message"] for line in lines(journal)]


def numbered(count: int) -> list[str]:
    return [f"line {n}" for n in range(count)]
