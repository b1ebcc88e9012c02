import pytest

from webapp.journal.cursor import Cursor, new_epoch, parse_cursor


@pytest.mark.parametrize("text", ["mb3k7-1", "0-0", "a-12.done"])
def test_a_cursor_reads_back_as_it_was_written(text):
    assert str(parse_cursor(text)) == text


@pytest.mark.parametrize(
    "text", ["", "1", "-1", "A-1", "a-", "a--1", "a-1.DONE", "a-1 ", "a-1\n", "a-" + "9" * 16, "é-1", "a-١"]
)
def test_what_is_no_cursor_is_none(text):
    assert parse_cursor(text) is None


def test_an_epoch_is_part_of_a_cursor():
    epoch = new_epoch()
    assert parse_cursor(f"{epoch}-5") == Cursor(epoch, 5)
