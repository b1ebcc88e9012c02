"""Texts become the lines that their messages would become one by one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from webapp.journal.encoding import Encoder, Row
from webapp.journal.line import Entry
from webapp.journal.memory import Memory
from webapp.journal.redact import Redactor
from webapp.journal.text import Text, TextEncoder, joined, text

REDACTOR = Redactor((r"password=(?P<secret>\S+)", r"^begin\S*$"))
OUT, ERR = {"stream": "stdout"}, {"stream": "stderr", "level": "error", "line": 3}

messages = st.lists(
    st.one_of(
        st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=20),
        st.sampled_from(['","', '\\","', "\\", "ERROR: x", "WARNING y", "password=hunter2", "begin1", "\t,\t", ""]),
    ),
    min_size=1,
    max_size=8,
)
texts = st.lists(st.tuples(st.integers(0, 5_000), messages, st.sampled_from([OUT, ERR, {}])), min_size=1, max_size=6)


@given(texts, st.booleans(), st.booleans())
def test_texts_are_encoded_as_their_lines_one_by_one(
    given_texts: list[tuple[int, list[str], dict[str, object]]], first: bool, join: bool
) -> None:
    many = [text(at, "\n".join(lines).encode(), extra) for at, lines, extra in given_texts]
    entries = [Entry(at, line, extra or None) for at, lines, extra in given_texts for line in lines]
    row: Row = ("e", 0 if first else 41, -1, -1, 2, 99)
    one = Encoder(REDACTOR, entries, Memory()).number(row, 1000, False, 10_000)
    all_at_once = TextEncoder(REDACTOR, joined(many) if join else many, Memory()).number(row, 1000, False, 10_000)
    assert [batch.lines for batch in all_at_once.batches] == [batch.lines for batch in one.batches]
    assert [batch.marks for batch in all_at_once.batches] == [batch.marks for batch in one.batches]
    assert [batch.times for batch in all_at_once.batches] == [batch.times for batch in one.batches]
    assert (all_at_once.last_line, all_at_once.high_ms, all_at_once.out_ms, all_at_once.sample) == (
        one.last_line, one.high_ms, one.out_ms, one.sample,
    )  # fmt: skip


def test_bytes_that_are_no_text_are_marked_and_hide_no_secret() -> None:
    found = text(1, b"password=ab\xffcd\ncaf\xc3\nend", {})
    assert found.count == 3 and found.messages() == ["password=ab\ufffdcd", "caf\ufffd", "end"]
    (batch,) = TextEncoder(REDACTOR, [found], Memory()).number(("e", 0, -1, -1, -1, 0), 1000, False, 10).batches
    assert b'"password=***"' in batch.split()[0]


def test_a_text_is_cut_by_lines() -> None:
    whole = Text(1, b"a\n\nc\nd", 4, OUT)
    assert whole.after(2) == Text(1, b"c\nd", 2, OUT)
    first, second = whole.halves()
    assert (first.messages(), second.messages()) == (["a", ""], ["c", "d"])
    assert joined([first, second, Text(2, b"x", 1, OUT)]) == [whole, Text(2, b"x", 1, OUT)]
