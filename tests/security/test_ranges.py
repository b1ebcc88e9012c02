"""A link to some lines learns nothing else: not what stands around them, and not how long the log is."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from webapp.journal.line import Entry
from webapp.web.route import GuardedRoute

from .site import JOB, START_MS, Site
from .test_table import TABLE

LONG, LONGER = 7919, 8933
LINES = (5, 9)
CURSORS = (0, 4, 9, 10, LONG, LONG + 1, 99_999)
QUERIES = (
    "", "?format=ndjson", "?format=text", "?tail=3", "?tail=99999", "?limit=2", "?from_line=1", "?q=line", "?q=nothing",
    "?since_ms=0", "?since_ms=1700000007000", "?until_ms=1700000007000", "?level=none", "?q=line&tail=2",
    "?q=line&limit=1", "?q=nothing&tail=2", "?parts=3", "?format=batch&sample_logs=false", "?format=text&download=true",
    "?format=text&follow=true&limit=1", "?timeout=0", "?timeout=0&q=line",
)  # fmt: skip


def grow(site: Site, upto: int) -> None:
    journal = site.service.store.journals.open(JOB)
    there = journal.state().last_line
    writer = journal.claim(10)
    try:
        numbers = range(there + 1, upto + 1)
        writer.resume()
        writer.append([Entry(START_MS + n - 1, f"line {n} of the job") for n in numbers])
    finally:
        writer.release()


def asked(site: Site, epoch: str) -> list[tuple[str, str, dict[str, str]]]:
    """Every request that a reader of this job can make, but for streams that would not end."""
    found: list[tuple[str, str, dict[str, str]]] = []
    for route in site.app.routes:
        if not isinstance(route, GuardedRoute) or "{job}" not in route.path:
            continue
        for method in sorted((route.methods or set()) - {"HEAD"}):
            path = TABLE[method, route.path][0].partition("?")[0].replace("{job}", JOB).replace("{share}", "0" * 16)
            if method != "GET":
                found.append((method, path, {}))
                continue
            found += [(method, path + query, {}) for query in QUERIES]
            for line in CURSORS:
                for query in ("after={}&q=line", "before={}&q=line", "last_event_id={}", "last_event_id={}.done"):
                    found.append((method, f"{path}?{query.format(f'{epoch}-{line}')}", {}))
                found.append((method, path, {"Last-Event-ID": f"{epoch}-{line}"}))
    return found


def answers(site: Site, link: dict[str, str], epoch: str) -> dict[str, str]:
    given = {}
    for method, path, headers in asked(site, epoch):
        answer = site.ask(method, path, {**link, **headers})
        said = f"{answer.status_code} {sorted(answer.headers.items())} {answer.text}"
        # What differs from one answer to the next in any case.
        said = re.sub(r"retry: \d+|'(?:date|set-cookie|server-timing|x-request-id)', '[^']*'|nonce-[\w-]+", "", said)
        given[f"{method} {path} {headers}"] = said.replace(epoch, "EPOCH")
    return given


def differing(before: dict[str, str], after: dict[str, str]) -> str:
    pairs = [(what, said, after[what]) for what, said in before.items() if after[what] != said]
    return "\n".join(f"{what}:\n  {said[:500]}\n  {later[:500]}" for what, said, later in pairs[:9])


@pytest.fixture
def ended(open_site: Callable[..., Site]) -> Site:
    site = open_site()
    grow(site, LONG)
    return site


def test_nothing_tells_what_is_around_a_range_or_how_long_the_log_is(ended: Site) -> None:
    site, link = ended, ended.enter(ended.token(lines=list(LINES)))
    epoch = site.service.store.journals.open(JOB).state().epoch
    before = answers(site, link, epoch)
    wrong = []
    for what, said in before.items():
        outside = [int(n) for n in re.findall(r"line (\d+) of the job", said) if not LINES[0] <= int(n) <= LINES[1]]
        body = said.replace(what.split(" ")[1].partition("?")[2], "")
        if outside or re.search(rf"\D{LONG}\D|\D{LONG + 1}\D", re.sub(r"EPOCH-\d+", "", body)):
            wrong.append(f"{what}: {outside} {said[:400]}")
    assert not wrong, "\n".join(wrong[:9])
    grow(site, LONGER)
    after = answers(site, link, epoch)
    assert not differing(before, after)


def test_a_range_that_has_not_begun_does_not_tell_how_far_the_log_is(open_site: Callable[..., Site]) -> None:
    site = open_site()
    link = site.enter(site.token(lines=[15_000, 15_005]))
    epoch = site.service.store.journals.open(JOB).state().epoch
    before = answers(site, link, epoch)
    grow(site, LONG)
    after = answers(site, link, epoch)
    assert not differing(before, after)
