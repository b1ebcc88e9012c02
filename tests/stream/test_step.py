"""What comes after a position, whatever the steps."""

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.written import Written
from webapp.journal.line import Entry
from webapp.journal.redact import Redactor
from webapp.store.sqlite.journals import SqliteJournals
from webapp.stream.form import Form
from webapp.stream.step import Position, over, step
from webapp.stream.tail import tail_start

from .test_form import events


@pytest.fixture
def journal(tmp_path):
    journals = SqliteJournals(tmp_path, Redactor(()), beat_ms=1000)
    yield Written(journals.open("a-job"))
    journals.close()


def walk(journal, form, position, upto=None):
    """All events from a position on, in as many steps as it takes."""
    found = []
    state = journal.state()
    while True:
        data, after = step(journal, state, form, position, upto)
        found += events(data)
        if after.line == position.line and not data:
            return found, after
        position = after


def numbers(found):
    return [line["line"] for name, _, data in found if name in ("", "lines") for line in (data if name else [data])]


def fill(journal, count, *, size=20):
    for start in range(0, count, 700):
        journal.append(
            [Entry(1000 + n, f"{n} " + "x" * size, None, n + 1) for n in range(start, min(start + 700, count))]
        )


@pytest.mark.parametrize("after", [0, 1, 499, 500, 501, 1399, 1400])
def test_every_line_after_the_position_and_no_other(journal, after):
    fill(journal, 1400)
    found, _ = walk(journal, Form(format="batch"), Position(journal.epoch, after))
    assert numbers(found) == list(range(after + 1, 1401))


def test_a_long_log_comes_in_pieces(journal):
    fill(journal, 3000, size=1000)
    data, after = step(journal, journal.state(), Form(format="batch"), Position(journal.epoch, 0))
    assert 500_000 < len(data) < 2_000_000
    assert 0 < after.line < 3000


def test_a_gap_stands_in_its_place_once(journal):
    fill(journal, 100)
    journal.add_gap(50, "upstream", 412)
    journal.add_gap(100, "upstream", None)
    found, after = walk(journal, Form(format="batch"), Position(journal.epoch, 0))
    assert [name for name, _, _ in found] == ["lines", "gap", "lines", "gap"]
    assert found[1][2] == {"reason": "upstream", "after": f"{journal.epoch}-50", "count": 412}
    journal.append([Entry(5000, "more", None, 0)])
    found, _ = walk(journal, Form(format="batch"), after)
    assert [name for name, _, _ in found] == ["lines"]


def test_a_gap_where_a_reader_comes_back_to_is_told_again(journal):
    fill(journal, 100)
    journal.add_gap(50, "upstream", None)
    found, _ = walk(journal, Form(), Position(journal.epoch, 50))
    assert found[0][0] == "gap"
    assert numbers(found) == list(range(51, 101))


def test_a_gap_between_lines_that_a_filter_holds_back_is_told(journal):
    fill(journal, 100)
    journal.add_gap(50, "upstream", None)
    found, after = walk(journal, Form(q="99 x"), Position(journal.epoch, 0))
    assert [name for name, _, _ in found] == ["gap", ""]
    assert after.line == 100


def test_lines_that_were_trimmed_since_the_state_was_read_are_a_gap_too(journal):
    fill(journal, 1400)
    state = journal.state()
    trimmed = journal.trim(700)
    for form in (Form(format="batch"), Form(format="batch", levels=frozenset({0}))):
        data, after = step(journal, state, form, Position(journal.epoch, 10))
        found = events(data)
        assert found[0][2] == {"reason": "trimmed", "after": f"{journal.epoch}-10", "count": trimmed - 10}
        assert numbers(found) == list(range(trimmed + 1, 1401)) and after.line == 1400


@pytest.mark.parametrize("codes", [{4}, {3}, {0}, {3, 4}, {1}, set()])
def test_a_level_is_found_wherever_it_stands_and_what_lies_between_is_passed_over(journal, codes):
    texts = ["fine"] * 4000
    texts[3:4], texts[1777:1778], texts[3999:] = ["ERROR a"], ["WARNING b"], ["ERROR c"]
    journal.append([Entry(n, text, None, 0) for n, text in enumerate(texts)])
    journal.add_gap(2500, "upstream", 5)
    wanted = [n for n, text in enumerate(texts, 1) if {"E": 4, "W": 3}.get(text[0], 0) in codes]
    form = Form(format="batch", levels=frozenset(codes))
    found, after = walk(journal, form, Position(journal.epoch, 0))
    assert numbers(found) == wanted
    assert after.line == 4000
    assert [data["after"] for name, _, data in found if name == "gap"] == [f"{journal.epoch}-2500"]
    for tail in (1, 2, 4000):
        start = tail_start(journal, journal.state(), form, tail)
        assert numbers(walk(journal, form, Position(journal.epoch, start))[0]) == wanted[-tail:]


def test_trimmed_lines_are_a_gap_that_counts_them(journal):
    fill(journal, 1400)
    trimmed = journal.trim(700)
    found, _ = walk(journal, Form(format="batch"), Position(journal.epoch, 10))
    assert found[0][2] == {"reason": "trimmed", "after": f"{journal.epoch}-10", "count": trimmed - 10}
    assert numbers(found) == list(range(trimmed + 1, 1401))


def test_a_range_is_all_that_is_shown(journal):
    fill(journal, 1400)
    form = Form(lines=(600, 650))
    found, after = walk(journal, form, Position(journal.epoch, 599))
    assert numbers(found) == list(range(600, 651))
    assert over(journal.state(), form, after)


def test_the_end_needs_the_jobs_status_too(journal):
    fill(journal, 10)
    journal.set_status({"job_id": "a-job", "finished_job_status": False})
    journal.finish(True)
    assert not over(journal.state(), Form(), Position(journal.epoch, 10))
    journal.set_status({"job_id": "a-job", "finished_job_status": True})
    assert not over(journal.state(), Form(), Position(journal.epoch, 9))
    assert over(journal.state(), Form(), Position(journal.epoch, 10))


@pytest.mark.parametrize("tail", [0, 1, 7, 700, 1400, 5000])
def test_a_tail_is_the_last_lines(journal, tail):
    fill(journal, 1400)
    start = tail_start(journal, journal.state(), Form(), tail)
    assert numbers(walk(journal, Form(), Position(journal.epoch, start))[0]) == list(
        range(1401 - min(tail, 1400), 1401)
    )


@pytest.mark.parametrize("tail", [0, 1, 3, 14, 99])
def test_a_tail_counts_lines_that_pass_the_filters(journal, tail):
    fill(journal, 1400)
    form = Form(q="00 x")
    wanted = [n + 1 for n in range(100, 1400, 100)][-tail:] if tail else []
    start = tail_start(journal, journal.state(), form, tail)
    assert numbers(walk(journal, form, Position(journal.epoch, start))[0]) == wanted


def test_since_ms_skips_what_is_older_without_reading_it(journal):
    fill(journal, 1400)
    form = Form(since_ms=2300)
    start = tail_start(journal, journal.state(), form, None)
    assert start >= 1000
    assert numbers(walk(journal, form, Position(journal.epoch, start))[0]) == list(range(1301, 1401))


@settings(max_examples=60, deadline=None)
@given(
    appends=st.lists(st.integers(1, 40), min_size=1, max_size=12),
    breaks=st.lists(st.integers(0, 200), max_size=6),
    sample=st.booleans(),
    format=st.sampled_from(["line", "batch"]),
    levels=st.sampled_from([None, frozenset([4]), frozenset([0])]),
)
def test_wherever_a_reader_breaks_off_it_gets_each_line_once(tmp_path_factory, appends, breaks, sample, format, levels):
    """Generated histories against the plain rule: what passes, in order, once; sampled: all lines accounted for."""
    journals = SqliteJournals(tmp_path_factory.mktemp("j"), Redactor(()), beat_ms=10)
    journal = Written(journals.open("a-job"))
    form = Form(format=format, sample=sample and levels is None, levels=levels)
    total, got, omitted, position = 0, [], 0, Position(journal.epoch, 0)
    for count in appends:
        journal.append(
            [Entry(3 * (total + n), "ERROR" if (total + n) % 5 == 0 else "fine", None, 0) for n in range(count)]
        )
        total += count
        stop = next((at for at in breaks if position.line < at <= total), None)
        for upto in filter(None, (stop, total)):
            found, after = walk(journal, form, position, upto)
            got += numbers(found)
            omitted += sum(data["count"] for name, _, data in found if name == "omitted")
            last = max([position.line, *numbers(found)])
            # Who comes back does so by the last id that it got; what was passed over after it is told again.
            position = Position(journal.epoch, after.line if levels is not None else last)
    passing = [n for n in range(1, total + 1) if levels is None or ((n - 1) % 5 == 0) == (4 in levels)]
    if form.sample:
        assert len(got) + omitted == total
        assert got == sorted(set(got))
    else:
        assert got == passing
    journals.close()


def test_a_line_is_json_of_its_own(journal):
    fill(journal, 3)
    found, _ = walk(journal, Form(), Position(journal.epoch, 0))
    assert orjson.loads(orjson.dumps(found[0][2])) == {
        "id": f"{journal.epoch}-1", "line": 1, "timestamp": 1000, "message": "0 " + "x" * 20, "level": None,
    }  # fmt: skip
