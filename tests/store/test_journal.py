"""The journal on real SQLite: what is numbered stays, whatever else happens."""

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from array import array
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from webapp.errors import DamagedJournal, JournalError, LeaseLost
from webapp.journal.batch import KEPT, LATE, MAX_LINES, Batch, join
from webapp.journal.line import Entry
from webapp.journal.redact import Redactor
from webapp.models import RunStatus
from webapp.store.sqlite.clock import SYSTEM
from webapp.store.sqlite.damage import identity, move_damaged
from webapp.store.sqlite.journal import SqliteJournal
from webapp.store.sqlite.journals import SqliteJournals

from ..written import Written


def texts(batches: list[Batch]) -> list[str]:
    return [orjson.loads(line)["message"] for batch in batches for line in batch.split()]


def everything(journal: SqliteJournal) -> list[dict]:
    lines, after = [], 0
    while batches := journal.read(after):
        lines += [orjson.loads(line) for batch in batches for line in batch.split()]
        after = batches[-1].last
    return lines


def test_lines_are_numbered_from_one_and_carry_their_cursor(journal, entries):
    journal.append(entries(0, 3))
    journal.append(entries(3, 2))
    assert [(line["id"], line["line"]) for line in everything(journal)] == [
        (f"{journal.epoch}-{n}", n) for n in range(1, 6)
    ]


def test_a_long_append_is_cut_into_batches_and_read_back_whole(journal, entries):
    batches = journal.append(entries(0, 3 * MAX_LINES + 7))
    assert [len(batch) for batch in batches] == [MAX_LINES] * 3 + [7]
    assert texts(journal.read(0)) == [f"line {n}" for n in range(3 * MAX_LINES + 7)]


def test_small_appends_share_a_row(journal, entries):
    for n in range(40):
        journal.append(entries(n, 1))
    assert len(journal.spans(0)) == 1
    assert texts(journal.read(25)) == [f"line {n}" for n in range(25, 40)]


def test_reading_begins_and_ends_within_a_batch(journal, entries):
    journal.append(entries(0, 1200))
    assert texts(journal.read(499, upto=502)) == ["line 499", "line 500", "line 501"]
    assert texts(journal.read_back(3)) == ["line 0", "line 1"]
    assert journal.read(1200) == []
    assert journal.read(502, upto=502) == []


def test_reading_is_bounded_but_gives_at_least_a_batch(journal, entries):
    journal.append(entries(0, 5 * MAX_LINES))
    assert len(journal.read(0, most_bytes=1)) == 1
    assert len(journal.read_back(10**9, most_bytes=1)) == 1


def test_parts_joined_are_the_whole(journal, entries):
    (batch,) = journal.append(entries(0, 100))
    whole = join([batch.part(1, 30), batch.part(31, 31), batch.part(32, 100)])
    assert (whole.lines, whole.marks, whole.times) == (batch.lines, batch.marks, batch.times)


def test_a_time_is_found_even_behind_lines_that_came_late(journal):
    for start in (1000, 500, 2000, 1500, 3000):
        journal.append([Entry(start + n, "x" * 200, None, 0) for n in range(400)])
    for wanted in (0, 1399, 1400, 2100, 3399):
        first = journal.line_at(wanted)
        assert all(line["timestamp"] < wanted for line in everything(journal) if line["line"] < first)
    assert journal.line_at(3400) == 2001


def test_an_entry_that_came_after_later_ones_had_gone_out_is_late(journal):
    journal.append([Entry(1000, "a", None, 1), Entry(3000, "b", None, 2)])
    (batch,) = journal.append([Entry(2000, "c", None, 3), Entry(3000, "d", None, 4)])
    assert [orjson.loads(line).get("late") for line in batch.split()] == [True, None]
    assert [bool(mark & LATE) for mark in batch.marks] == [True, False]


def test_one_entry_from_the_future_makes_no_other_late(journal):
    journal.append([Entry(10**14, "from next year", None, 1)])
    (batch,) = journal.append([Entry(1000, "now", None, 2)])
    assert not batch.marks[0] & LATE


def test_a_source_of_exact_positions_has_no_late_lines(journal):
    journal.append([Entry(2000, "a", None, 0)], mark_late=False)
    (batch,) = journal.append([Entry(1000, "the clock was set back", None, 0)], mark_late=False)
    assert not batch.marks[0] & LATE


def test_other_keys_stay_and_those_that_clash_stand_under_upstream(journal):
    extra = {"pod": "p-1", "level": "WARN", "id": 7, "n": 2**70, "deep": {"a": [1]}}
    journal.append([Entry(1, "m", extra, 0)])
    (line,) = everything(journal)
    assert (line["pod"], line["n"], line["deep"]) == ("p-1", 2**70, {"a": [1]})
    assert line["upstream"] == {"level": "WARN", "id": 7}
    assert line["level"] == "warning"


@pytest.mark.parametrize(
    "message", ["a\tb,\t{", "\x00\x1b[31m\r\u2028\x85", "x" * 10_000_000, "\U0001f600", "", '"}],\\']
)
def test_any_message_is_one_line(journal, message):
    journal.append([Entry(1, "before", None, 0), Entry(2, message, None, 0), Entry(3, "after", None, 0)])
    assert [line["message"] for line in everything(journal)] == ["before", message, "after"]


def test_keys_are_counted_within_a_stretch_of_time(journal):
    journal.append([Entry(1000, "a", None, 2**64 - 1), Entry(1000, "a", None, 2**64 - 1), Entry(2000, "b", None, 7)])
    assert journal.seen(0, 1000) == {}
    assert journal.seen(1000, 2000) == {2**64 - 1: 2}
    assert journal.seen(0, 10**15) == {2**64 - 1: 2, 7: 1}


def test_keys_of_128_bits_are_kept_whole(journal):
    journal.append([Entry(1000, "a", None, 2**127 + 5), Entry(1000, "b", None, 5), Entry(1000, "c", None, 2**64)])
    assert journal.seen(0, 2000) == {2**127 + 5: 1, 5: 1, 2**64: 1}
    assert not journal.short_keys()


def test_a_journal_of_before_goes_on_with_its_keys_of_64_bits(journal):
    journal.append([Entry(1000, "a", None, 7), Entry(1000, "b", None, 2**64 - 1)])
    with sqlite3.connect(journal.path) as db:
        db.execute("UPDATE trace SET keys = ?", (array("Q", [7, 2**64 - 1]).tobytes(),))
    assert journal.short_keys()
    journal.append([Entry(1001, "c", None, 9)])
    assert journal.short_keys()
    assert journal.seen(0, 2000) == {7: 1, 2**64 - 1: 1, 9: 1}


def test_keys_without_a_time_of_their_own_are_counted_apart(journal):
    journal.append([Entry(5, "a", None, 2**63 + 1, timed=False), Entry(5, "a", None, 2**63 + 1, timed=False)])
    assert journal.seen(0, 100) == {}
    assert journal.seen_untimed() == {2**63 + 1: 2}


def test_trimming_takes_lines_and_leaves_their_keys(journal, entries):
    journal.append(entries(0, 3 * MAX_LINES))
    assert journal.trim(2 * MAX_LINES + 100) == 2 * MAX_LINES
    assert journal.state().trimmed_to == 2 * MAX_LINES
    assert texts(journal.read(0))[0] == f"line {2 * MAX_LINES}"
    assert len(journal.seen(0, 2**62)) == 3 * MAX_LINES


def test_a_heartbeat_alone_is_no_change(journal):
    journal.set_status({"job_id": "a", "last_heartbeat": "1"})
    revision = journal.state().revision
    journal.set_status({"job_id": "a", "last_heartbeat": "2"})
    assert journal.state().revision == revision


def test_a_status_is_blanked_in_its_texts_and_stays_a_status(tmp_path):
    journals = SqliteJournals(tmp_path, Redactor([r"\d{4}-\d{2}-\d{2}", "hunter2", "job|tasks|finished"]), beat_ms=1000)
    journal = Written(journals.open("job-2026-01-02"))
    told = RunStatus(
        job_id="job-2026-01-02", job_name="hunter2 of 1999-12-31", instance_id="hunter2",
        job_status_date=datetime(2026, 1, 2, tzinfo=UTC), last_heartbeat=datetime(2026, 1, 3, tzinfo=UTC),
        finished_job_status=True, total_tasks=7, finished_tasks=3,
    ).model_dump(mode="json")  # fmt: skip
    told |= {"detail": "since 1999-12-31", "born": {"on": ["1999-12-31"]}, "hunter2": 1}
    journal.set_status(told)
    held = journal.state().status
    status = RunStatus.model_validate(held)
    assert (status.job_id, status.finished, status.total_tasks, status.finished_tasks) == ("job-2026-01-02", True, 7, 3)
    assert status.model_dump(mode="json")["job_status_date"] == told["job_status_date"]
    assert status.model_dump(mode="json")["last_heartbeat"] == told["last_heartbeat"]
    assert (held["detail"], held["born"], held["***"]) == ("since ***", {"on": ["***"]}, 1)
    assert "hunter2" not in str(held) and "1999" not in str(held)
    journal.set_status({**told, "job_id": "hunter2"})
    assert "hunter2" not in str(journal.state().status)
    journals.close()


def test_forgetting_begins_anew_and_leaves_nothing_on_the_disk(journals, tmp_path):
    journal = Written(journals.open("b"))
    journal.append([Entry(1, "hunter2-is-the-password", None, 1)] * 2000)
    epoch = journal.epoch
    journal.forget()
    state = journal.state()
    assert (state.last_line, state.finished) == (0, False)
    assert state.epoch != epoch
    assert not any(b"hunter2" in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_another_process_sees_the_same_journal(journals, journal, entries, tmp_path):
    other = SqliteJournals(tmp_path, Redactor(()), beat_ms=1000)
    journal.append(entries(0, 2))
    journal.release()
    theirs = Written(other.open("a-job"))
    theirs.append(entries(2, 2))
    assert theirs.epoch == journal.epoch
    assert texts(journal.read(0)) == [f"line {n}" for n in range(4)]
    other.close()


def test_a_damaged_file_is_set_aside_and_begun_anew(journals, tmp_path, caplog):
    path = journals.path("a-job")
    path.write_bytes(b"this is no database, and it never was one" * 100)
    journal = Written(journals.open("a-job"))
    journal.append([Entry(1, "on we go", None, 0)])
    assert len(list(path.parent.glob("*.damaged-*"))) == 1
    assert "is damaged" in caplog.text


def test_who_holds_a_damaged_file_that_another_has_moved_goes_on_in_the_new_one(journals, tmp_path, entries):
    mine = Written(journals.open("a-job"))
    epoch = mine.epoch
    other = SqliteJournals(tmp_path, Redactor(()), beat_ms=1000)
    theirs = other.open("a-job")
    assert move_damaged(theirs.path, identity(theirs.path), "some page of it is broken") is not None
    with pytest.raises(DamagedJournal, match="replaced"):
        mine.append(entries(0, 3))
    with pytest.raises(LeaseLost):
        mine.append(entries(0, 3))
    again = Written(mine.journal)
    again.append(entries(0, 3))
    with pytest.raises(DamagedJournal, match="replaced"):
        theirs.read(0)
    assert texts(theirs.read(0)) == [f"line {n}" for n in range(3)]
    assert theirs.state().epoch == again.epoch != epoch
    assert len(list((tmp_path / "jobs").glob("*.damaged-*.sqlite3"))) == 1
    other.close()


def test_an_unwritable_folder_is_a_clear_error(tmp_path):
    (tmp_path / "jobs").write_text("a file, not a folder")
    with pytest.raises(JournalError, match="jobs"):
        SqliteJournals(tmp_path, Redactor(()), beat_ms=1000).open("a-job")


def test_ids_that_differ_in_case_alone_have_journals_of_their_own(journals, entries):
    Written(journals.open("Job")).append(entries(0, 1))
    assert not journals.known("job")
    assert journals.open("job").state().last_line == 0


def test_journals_past_their_time_go_and_a_full_folder_loses_the_oldest(tmp_path):
    now = [1_800_000_000_000]
    clock = replace(SYSTEM, wall_ms=lambda: now[0])
    journals = SqliteJournals(tmp_path, Redactor(()), beat_ms=1000, max_bytes=1 << 20, retention_days=1, clock=clock)
    for job, days in (("old", 2), ("elder", 0.5), ("younger", 0.4)):
        now[0] -= (changed := int(days * 86_400_000))
        writer = journals.open(job).claim(60)
        writer.append([Entry(1, "x" * 1000, None, n + 1) for n in range(600)])
        writer.release()
        journals.release(job)
        os.utime(journals.path(job), (now[0] / 1000, now[0] / 1000))
        now[0] += changed
    assert journals.sweep() == ["old", "elder"]
    assert journals.known("younger") and not journals.known("elder")
    journals.close()


def test_the_journal_in_use_is_trimmed_where_it_alone_is_too_large(tmp_path):
    journals = SqliteJournals(tmp_path, Redactor(()), beat_ms=1000, max_bytes=1 << 20)
    journal = Written(journals.open("big"))
    for _ in range(10):
        journal.append([Entry(1, "x" * 1000, None, n + 1) for n in range(500)])
    assert journals.sweep() == []
    assert journal.state().trimmed_to >= 2000
    assert texts(journal.read(4999)) == ["x" * 1000]
    journals.close()


def test_the_journal_that_another_process_writes_is_trimmed_too_and_not_kept_open(tmp_path):
    runner = SqliteJournals(tmp_path, Redactor(()), beat_ms=1000)
    service = SqliteJournals(tmp_path, Redactor(()), beat_ms=1000, max_bytes=1 << 20)
    journal = Written(runner.open("big"))
    for _ in range(10):
        journal.append([Entry(1, "x" * 1000, None, n + 1) for n in range(500)])
    before = sum(path.stat().st_size for path in journal.path.parent.iterdir())
    assert service.sweep() == []
    assert journal.state().trimmed_to >= 2000
    assert sum(path.stat().st_size for path in journal.path.parent.iterdir()) < 0.8 * before
    assert not service._open
    journal.append([Entry(1, "on we go", None, 0)])
    assert texts(journal.read(5000)) == ["on we go"]
    runner.close()


def test_what_was_appended_is_there_after_a_kill(tmp_path):
    """kill -9 in the midst of appending: every line that append() returned for is there, and none twice."""
    script = textwrap.dedent(
        f"""
        import sys
        from pathlib import Path
        from webapp.journal.line import Entry
        from webapp.journal.redact import Redactor
        from webapp.store.sqlite.journals import SqliteJournals
        journal = SqliteJournals(Path({str(tmp_path)!r}), Redactor(()), beat_ms=1000).open("a-job").claim(60)
        n = 0
        while True:
            journal.append([Entry(n + k, str(n + k), None, n + k + 1) for k in range(50)])
            n += 50
            print(n, flush=True)
        """
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    promised = 0
    while promised < 3000:
        promised = int(process.stdout.readline())
    process.send_signal(signal.SIGKILL)
    promised = max([promised, *map(int, process.stdout.read().split())])
    process.wait()
    journals = SqliteJournals(Path(tmp_path), Redactor(()), beat_ms=1000)
    lines = everything(journals.open("a-job"))
    assert [line["message"] for line in lines] == [str(n) for n in range(len(lines))]
    assert len(lines) >= promised
    journals.close()


def test_a_full_disk_is_an_error_and_nothing_is_half_written(journals, journal, entries):
    journal.append(entries(0, 10))
    pages = journal._current().writer.execute("PRAGMA page_count").fetchone()[0]
    journal._current().writer.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(JournalError, match="full"):
        journal.append([Entry(1, "x" * 1000, None, 1) for _ in range(5000)])
    assert texts(journal.read(0)) == [f"line {n}" for n in range(10)]
    journal._current().writer.execute("PRAGMA max_page_count = 1000000")
    journal.append(entries(10, 1))
    assert journal.state().last_line == 11


def test_every_commit_is_on_disk_before_it_returns(journal):
    assert journal._current().writer.execute("PRAGMA synchronous").fetchone() == (2,)
    assert journal._current().writer.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert sqlite3.threadsafety == 3


def test_the_last_line_of_an_append_and_the_first_of_the_job_are_kept(journal, entries):
    (batch,) = journal.append(entries(0, 5))
    assert [bool(mark & KEPT) for mark in batch.marks] == [True, False, False, False, True]
    (batch,) = journal.append(entries(5, 3))
    assert [bool(mark & KEPT) for mark in batch.marks] == [False, False, True]


def test_a_stretch_that_ends_within_a_batch_ends_there(
    journal: SqliteJournal, entries: Callable[..., list[Entry]]
) -> None:
    journal.append(entries(1, 10))
    assert [(batch.first, batch.last) for batch in journal.read(4, upto=6)] == [(5, 6)]
    assert journal.read(6, upto=6) == []
    assert journal.read(9, upto=6) == []
