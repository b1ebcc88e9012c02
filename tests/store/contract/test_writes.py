"""What a writer keeps, and what every process then reads."""

from __future__ import annotations

import pytest

from webapp.errors import ProducerGap, StaleProducer
from webapp.journal.batch import KEPT, LATE, MAX_LINES
from webapp.journal.line import Entry
from webapp.store.base import Journal, ProducerBatch, Store

from .lines import START_MS, entries, lines, messages, numbered


def test_lines_are_numbered_from_one_and_read_by_every_process(journal: Journal, other: Store) -> None:
    writer = journal.claim(60)
    writer.append(entries(0, 3))
    writer.append(entries(3, 2 * MAX_LINES))
    theirs = other.journals.open("a-job")
    epoch = journal.state().epoch
    assert [line["id"] for line in lines(theirs)] == [f"{epoch}-{n}" for n in range(1, 2 * MAX_LINES + 4)]
    assert messages(theirs) == numbered(2 * MAX_LINES + 3)
    assert theirs.state() == journal.state()


def test_the_lines_that_append_gives_are_those_that_are_read(journal: Journal) -> None:
    writer = journal.claim(60)
    writer.append(entries(0, 3))
    batches = writer.append(entries(3, 40))
    read = journal.read(3)
    assert b"".join(batch.lines for batch in batches) == b"".join(batch.lines for batch in read)
    assert b"".join(batch.marks for batch in batches) == b"".join(batch.marks for batch in read)
    assert b"".join(batch.times for batch in batches) == b"".join(batch.times for batch in read)


def test_reading_begins_ends_and_stops_where_it_is_told(journal: Journal) -> None:
    journal.claim(60).append(entries(0, 5 * MAX_LINES))
    assert [(batch.first, batch.last) for batch in journal.read(MAX_LINES - 2, upto=MAX_LINES + 3)] == [
        (MAX_LINES - 1, MAX_LINES), (MAX_LINES + 1, MAX_LINES + 3),
    ]  # fmt: skip
    assert journal.read(7, upto=7) == journal.read(5 * MAX_LINES) == []
    assert sum(map(len, journal.read(0, most_bytes=1))) <= MAX_LINES
    assert [(batch.first, batch.last) for batch in journal.read_back(4)] == [(1, 3)]
    assert sum(span.last - span.first + 1 for span in journal.spans(0)) == 5 * MAX_LINES


def test_batches_without_a_level_that_is_asked_for_are_passed_over(journal: Journal) -> None:
    writer = journal.claim(60)
    writer.append([Entry(1, "x" * 20_000, None), Entry(2, "x" * 20_000, None)])
    writer.append([Entry(3, "ERROR it fell", None), Entry(4, "x" * 20_000, None)])
    found = journal.read(0, levels=frozenset({4}))
    assert [batch.first for batch in found] == [3]
    assert [batch.first for batch in journal.read_back(9, levels=frozenset({4}))] == [3]
    assert journal.read(0, levels=frozenset({3})) == []


def test_times_keys_gaps_and_the_overview(journal: Journal) -> None:
    writer = journal.claim(60)
    writer.append(entries(0, 1200))
    writer.append([Entry(5, "untimed", None, 77, timed=False)])
    writer.add_gap(600, "upstream", 4)
    writer.add_gap(600, "upstream", 9)
    assert journal.first_and_last_ms() == (5, START_MS + 1199)
    assert 1 <= journal.line_at(START_MS + 700) <= 701
    assert journal.line_at(START_MS + 5000) == 1202
    assert journal.seen(START_MS + 10, START_MS + 13) == {11: 1, 12: 1, 13: 1}
    assert journal.seen_untimed() == {77: 1} and not journal.short_keys()
    assert [(gap.after_line, gap.reason, gap.count) for gap in journal.gaps(0, 2000)] == [(600, "upstream", 4)]
    assert journal.gaps(601, 2000) == journal.gaps(0, 600) == []
    parts = journal.overview(2)
    assert (parts[0].first, parts[-1].last, len(parts)) == (1, 1201, 2)


def test_sampling_and_lateness_go_on_from_one_writer_to_the_next(journal: Journal) -> None:
    first = journal.claim(60)
    first.append(entries(100, 5))
    first.release()
    (batch,) = journal.claim(60).append(entries(0, 3))
    assert [bool(mark & LATE) for mark in batch.marks] == [True] * 3
    assert [bool(mark & KEPT) for mark in batch.marks] == [False, False, True]


def test_secrets_are_blanked_in_all_that_is_written(journal: Journal) -> None:
    writer = journal.claim(60)
    writer.append([Entry(1, "hunter2", {"k": "hunter2"})], partial={"message": "hunter2", "stream": "stdout"})
    writer.set_status({"job_id": "a-job", "job_name": "hunter2"})
    writer.set_upstream({"state": "retrying", "detail": "hunter2"})
    assert "hunter2" not in f"{journal.state()}{lines(journal)}"
    writer.finish(True, {"job_id": "a-job", "job_name": "hunter2"})
    assert "hunter2" not in str(journal.state().status)


def test_a_change_is_seen_by_all_in_one_look_and_what_is_no_change_is_not(store: Store, other: Store) -> None:
    jobs = [f"job-{n}" for n in range(5)]
    journals = {job: store.journals.open(job) for job in jobs}
    marks = {job: other.journals.open(job).state().mark for job in jobs}
    assert other.journals.changes(marks) == []
    writer = journals["job-3"].claim(60)
    writer.renew()
    status = {"job_id": "job-3", "last_heartbeat": "1"}
    assert other.journals.changes(marks) == []
    for change in (
        lambda: writer.append(entries(0, 1)),
        lambda: writer.set_status(status),
        lambda: writer.set_partial({"message": "41 %"}),
        lambda: writer.finish(True),
        lambda: journals["job-3"].forget(),
    ):
        change()
        assert other.journals.changes(marks) == ["job-3"]
        marks["job-3"] = other.journals.open("job-3").mark()
        assert marks["job-3"] == other.journals.open("job-3").state().mark
    writer.resume()
    writer.set_status({**status, "last_heartbeat": "2"})
    writer.release()
    assert other.journals.changes(marks) == []


def test_the_end_and_its_status_are_one_step_and_a_job_may_go_on(journal: Journal) -> None:
    writer = journal.claim(60)
    writer.set_partial({"message": "41 %"})
    assert journal.state().partial == {"message": "41 %"}
    writer.append(entries(0, 1))
    assert journal.state().partial is None
    writer.finish(False, {"job_id": "a-job", "job_status": "Failed"})
    state = journal.state()
    assert (state.finished, state.complete, (state.status or {})["job_status"]) == (True, False, "Failed")
    writer.reopen()
    assert (journal.state().finished, journal.state().complete) == (False, None)


def test_trimmed_lines_are_gone_and_their_keys_are_known(journal: Journal) -> None:
    journal.claim(60).append(entries(0, 3 * MAX_LINES))
    upto = journal.trim(2 * MAX_LINES + 100)
    assert MAX_LINES <= upto <= 2 * MAX_LINES + 100
    assert journal.trimmed_to() == journal.state().trimmed_to == upto
    assert messages(journal) == numbered(3 * MAX_LINES)[upto:]
    assert len(journal.seen(0, 1 << 60)) == 3 * MAX_LINES


def test_a_journal_that_is_thrown_away_begins_anew(journal: Journal) -> None:
    writer = journal.claim(60)
    writer.append(entries(0, 3))
    writer.set_status({"job_id": "a-job"})
    before = journal.state()
    journal.forget()
    state = journal.state()
    assert (state.last_line, state.finished, state.status) == (0, False, before.status)
    assert state.epoch != before.epoch and state.revision > before.revision
    assert messages(journal) == [] and journal.seen(0, 1 << 60) == {}


class TestProducer:
    """As the headers Producer-Id, Producer-Epoch and Producer-Seq of Durable Streams 1.0 have it."""

    def test_a_batch_that_is_sent_again_is_written_once(self, journal: Journal) -> None:
        writer = journal.claim(60)
        for seq in (0, 1, 1, 0, 2):
            writer.append(entries(seq, 1), producer=ProducerBatch("p", 0, seq))
        assert messages(journal) == numbered(3)

    def test_a_batch_that_never_came_is_missed(self, journal: Journal) -> None:
        writer = journal.claim(60)
        with pytest.raises(ProducerGap) as gap:
            writer.append(entries(0, 1), producer=ProducerBatch("p", 0, 1))
        assert (gap.value.expected, gap.value.received) == (0, 1)
        writer.append(entries(0, 1), producer=ProducerBatch("p", 0, 0))
        with pytest.raises(ProducerGap):
            writer.append(entries(0, 1), producer=ProducerBatch("p", 0, 2))
        assert messages(journal) == numbered(1)

    def test_a_run_that_was_replaced_writes_no_more(self, journal: Journal, other: Store) -> None:
        writer = journal.claim(60)
        writer.append(entries(0, 1), producer=ProducerBatch("p", 0, 0))
        with pytest.raises(ProducerGap):
            writer.append(entries(1, 1), producer=ProducerBatch("p", 1, 1))
        writer.append(entries(1, 1), producer=ProducerBatch("p", 1, 0))
        writer.release()
        heir = other.journals.open("a-job").claim(60)
        with pytest.raises(StaleProducer):
            heir.append(entries(2, 1), producer=ProducerBatch("p", 0, 1))
        heir.append(entries(2, 1), producer=ProducerBatch("p", 1, 1))
        heir.append(entries(3, 1), producer=ProducerBatch("another", 0, 0))
        assert messages(journal) == numbered(4)
