"""Who may do what: the whole table of the pure decision."""

import pytest

from webapp.access.decide import Caller, decide
from webapp.access.grant import Action, Grant
from webapp.access.runners import FeedGrant, RunnerToken
from webapp.errors import Denied, JobtailError, SignInNeeded
from webapp.store.share import Link

JOB, OTHER = "a-job", "another-job"
END = 2_000_000_000_000
CALLERS = {
    "owner": Caller(owner="ada"),
    "link": Caller(link=Link("1", JOB, END)),
    "link that may cancel": Caller(link=Link("2", JOB, END, can_cancel=True)),
    "link to lines": Caller(link=Link("3", JOB, END, lines=(5, 9))),
    "link to lines that may cancel": Caller(link=Link("4", JOB, END, can_cancel=True, lines=(5, 9))),
    "link of another job": Caller(link=Link("5", OTHER, END, can_cancel=True)),
    "metrics token": Caller(metrics=True),
    "run token": Caller(runner=RunnerToken("ci", "k")),
    "grant": Caller(feed=FeedGrant(JOB, "k.p", RunnerToken("ci", "k"))),
    "grant for another job": Caller(feed=FeedGrant(OTHER, "k.p", RunnerToken("ci", "k"))),
    "stranger": Caller(),
}
Y, N, S = "yes", Denied, SignInNeeded
TABLE = {  # owner, link, link+cancel, lines, lines+cancel, another job's link; metrics, run token, grants; stranger
    Action.OPEN: (Y, Y, Y, Y, Y, Y, Y, Y, Y, Y, Y),
    Action.LIST: (Y, S, S, S, S, S, S, N, N, N, S),
    Action.VIEW: (Y, Y, Y, N, N, S, S, N, N, N, S),
    Action.VIEW_PART: (Y, Y, Y, Y, Y, S, S, N, N, N, S),
    Action.CANCEL: (Y, N, Y, N, Y, S, S, N, N, N, S),
    Action.CONFIG: (Y, N, N, N, N, S, S, N, N, N, S),
    Action.SHARE: (Y, N, N, N, N, S, S, N, N, N, S),
    Action.METRICS: (Y, S, S, S, S, S, Y, N, N, N, S),
    Action.FORGET: (Y, N, N, N, N, S, S, N, N, N, S),
    Action.BEGIN: (Y, N, N, N, N, S, S, Y, Y, N, S),
    Action.FEED: (Y, N, N, N, N, S, S, N, Y, N, S),
}
CELLS = [(who, action, want) for action, row in TABLE.items() for who, want in zip(CALLERS, row, strict=True)]


def outcome(caller: Caller, action: Action, job: str | None) -> object:
    try:
        return decide(caller, action, job)
    except JobtailError as error:
        return type(error)


@pytest.mark.parametrize(("who", "action", "want"), CELLS, ids=[f"{who}: {action}" for who, action, _ in CELLS])
def test_the_table(who: str, action: Action, want: object) -> None:
    job = None if action in (Action.LIST, Action.METRICS) else JOB
    found = outcome(CALLERS[who], action, job)
    assert isinstance(found, Grant) if want == Y else found is want


def test_every_action_is_in_the_table() -> None:
    assert set(TABLE) == set(Action)


def test_a_link_is_granted_what_it_says_and_no_more() -> None:
    grant = decide(CALLERS["link to lines"], Action.VIEW_PART, JOB)
    assert (grant.kind, grant.share, grant.lines, grant.can_cancel, grant.ends_ms) == ("share", "3", (5, 9), False, END)
    assert not grant.owner and not grant.sees_upstream_detail
    assert grant.end_reason == "link_ended"


def test_a_stranger_is_told_the_same_of_every_job() -> None:
    told = set()
    for job in (JOB, OTHER, "no-such-job"):
        with pytest.raises(SignInNeeded) as refused:
            decide(Caller(), Action.VIEW_PART, job)
        told.add(refused.value.detail)
    assert len(told) == 1


@pytest.mark.parametrize(
    ("lines", "asked", "seen"),
    [
        (None, (1, 100), (1, 100)),
        ((5, 9), (1, 100), (5, 9)),
        ((5, 9), (7, 8), (7, 8)),
        ((5, 9), (8, 20), (8, 9)),
        ((5, 9), (10, 20), (10, 9)),
    ],
)
def test_a_range_clips_what_is_asked_for(lines: tuple[int, int] | None, asked: tuple[int, int], seen: object) -> None:
    grant = Grant("share", lines=lines)
    assert grant.clip(*asked) == seen
