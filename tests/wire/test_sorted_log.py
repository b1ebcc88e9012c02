"""What `/server/v1/logs` makes of a journal: entries as they came, sorted by time, whatever the batches are."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from tests.written import Written
from webapp.journal.line import Entry
from webapp.journal.redact import Redactor
from webapp.models import JobRecord
from webapp.store.sqlite.journal import SqliteJournal
from webapp.web.published import published_config, published_entry, published_record
from webapp.web.sorted_log import sorted_log


@pytest.fixture
def journal(tmp_path: Path) -> Written:
    return Written(SqliteJournal(tmp_path / "job.sqlite3", "job-1", Redactor(()), 1000))


def log(journal: Written, since_ms: int | None = None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(b"".join(sorted_log(journal, since_ms)))
    return found


def test_no_line_is_an_empty_list(journal: Written) -> None:
    assert log(journal) == []


def test_late_lines_stand_where_they_belong_and_ties_keep_their_order(journal: Written) -> None:
    journal.append([Entry(1000, "a"), Entry(2000, "c"), Entry(2000, "d")])
    journal.append([Entry(1500, "b"), Entry(2000, "e"), Entry(3000, "f")])
    journal.append([Entry(500, "first")])
    assert [entry["message"] for entry in log(journal)] == ["first\n", "a\n", "b\n", "c\n", "d\n", "e\n", "f\n"]


def test_since_ms_holds_the_millisecond_itself(journal: Written) -> None:
    journal.append([Entry(1000, "a"), Entry(2000, "b"), Entry(2001, "c")])
    journal.append([Entry(1999, "late"), Entry(2000, "late too")])
    assert [entry["message"] for entry in log(journal, 2000)] == ["b\n", "late too\n", "c\n"]
    assert log(journal, 5000) == []
    assert len(log(journal, -1)) == 5


def test_many_batches_in_any_order_come_out_sorted(journal: Written) -> None:
    chance = random.Random(7)
    expected = []
    for batch in range(60):
        entries = [
            Entry(max(0, batch * 100 + i - (chance.randrange(3000) if chance.random() < 0.05 else 0)), f"{batch}/{i}")
            for i in range(100)
        ]
        entries.sort(key=lambda entry: entry.timestamp)
        journal.append(entries)
        expected += [(entry.timestamp, entry.message + "\n") for entry in entries]
    expected.sort(key=lambda pair: pair[0])
    assert [(entry["timestamp"], entry["message"]) for entry in log(journal)] == expected


def test_an_entry_has_its_own_keys_and_none_of_ours(journal: Written) -> None:
    journal.append([Entry(1, "x", {"stream": "stderr", "id": 7, "level": "loud", "line": 3, "pod": {"a": [1]}})])
    assert log(journal) == [
        {"timestamp": 1, "message": "x\n", "stream": "stderr", "id": 7, "level": "loud", "line": 3, "pod": {"a": [1]}}
    ]
    plain = b'{"id":"e-1","line":1,"timestamp":5,"message":"m","level":null,"late":true}'
    assert json.loads(published_entry(plain)) == {"timestamp": 5, "message": "m\n"}


def test_a_command_is_given_as_a_step_that_the_published_client_knows() -> None:
    step = {"type": "command", "name": "n", "command": ["echo", "a b"], "cwd": "/x"}
    found = published_config({"name": "n", "steps": [step], "metadata": {"host": "h"}})
    assert found["steps"][0]["type"] == "udf"
    assert found["steps"][0]["udf"]["code"] == "echo 'a b'"
    assert found["steps"][0]["command"] == ["echo", "a b"]
    theirs = {"name": None, "steps": [{"type": "newer", "x": 1}], "metadata": None}
    assert published_config(theirs) == theirs


def test_a_record_holds_what_the_published_client_insists_on() -> None:
    record = published_record(JobRecord.model_validate({"id": "j", "extra": 1}))
    assert record["user_id"] == "" and record["execution_environment_id"] == ""
    assert record["creation_date"] and record["extra"] == 1


def test_two_clocks_and_lines_that_come_from_long_ago_are_sorted_too(journal: Written) -> None:
    """Half of the lines are 40 s behind, and now and then one is from the very beginning."""
    chance = random.Random(11)
    expected = []
    for batch in range(40):
        entries = [Entry(100_000 + batch * 1000 + i - 40_000 * (i % 2), f"{batch}/{i}") for i in range(700)]
        entries.append(Entry(chance.randrange(100), f"{batch}/old"))
        entries.sort(key=lambda entry: entry.timestamp)
        journal.append(entries)
        expected += [(entry.timestamp, entry.message + "\n") for entry in entries]
    expected.sort(key=lambda pair: pair[0])
    assert [(entry["timestamp"], entry["message"]) for entry in log(journal)] == expected
    for since in (50, 90_000, 100_000, 139_999, 10**9):
        found = [(entry["timestamp"], entry["message"]) for entry in log(journal, since)]
        assert found == [pair for pair in expected if pair[0] >= since]


def test_a_trimmed_log_gives_what_is_left(journal: Written) -> None:
    for batch in range(4):
        journal.append([Entry(batch * 1000 + i, f"{batch}/{i}") for i in range(600)])
    trimmed = journal.trim(1300)
    assert 0 < trimmed <= 1300
    journal.append([Entry(5, "late")])
    found = [entry["message"] for entry in log(journal)]
    assert found[0] == "late\n" and len(found) == 2400 - trimmed + 1
