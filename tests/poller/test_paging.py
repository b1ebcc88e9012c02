from __future__ import annotations

import pytest

from webapp.poller.paging import Limits, Page, Probing


def page(since: int | None, entries: int, new: int, last: int | None, reached: bool = True) -> Page:
    return Page(since, entries, new, last, reached)


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (page(None, 5, 5, 100), 99),
        (page(None, 0, 0, None), None),
        (page(50, 5, 0, 100), 99),
        (page(99, 5, 0, 100), 100),  # all within one ms: on to it
        (page(100, 5, 0, 100), 101),  # an inclusive upstream: past it
        (page(100, 5, 0, 90), 101),  # never back
    ],
)
def test_a_page_leads_on_from_its_last_ms_and_always_further(found: Page, wanted: int | None) -> None:
    assert found.onward == wanted


@pytest.mark.parametrize(
    ("limits", "found", "first", "probe", "wanted"),
    [
        (Limits(), page(10, 0, 0, None), True, True, None),  # nothing came
        (Limits(), page(10, 5, 0, 50, reached=False), True, False, 49),  # it ends before what we knew
        (Limits(longest=50, proven=50), page(10, 5, 5, 50), True, True, None),  # longer ones were whole
        (Limits(), page(10, 1500, 1500, 50), True, False, 49),  # many new ones
        (Limits(longest=2000, proven=2000), page(10, 1500, 1500, 50), True, False, None),
        (Limits(), page(10, 5, 5, 50), True, False, None),  # a doubt, but no time for it
        (Limits(), page(10, 5, 5, 50), True, True, 49),
        (Limits(), page(10, 1, 1, 50), True, True, None),  # a limit of one entry is none
        (Limits(longest=5, cut=5, cut_size=9), page(10, 5, 0, 50), True, False, 49),  # as long as one that was cut
        (Limits(longest=5, cut=5, cut_size=9), page(10, 2, 0, 50), True, False, None),
    ],
)
def test_when_to_go_on(limits: Limits, found: Page, first: bool, probe: bool, wanted: int | None) -> None:
    assert limits.go_on(found, first=first, probe=probe) == wanted


def test_a_longer_answer_proves_that_shorter_ones_were_not_cut() -> None:
    limits = Limits()
    limits.note(page(None, 10, 10, 50))
    limits.followed(page(None, 10, 10, 50), page(49, 8, 7, 80))
    assert limits.cut == 10
    limits.note(page(None, 11, 1, 50))
    assert limits.cut is None
    assert limits.proven == 10


@pytest.mark.parametrize(
    ("before", "after", "cut", "proven"),
    [
        (page(None, 5000, 5000, 50), page(49, 1, 0, 50), None, 5000),  # nothing follows
        (page(None, 5000, 5000, 50), page(49, 40, 39, 60), None, 5000),  # little does: just emitted
        (page(None, 5000, 5000, 50), page(49, 5000, 4999, 90), 5000, 0),  # as much again
        (page(None, 10, 10, 50), page(49, 3, 2, 60), 10, 0),
        (page(10, 10, 0, 50, reached=False), page(49, 2, 0, 60), 10, 0),  # it lacked what we hold
        (page(49, 20, 0, 50), page(50, 0, 0, None), None, 0),  # a full ms proves nothing
    ],
)
def test_what_follows_an_answer_tells_whether_it_was_cut(
    before: Page, after: Page, cut: int | None, proven: int
) -> None:
    limits = Limits()
    limits.followed(before, after)
    assert (limits.cut, limits.proven) == (cut, proven)


def test_doubts_cost_less_and_less_while_nothing_is_behind_them() -> None:
    probing = Probing(5, 40)
    now, times = 0.0, []
    while now < 200:
        if probing.due(now):
            times.append(now)
            probing.done(now, found=False)
        now += 1
    assert times == [0, 5, 15, 35, 75, 115, 155, 195]
    probing.done(200, found=True)
    assert probing.due(205)
