"""Following across breaks, with the network played by scripts: every clock and every byte is the test's
own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from webapp.client.errors import (
    BadAnswer,
    ClientError,
    Denied,
    JobNotFound,
    ServiceDown,
    TimedOut,
    Unreachable,
    UpstreamFailed,
)
from webapp.client.follow import Event, EventFollower, backoff
from webapp.client.script import Course, Give, Open, Read, Reply, Site, Sleep


def sse(kind: str, data: Any, cursor: str = "") -> bytes:
    head = f"id: {cursor}\n" if cursor else ""
    name = "" if kind == "line" else f"event: {kind}\n"
    return f"{head}{name}data: {json.dumps(data)}\n\n".encode()


def line(number: int) -> bytes:
    return sse("line", {"line": number, "id": f"e-{number}", "message": f"m{number}"}, f"e-{number}")


DONE = sse("done", {"reason": "finished", "complete": True}, "e-9.done")


class Network:
    """Each connection is a list of chunks, an error to raise, or seconds that pass."""

    def __init__(self, *connections: list[Any] | ClientError | None) -> None:
        self.connections = list(connections)
        self.cursors: list[str] = []
        self.lefts: list[float | None] = []
        self.now = 1000.0
        self.slept: list[float] = []

    def open(self, wanted: Open) -> Reply:
        self.cursors.append(wanted.headers.get("Last-Event-ID", ""))
        self.lefts.append(wanted.params["timeout"])
        script = self.connections.pop(0) if self.connections else ServiceDown("nothing left")
        if isinstance(script, ClientError):
            raise script
        kind = {"content-type": "text/event-stream"}
        return Reply(204, {}) if script is None else Reply(200, kind, self._chunks(script))

    def _chunks(self, script: list[Any]) -> Iterator[bytes]:
        for item in script:
            if isinstance(item, ClientError):
                raise item
            if isinstance(item, int | float):
                self.now += item
                yield b": \n\n"
            else:
                yield item

    def do(self, effect: Any) -> Any:
        if isinstance(effect, Open):
            return self.open(effect)
        if isinstance(effect, Read):
            return next(effect.reply.source, None)
        if isinstance(effect, Sleep):
            self.slept.append(effect.seconds)
            self.now += effect.seconds
        return None

    def follow(self, **how: Any) -> Iterator[Event]:
        course = Course(EventFollower(Site("http://h"), "job-1", clock=lambda: self.now, **how).events())
        while (effect := course.step()) is not None:
            if isinstance(effect, Give):
                yield effect.value
                continue
            try:
                course.answer(self.do(effect))
            except ClientError as error:
                course.fail(error)


def numbers(events: list[Event]) -> list[int]:
    return [event.data["line"] for event in events if event.kind == "line"]


def test_a_break_loses_and_repeats_nothing() -> None:
    broken = ServiceDown("cut")
    network = Network([line(1), line(2), broken], broken, [line(3)[:20]], [line(3), line(4), DONE])
    events = list(network.follow())
    assert numbers(events) == [1, 2, 3, 4]
    assert network.cursors == ["", "e-2", "e-2", "e-2"]
    assert [event.kind for event in events].count("retrying") == 3


def test_what_was_left_out_is_told_once_though_the_connection_broke_before_its_line() -> None:
    omitted = sse("omitted", {"count": 5, "levels": {"info": 5}})
    gap = sse("gap", {"reason": "upstream", "after": "e-1", "count": 2})
    network = Network([line(1), omitted, gap], [omitted, gap, line(7), DONE])
    kinds = [event.kind for event in network.follow()]
    assert kinds == ["line", "retrying", "omitted", "gap", "line", "done"]


def test_a_gap_that_stood_at_a_cursor_is_not_told_again() -> None:
    gap = sse("gap", {"reason": "upstream", "after": "e-1", "count": 2})
    network = Network([line(1), gap, sse("cursor", {"line": 1}, "e-1")], [gap, line(2), DONE])
    kinds = [event.kind for event in network.follow() if event.kind != "retrying"]
    assert kinds == ["line", "gap", "cursor", "line", "done"]


def test_it_starts_from_the_cursor_it_is_given() -> None:
    network = Network([DONE])
    list(network.follow(after="e-8"))
    assert network.cursors == ["e-8"]


def test_a_cursor_with_nothing_after_it_ends_the_stream() -> None:
    assert list(Network(None).follow(after="e-9.done")) == []


def test_a_service_that_goes_down_is_asked_again_when_it_said() -> None:
    network = Network([b"retry: 3000\n\n", sse("bye", {})], [DONE])
    list(network.follow())
    assert 1.5 <= network.slept[0] <= 3.0


def test_it_gives_up_after_a_minute_an_attempt_of_unbroken_failure() -> None:
    network = Network([line(1)], *[ServiceDown("gone") for _ in range(500)])
    begun = network.now
    with pytest.raises(ServiceDown, match="gone; gave up after 180 s"):
        list(network.follow(retries=2))
    assert 180 <= network.now - begun < 180 + 15


def test_every_answer_begins_the_minutes_anew() -> None:
    outage: list[Any] = [ServiceDown("gone") for _ in range(8)]
    network = Network([line(1)], *outage, [line(2)], *outage, [line(3)], *outage, [DONE])
    assert numbers(list(network.follow(retries=0))) == [1, 2, 3]


def test_without_a_bound_it_outlasts_an_hour() -> None:
    network = Network([line(1)], *[ServiceDown("gone") for _ in range(600)], [DONE])
    begun = network.now
    list(network.follow(retries=None))
    assert network.now - begun > 3600


def test_a_service_that_was_never_there_is_said_at_once() -> None:
    network = Network(Unreachable("no service answers"))
    with pytest.raises(Unreachable):
        list(network.follow())
    assert network.slept == []


def test_one_that_was_there_is_waited_for() -> None:
    network = Network([line(1)], Unreachable("no service answers"), [line(2), DONE])
    assert numbers(list(network.follow())) == [1, 2]


@pytest.mark.parametrize("error", [JobNotFound("no"), Denied("no"), BadAnswer("no")])
def test_what_asking_again_does_not_help_is_raised(error: ClientError) -> None:
    with pytest.raises(type(error)):
        list(Network([line(1)], error).follow())


def test_an_outage_behind_the_service_counts_too() -> None:
    retrying = sse("upstream", {"state": "retrying", "detail": "connection refused"})
    network = Network([line(1), retrying, *[15.0] * 9])
    with pytest.raises(UpstreamFailed, match="120 s: connection refused"):
        list(network.follow(retries=1))
    fine = sse("upstream", {"state": "ok"})
    network = Network([retrying, *[15.0] * 7, fine, *[15.0] * 20, DONE])
    assert list(network.follow(retries=1))[-1].kind == "done"


def test_the_time_given_holds_across_connections() -> None:
    network = Network([10.0, line(1)], [10.0, line(2)], [line(3), *[15.0] * 3])
    with pytest.raises(TimedOut) as error:
        list(network.follow(timeout=30))
    assert isinstance(error.value, TimeoutError)
    assert network.lefts[0] == 30
    assert network.lefts[1] is not None and 18 < network.lefts[1] < 20


def test_the_time_given_holds_while_nothing_answers() -> None:
    network = Network([line(1)], *[ServiceDown("gone") for _ in range(100)])
    begun = network.now
    with pytest.raises(TimedOut):
        list(network.follow(timeout=20))
    assert network.now - begun < 20.5


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("timeout", TimedOut),
        ("not_found", JobNotFound),
        ("denied", UpstreamFailed),
        ("link_ended", Denied),
        ("retries_exhausted", UpstreamFailed),
        ("something new", BadAnswer),
    ],
)
def test_an_end_that_is_not_the_jobs_own_is_an_error(reason: str, kind: type[ClientError]) -> None:
    seen = []
    with pytest.raises(kind):
        for event in Network([line(1), sse("done", {"reason": reason})]).follow():
            seen.append(event.kind)
    assert seen == ["line", "done"]


def test_a_reset_forgets_what_was_held_back() -> None:
    omitted = sse("omitted", {"count": 5})
    network = Network([omitted, sse("reset", {"reason": "anew"}), line(1), DONE])
    assert [event.kind for event in network.follow()] == ["reset", "line", "done"]


def test_events_of_a_newer_service_are_passed_over_and_broken_ones_are_not() -> None:
    network = Network([sse("weather", {"sun": 1}), line(1), DONE])
    assert numbers(list(network.follow())) == [1]
    with pytest.raises(BadAnswer, match="not JSON"):
        list(Network([b"data: {oops\n\n"]).follow())


@pytest.mark.parametrize(
    ("attempt", "asked", "low", "high"),
    [
        (1, None, 0.25, 0.5),
        (2, None, 0.5, 1.0),
        (5, None, 4, 8),
        (30, None, 7.5, 15),
        (1, 4.0, 4, 4),
        (9, 900.0, 60, 60),
    ],
)
def test_the_pauses_grow_to_a_bound(attempt: int, asked: float | None, low: float, high: float) -> None:
    assert backoff(attempt, 0.5, asked, 0.0) == low
    assert backoff(attempt, 0.5, asked, 1.0) == high


def test_a_reader_is_told_when_nothing_more_came_together_with_an_event() -> None:
    omitted = sse("omitted", {"count": 5})
    network = Network([line(1) + line(2) + omitted, line(3) + sse("status", {}), DONE])
    told = [(event.kind, event.more) for event in network.follow()]
    expected = [("line", True), ("line", False), ("omitted", True), ("line", True), ("status", False), ("done", False)]
    assert told == expected


@pytest.mark.parametrize("data", ["[]", "7", "null", '"x"'])
def test_an_event_of_another_shape_is_no_event(data: str) -> None:
    with pytest.raises(BadAnswer, match="another shape"):
        list(Network([f"event: status\ndata: {data}\n\n".encode()]).follow())
    with pytest.raises(BadAnswer, match="another shape"):
        list(Network([b"event: lines\ndata: [1]\n\n"]).follow())
