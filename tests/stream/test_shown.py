"""Text of a log: whatever part is asked for, and however it is read, it is what a terminal shows of these lines."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.security.site import Site
from tests.written import Written
from webapp.journal.line import Entry
from webapp.journal.redact import Redactor
from webapp.journal.terminal import Screen
from webapp.store.sqlite.journals import SqliteJournals
from webapp.stream.shown import Shown, begins

BLOCK = ["pull", *[f"layer {n}: waiting" for n in range(3)]]
for state in range(40):
    BLOCK += [f"\x1b[3A\x1b[2Klayer 0: {state}", f"\x1b[2Klayer 1: {state}\x1b[K"]
    BLOCK += [f"\x1b[2K\x1b[32mlayer 2: {state}\x1b[0m"]
LOG = [*(f"before {n}" for n in range(300)), *BLOCK, "bar\r 10%\r100%", *(f"after {n}" for n in range(300))]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Written]:
    journals = SqliteJournals(tmp_path, Redactor(()), beat_ms=1000)
    yield Written(journals.open("a-job"))
    journals.close()


def fill(journal: Written, messages: list[str], step: int) -> None:
    for start in range(0, len(messages), step):
        journal.append([Entry(1000, message, {"stream": "stderr"}) for message in messages[start : start + step]])


def text(journal: Written, after: int = 0, upto: int | None = None, left: int | None = None) -> str:
    shown, data = Shown(after, upto, left), b""
    for batch in journal.read(begins(journal, after, 0), most_bytes=1 << 30):
        data += shown.feed(batch)
        if shown.over:
            break
    return (data + shown.rest()).decode()


def rows(messages: list[str]) -> list[tuple[int, str]]:
    screen = Screen()
    final = [item for number, message in enumerate(messages, 1) for item in screen.feed(number, message, "stderr")]
    return [(item.line, item.text) for item in final + screen.items]


@pytest.mark.parametrize("step", [1, 7, 100, 500])
def test_every_part_of_a_log_is_a_part_of_what_is_shown_of_all(journal: Written, step: int) -> None:
    fill(journal, LOG, step)
    shown = rows(LOG)
    assert len(shown) == 300 + 4 + 1 + 300
    assert text(journal) == "".join(f"{row}\n" for _, row in shown)
    chance = random.Random(step)
    for _ in range(30):
        after = chance.randrange(len(LOG))
        upto = chance.randrange(after, len(LOG) + 1)
        wanted = [f"{row}\n" for line, row in shown if after < line <= upto]
        assert text(journal, after, upto) == "".join(wanted)
        assert text(journal, after, upto, left=5) == "".join(wanted[:5])


def test_one_who_follows_gets_a_row_when_it_comes_and_again_when_it_changes(journal: Written) -> None:
    plain = [f"plain {n}" for n in range(300)]
    fill(journal, ["head", "a 1", "b 1", "\x1b[2A\x1b[2Ka 2", "b 1", *plain], 500)
    (batch,) = journal.read(0)
    shown, got = Shown(0, None, None), []
    for first, last in [(1, 3), (4, 5), (6, 6), (7, 305)]:
        got.append((shown.feed(batch.part(first, last)) + shown.pause()).decode().splitlines())
    assert got == [["head", "a 1", "b 1"], ["a 2", "b 1"], plain[:1], plain[1:]]
    assert shown.rest() == b""


def test_text_of_the_api_and_the_page_without_javascript_show_the_same(tmp_path: Path) -> None:
    with Site.opened(tmp_path) as site:
        site.add_job("redrawn", LOG)
        shown = [row for _, row in rows(LOG)]
        assert site.owner("GET", "/api/jobs/redrawn/logs?format=text").text.splitlines() == shown
        page = site.owner("GET", "/jobs/redrawn", headers={"accept": "text/html"}).text
        assert page.count('class="m"') == 200
        assert "100%" not in page.split('class="m"')[-200] and f">{shown[-1]}<" in page
        raw = site.owner("GET", "/api/jobs/redrawn/logs?limit=10000").json()
        assert [line["message"] for line in raw] == LOG


def test_a_link_to_a_range_of_lines_shows_nothing_of_others(tmp_path: Path) -> None:
    with Site.opened(tmp_path) as site:
        site.add_job("part", ["secret", "shared", "\x1b[1Asecret"])
        link = site.enter(site.token("part", lines=[2, 2]))
        assert site.ask("GET", "/api/jobs/part/logs?format=text", link).text == "shared\n"
