"""Lines in every form, on batches that a real journal made."""

import orjson
import pytest

from tests.written import Written
from webapp.errors import UsageError
from webapp.journal.line import Entry
from webapp.journal.redact import Redactor
from webapp.store.sqlite.journals import SqliteJournals
from webapp.stream.form import Form, Omitted, cut, encode


@pytest.fixture
def journal(tmp_path):
    journals = SqliteJournals(tmp_path, Redactor(()), beat_ms=1000)
    yield Written(journals.open("a-job"))
    journals.close()


def batch_of(journal, *messages):
    (batch,) = journal.append([Entry(1000 + n, message, None, 0) for n, message in enumerate(messages)])
    return batch


def events(data: bytes) -> list[tuple[str, str, object]]:
    """(name, id, data), read by hand: what a browser would make of it."""
    found = []
    for block in data.decode().split("\n\n")[:-1]:
        fields = dict(line.split(": ", 1) for line in block.split("\n"))
        found.append((fields.get("event", ""), fields.get("id", ""), orjson.loads(fields["data"])))
    return found


def test_a_line_an_event(journal):
    batch = batch_of(journal, "one", "two")
    found = events(encode(Form(), journal.epoch, batch, Omitted()).data)
    assert [(name, cursor, line["message"]) for name, cursor, line in found] == [
        ("", f"{journal.epoch}-1", "one"),
        ("", f"{journal.epoch}-2", "two"),
    ]


def test_a_batch_is_one_event_with_the_last_lines_id(journal):
    batch = batch_of(journal, "one", "two")
    ((name, cursor, lines),) = events(encode(Form(format="batch"), journal.epoch, batch, Omitted()).data)
    assert (name, cursor, [line["line"] for line in lines]) == ("lines", f"{journal.epoch}-2", [1, 2])


@pytest.mark.parametrize(
    "message", ["a\nb\r\nc", "\r", "\x00\x1b", "\u2028\u2029\x85\x0b", "data: x\n\nid: evil", ",\t"]
)
@pytest.mark.parametrize("format", ["line", "batch"])
def test_no_message_breaks_out_of_its_event(journal, format, message):
    batch = batch_of(journal, "before", message, "after")
    found = events(encode(Form(format=format), journal.epoch, batch, Omitted()).data)
    lines = [line for _, _, data in found for line in (data if isinstance(data, list) else [data])]
    assert [line["message"] for line in lines] == ["before", message, "after"]


def test_text_has_no_control_characters_but_tab_and_newline(journal):
    batch = batch_of(journal, "\x1b[31mred\x1b[0m\tand\x00 \x07more\r", "two\nlines", "\x9b1m\x1b]0;title\x07ok")
    data = encode(Form(format="text"), journal.epoch, batch, Omitted()).data
    assert data.decode() == "red\tand more\ntwo\nlines\nok\n"


def test_ndjson_is_a_line_a_line(journal):
    batch = batch_of(journal, "one\ttab", "two")
    data = encode(Form(format="ndjson"), journal.epoch, batch, Omitted()).data
    assert [orjson.loads(line)["message"] for line in data.splitlines()] == ["one\ttab", "two"]


def test_filters_hold_together(journal):
    batch = batch_of(journal, "ERROR apple", "INFO apple", "ERROR pear", "ERROR apple late")
    form = Form(levels=frozenset([4]), q="apple", since_ms=1001)
    assert form.passing(batch) == [3]


def test_a_text_in_small_letters_is_found_in_either_case_and_one_with_a_capital_as_typed(journal):
    batch = batch_of(journal, "Needle", "needle", "NEEDLE", "hay")
    assert Form(q="needle").passing(batch) == [0, 1, 2]
    assert Form(q="Needle").passing(batch) == [0]


@pytest.mark.parametrize("q", ["message", "level", "null", '"', "\\", "n", "\n", "é", "É", "[x]", "timestamp"])
def test_only_the_message_is_searched(journal, q):
    messages = ["a\nb", 'say "x"', "back\\slash", "[x]", "é", "plain"]
    batch = batch_of(journal, *messages)
    either = q == q.lower()
    expected = [n for n, message in enumerate(messages) if (q.lower() in message.lower() if either else q in message)]
    assert (Form(q=q).passing(batch) or []) == expected


@pytest.mark.parametrize("q", ["^a", "b$", "a.b", "[^q]", r"\d+", "x|y", "a{2,}", r"\bword\b", "(?i)WORD", '"'])
def test_expressions_match_the_message_and_not_its_json(journal, q):
    import re

    messages = ["ab", "a\tb", 'a"b', "12", "aa", "a word here", "q", "x"]
    batch = batch_of(journal, *messages)
    expected = [n for n, message in enumerate(messages) if re.search(q, message)]
    assert (Form(q=q, regex=True).passing(batch) or []) == expected


def test_a_wrong_expression_is_named():
    with pytest.raises(UsageError, match=r"q='\(' is not a valid expression"):
        Form(q="(", regex=True)


def test_a_long_line_is_cut_between_characters_and_marked(journal):
    batch = batch_of(journal, "é" * 100, "short")
    found = events(encode(Form(longest=99), journal.epoch, batch, Omitted()).data)
    first, second = found[0][2], found[1][2]
    assert (first["message"], first["cut"], first["message_bytes"]) == ("é" * 49, True, 200)
    assert "cut" not in second


def test_a_short_message_among_longer_keys_is_not_marked_as_cut(journal):
    (batch,) = journal.append([Entry(1, "short", {"payload": "p" * 150}, 0)])
    assert cut(batch.split()[0], 100) == batch.split()[0]


def test_a_line_whose_other_keys_are_huge_is_cut_too(journal):
    (batch,) = journal.append([Entry(1, "m" * 200, {"payload": "p" * 100_000}, 0)])
    short = cut(batch.split()[0], 100)
    assert len(short) < 1000
    assert orjson.loads(short)["cut"] is True


def test_lines_sent_and_lines_omitted_are_all_lines(journal):
    messages = [("WARNING " if n % 37 == 0 else "INFO ") + str(n) for n in range(400)]
    for start in range(0, 400, 100):
        journal.append(
            [Entry(1000 + 20 * (start + n), m, None, 0) for n, m in enumerate(messages[start : start + 100])]
        )
    omitted, passed = Omitted(), 0
    for batch in journal.read(0):
        for part in (batch.part(batch.first, batch.first + 30), batch.part(batch.first + 31, batch.last)):
            for name, _, data in events(encode(Form(sample=True), journal.epoch, part, omitted).data):
                passed += data["count"] if name == "omitted" else 1
            assert passed + omitted.count == part.last
    assert omitted.count == 0


def test_omitted_stands_just_before_the_line_that_follows_it(journal):
    batch = batch_of(journal, *["INFO x"] * 5)
    found = events(encode(Form(sample=True, format="batch"), journal.epoch, batch, Omitted()).data)
    assert [name for name, _, _ in found] == ["lines", "omitted", "lines"]
    assert found[1][2] == {
        "count": 3,
        "first": f"{journal.epoch}-2",
        "last": f"{journal.epoch}-4",
        "levels": {"info": 3},
    }
    assert found[1][1] == ""
