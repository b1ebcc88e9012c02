from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.client.sse import MAX_EVENT_BYTES, EventDecoder, ServerSentEvent, StreamTooLong


def decoded(*chunks: bytes) -> list[tuple[str, str, str]]:
    decoder = EventDecoder()
    return [(event.name, event.data, event.id) for chunk in chunks for event in decoder.feed(chunk)]


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        (b"data: a\n\n", [("message", "a", "")]),
        (b"data:a\n\n", [("message", "a", "")]),
        (b"data:  a\n\n", [("message", " a", "")]),
        (b"data: a\ndata: b\n\n", [("message", "a\nb", "")]),
        (b"data\n\n", [("message", "", "")]),
        (b"event: status\ndata: {}\n\ndata: x\n\n", [("status", "{}", ""), ("message", "x", "")]),
        (b"id: a-1\ndata: x\n\ndata: y\n\n", [("message", "x", "a-1"), ("message", "y", "a-1")]),
        (b"id: a-1\n\ndata: y\n\n", [("message", "y", "a-1")]),
        (b"id: a-1\nid\ndata: y\n\n", [("message", "y", "")]),
        (b"id: a\x001\ndata: y\n\n", [("message", "y", "")]),
        (b": comment\ndata: y\n\n", [("message", "y", "")]),
        (b"unknown: 1\nData: no\ndata: y\n\n", [("message", "y", "")]),
        (b"event: x\n\ndata: y\n\n", [("message", "y", "")]),
        (b"\xef\xbb\xbfdata: y\n\n", [("message", "y", "")]),
        (b"data: y\n", []),
        (
            b"data: a\r\n\r\ndata: b\r\rdata: c\n\n",
            [("message", "a", ""), ("message", "b", ""), ("message", "c", "")],
        ),
        (
            "data: a\u2028b\u2029c\x85d\x0be\x0cf\x1cg\n\n".encode(),
            [("message", "a\u2028b\u2029c\x85d\x0be\x0cf\x1cg", "")],
        ),
        (b"data: \xff\n\n", [("message", "\ufffd", "")]),
    ],
)
def test_a_stream_is_read_as_the_standard_says_however_it_is_cut(
    stream: bytes, events: list[tuple[str, str, str]]
) -> None:
    assert decoded(stream) == events
    assert decoded(*(stream[i : i + 1] for i in range(len(stream)))) == events
    for cut in range(1, len(stream)):
        assert decoded(stream[:cut], stream[cut:]) == events


def test_an_event_that_was_cut_off_moves_no_cursor() -> None:
    decoder = EventDecoder()
    decoder.feed(b"id: a-1\ndata: x\n\nid: a-2\ndata: y\n")
    assert decoder.last_id == "a-1"


def test_retry_takes_digits_alone() -> None:
    decoder = EventDecoder()
    decoder.feed(b"retry: 1500\n\nretry: 2s\n\nretry: -1\n\n")
    assert decoder.retry_ms == 1500


def test_an_event_without_end_is_given_up() -> None:
    decoder = EventDecoder()
    piece = b"x" * (8 << 20)
    with pytest.raises(StreamTooLong):
        decoder.feed(b"data: ")
        for _ in range(MAX_EVENT_BYTES // len(piece) + 1):
            decoder.feed(piece)


@given(
    messages=st.lists(st.text().filter(lambda text: not set("\n\r") & set(text))),
    size=st.integers(1, 40),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_whatever_is_sent_arrives(messages: list[str], size: int, end: str) -> None:
    stream = "".join(f"id: e-{i}{end}data: {message}{end}{end}" for i, message in enumerate(messages)).encode("utf-8")
    decoder = EventDecoder()
    found: list[ServerSentEvent] = []
    for start in range(0, len(stream), size):
        found += decoder.feed(stream[start : start + size])
    assert [event.data for event in found] == messages
    assert [event.id for event in found] == [f"e-{i}" for i in range(len(messages))]
