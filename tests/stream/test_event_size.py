"""No event is larger than 64 KiB on the wire, and no character in it ends a line for any reader."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tests.served import Served
from webapp.journal.batch import SEPARATOR, Batch
from webapp.stream.events import EVENT_BYTES, event
from webapp.stream.form import Form, Omitted, encode

EPOCH = "a" * 16
FIRST = 10**14


def batch(*messages: str, **extra: Any) -> Batch:
    lines = [
        json.dumps(
            {"id": f"{EPOCH}-{n}", "line": n, "timestamp": 1, "message": message, "level": None, **extra},
            ensure_ascii=False,
            separators=(",", ":"),
        ).encode()
        for n, message in enumerate(messages, FIRST)
    ]
    size = len(messages)
    return Batch(
        FIRST, FIRST + size - 1, SEPARATOR.join(lines), bytes([8]) * size, bytes(8 * size), max(map(len, lines))
    )


def events(form: Form, given: Batch) -> list[bytes]:
    return [part + b"\n\n" for part in encode(form, EPOCH, given, Omitted()).data.split(b"\n\n") if part]


def lines_in(found: list[bytes]) -> list[dict[str, Any]]:
    got: list[dict[str, Any]] = []
    for one in found:
        data = json.loads(one.split(b"data: ", 1)[1])
        got += data if isinstance(data, list) else [data]
    return got


LONG = {
    "plain": "x" * 70_000,
    "just fits": "x" * 65_200,
    "escaped": "\x01" * 40_000,
    "quotes": '"' * 60_000,
    "line separators": "\u2028" * 30_000,
    "wide": "💥" * 20_000,
}


@pytest.mark.parametrize("sample", [True, False])
@pytest.mark.parametrize("format", ["line", "batch"])
@pytest.mark.parametrize("kind", LONG)
def test_a_long_line_is_cut_so_that_its_event_fits(kind: str, format: str, sample: bool) -> None:
    found = events(Form(format=format, sample=sample, longest=65_536), batch("first", LONG[kind], "last"))
    assert max(map(len, found)) < EVENT_BYTES
    first, long, last = lines_in(found)
    assert (first["message"], last["message"]) == ("first", "last")
    assert LONG[kind].startswith(long["message"]) and long["message"]
    assert long.get("cut", False) == (long["message"] != LONG[kind])


def test_a_line_is_not_cut_more_than_it_must_be() -> None:
    (line,) = lines_in(events(Form(longest=65_536), batch("x" * 70_000)))
    assert len(line["message"]) > 63_000 and line["message_bytes"] == 70_000


def test_keys_of_the_upstream_go_before_an_event_is_too_large() -> None:
    (one,) = events(Form(longest=65_536), batch("short", blob="y" * 100_000))
    assert len(one) < EVENT_BYTES
    assert lines_in([one])[0]["message"] == "short" and lines_in([one])[0]["cut"] is True


def test_a_long_list_is_several_events_each_with_its_cursor() -> None:
    found = events(Form(format="batch"), batch(*["z" * 1000] * 200))
    assert len(found) > 2 and max(map(len, found)) < EVENT_BYTES
    assert [line["line"] for line in lines_in(found)] == list(range(FIRST, FIRST + 200))
    for one in found:
        assert one.startswith(b"id: %s\n" % lines_in([one])[-1]["id"].encode())


@pytest.mark.parametrize("format", ["line", "batch", "ndjson"])
@pytest.mark.parametrize("q", ["", "here"])
def test_nothing_but_a_newline_ends_a_line(format: str, q: str) -> None:
    message = "here\u2028and\u2029there\x85\x0b\x0c\x1c\x1d\x1e end"
    data = encode(Form(format=format, q=q), EPOCH, batch(message), Omitted()).data.decode()
    assert [line for line in data.splitlines() if line] == [line for line in data.split("\n") if line]
    assert json.loads(data.split("data: ")[-1])[0 if format == "batch" else "message"] is not None


def test_other_events_are_bounded_and_split_nowhere() -> None:
    found = event("status", {"job_name": "\u2028" * 50_000, "list": ["y" * 99_999], "n": 1}, "abc-1")
    assert len(found) < EVENT_BYTES and len(found.decode().splitlines()) == 4
    assert json.loads(found.split(b"data: ")[1])["n"] == 1


def test_the_reader_of_asyncio_takes_every_line(serve: Any) -> None:
    served: Served = serve()
    job = served.run("sh", "-c", "head -c 300000 /dev/zero | tr '\\0' '\"'; echo; echo end")

    async def read() -> list[bytes]:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(f"GET /api/jobs/{job}/events?sample_logs=false HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n".encode())
        found = [line async for line in reader]
        writer.close()
        return found

    assert b"event: done\n" in asyncio.run(read())
