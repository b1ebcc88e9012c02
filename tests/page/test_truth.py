"""The page says what it does not show, and what has become of the connection."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from ..served import Served
from ..upstream import Fault, Upstream
from .written import Written

Write = Callable[..., Written]
Look = Callable[..., Page]


def test_the_badge_says_complete_only_when_it_is(write: Write, look: Look) -> None:
    job = write()
    job.log("one", "two")
    page = look(job)
    expect(page.locator("#truth")).to_have_text("Every line")
    job.end()
    expect(page.locator("#truth")).to_have_text("Complete")
    expect(page.locator("#connection")).to_have_text("Ended")
    other = write()
    other.log("one")
    other.end(complete=False)
    look(other)
    expect(page.locator("#truth")).to_have_text("End not confirmed")


def test_nothing_is_said_of_a_log_before_something_is_known(write: Write, look: Look, page: Page) -> None:
    job = write()
    job.fill(30)
    page.route("**/events?*", lambda route: route.abort())
    look(job)
    expect(page.locator("#connection")).to_have_attribute("data-state", "reconnecting")
    expect(page.locator("#empty")).to_be_hidden()
    expect(page.locator("#truth")).to_have_text("…")
    page.unroute("**/events?*")
    expect(page.locator(".row")).to_have_count(30, timeout=30_000)
    expect(page.locator("#truth")).to_have_text("Every line")


def test_a_gap_stands_at_its_place_and_leads_there(write: Write, look: Look) -> None:
    job = write()
    job.fill(1000)
    job.journal.add_gap(400, "upstream", 412)
    page = look(job)
    expect(page.locator("#truth")).to_have_text("Gap of 412")
    page.locator("#truth").click()
    page.locator("#truth-gaps a").click()
    page.keyboard.press("Escape")
    expect(page.locator(".note.gap")).to_have_text("412 lines may be missing here · look again")
    expect(page.locator(".note.gap")).to_be_in_viewport()
    page.locator(".note.gap").click()
    expect(page.locator("#toast")).to_contain_text("still not to be had")


def test_what_was_trimmed_is_said_at_the_start(write: Write, look: Look) -> None:
    job = write()
    job.fill(20_000)
    trimmed = job.journal.trim(10_000)
    assert trimmed
    page = look(job)
    expect(page.locator("#truth")).to_have_text(f"Gap of {trimmed:,}")
    page.keyboard.press("Home")
    expect(page.locator(".note.gap")).to_have_text(f"{trimmed:,} lines trimmed: the journal keeps them no longer")
    expect(page.locator(f'.row[data-line="{trimmed + 1}"]')).to_be_in_viewport()


def test_a_sample_counts_what_it_leaves_out_and_fetches_it_on_a_click(write: Write, look: Look) -> None:
    job = write()
    job.start_ms -= job.start_ms % 1000  # within one beat
    job.log(*(f"fast {n}" for n in range(100)))
    job.log(*(f"more {n}" for n in range(50)))
    page = look(job, "?sample_logs=true")
    expect(page.locator("#truth")).to_contain_text("left out")
    note = page.locator(".note").last
    expect(note).to_have_text("49 lines left out by sampling · show")
    note.click()
    expect(page.get_by_text("more 20", exact=True)).to_be_attached()
    expect(page.locator(".note")).to_have_count(0)
    page.locator("#sample_logs").click()
    expect(page.locator("#truth")).to_have_text("Every line", timeout=2000)
    page.keyboard.press("Home")
    expect(page.locator(".row .n").first).to_have_text("1")
    expect(page.locator(".note")).to_have_count(0)


def test_a_killed_service_is_never_shown_as_live_and_nothing_is_lost(
    serve: Callable[..., Served], write: Write, look: Look, page: Page
) -> None:
    served = serve()
    job = write(served)
    job.fill(100)
    look(job, served=served)
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    served.kill()
    expect(page.locator("#connection")).to_have_attribute("data-state", "reconnecting")
    job.log("while it was down")
    served.start()
    expect(page.locator("#connection")).to_have_attribute("data-state", "live", timeout=30_000)
    expect(page.locator(".row .m").last).to_have_text("while it was down")
    numbers = page.evaluate("[...document.querySelectorAll('.row .n')].map(n => Number(n.textContent))")
    assert numbers == list(range(numbers[0], 102))


def test_a_journal_begun_anew_is_followed_anew(write: Write, look: Look, service: Served, page: Page) -> None:
    job = write()
    job.log("secret")
    look(job)
    expect(page.locator(".row")).to_have_count(1)
    job.journal.forget()
    job.log("clean")
    expect(page.locator(".row .m")).to_have_text(["clean"])


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    server = Upstream().start()
    yield server
    server.stop()


def test_an_upstream_that_goes_down_and_comes_back(
    serve: Callable[..., Served], upstream: Upstream, page: Page
) -> None:
    job = upstream.job("nightly")
    job.log("first\n")
    served = serve(upstream_url=upstream.url, refresh_seconds=0.2)
    page.goto(f"{served.url}/jobs/nightly")
    expect(page.locator(".row .m")).to_have_text(["first"])
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    port = upstream.port
    upstream.stop()
    expect(page.locator("#connection")).to_have_attribute("data-state", "down", timeout=30_000)
    expect(page.locator("#connection")).to_contain_text("The upstream does not answer")
    job.log("second\n")
    upstream.start(port)
    expect(page.locator(".row .m").last).to_have_text("second", timeout=30_000)
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")


def test_a_job_that_vanished_upstream_is_said_in_words_and_its_log_stays(
    serve: Callable[..., Served], upstream: Upstream, page: Page
) -> None:
    upstream.job("nightly").log("kept\n")
    served = serve(upstream_url=upstream.url, refresh_seconds=0.2)
    page.goto(f"{served.url}/jobs/nightly")
    expect(page.locator(".row .m")).to_have_text(["kept"])
    del upstream.jobs["nightly"]
    expect(page.locator("#trouble")).to_contain_text("does not know this job any more", timeout=60_000)
    for _ in range(2):  # and when it is opened again
        expect(page.locator("#pill")).to_have_text("Gone")
        expect(page.locator("#trouble")).to_contain_text("does not know this job any more", timeout=60_000)
        expect(page.locator("#cancel-open")).to_be_hidden()
        expect(page.locator("#bell")).to_be_hidden()
        page.keyboard.press("i")
        expect(page.locator("#about")).to_contain_text("Gone")
        page.keyboard.press("Escape")
        expect(page.locator(".row .m")).to_have_text(["kept"])
        page.reload()


def test_a_log_that_nobody_has_seen_is_not_called_empty_while_its_upstream_is_down(
    serve: Callable[..., Served], upstream: Upstream, page: Page
) -> None:
    upstream.job("nightly")
    upstream.always["logs"] = Fault("status", 500)
    served = serve(upstream_url=upstream.url, refresh_seconds=0.2)
    page.goto(f"{served.url}/jobs/nightly")
    expect(page.locator("#empty")).to_have_text("No line yet: the upstream does not answer.", timeout=30_000)
    upstream.always.clear()
    expect(page.locator("#empty")).to_have_text("No line yet.", timeout=60_000)
