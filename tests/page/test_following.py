"""The end of the log, as it is written."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from ..served import Served
from .slow import SlowProxy
from .written import Written

Write = Callable[..., Written]
Look = Callable[..., Page]


def last(page: Page) -> str:
    return page.locator(".row .m").last.inner_text()


def scroll(page: Page, top: str) -> None:
    page.evaluate(f"log.scrollTop = {top}")


def at_end(page: Page) -> bool:
    return bool(page.evaluate("log.scrollHeight - log.scrollTop - log.clientHeight < 2"))


def test_lines_appear_as_they_are_written_and_the_end_stays_in_view(write: Write, look: Look) -> None:
    job = write()
    job.log("first")
    page = look(job)
    expect(page.locator(".row .m")).to_have_text(["first"])
    job.log(*(f"more {n}" for n in range(200)))
    expect(page.locator(".row .m").last).to_have_text("more 199")
    expect(page.locator(".row .m").last).to_be_in_viewport()
    assert at_end(page)
    expect(page.locator("#follow")).to_have_attribute("aria-pressed", "true")


def test_a_reader_who_scrolls_is_left_alone_and_told_what_came(write: Write, look: Look) -> None:
    job = write()
    job.fill(300)
    page = look(job)
    expect(page.locator('.row[data-line="300"]')).to_be_in_viewport()
    scroll(page, "1000")
    expect(page.locator("#fresh")).to_have_text("To the end")
    before = page.evaluate("log.scrollTop")
    job.log(*(f"new {n}" for n in range(128)))
    expect(page.locator("#fresh")).to_have_text("128 new")
    assert page.evaluate("log.scrollTop") == before
    page.locator("#fresh").click()
    expect(page.locator(".row .m").last).to_have_text("new 127")
    assert at_end(page)
    job.log("and on")
    expect(page.locator(".row .m").last).to_have_text("and on")


def test_end_and_f_follow_home_goes_to_the_start(write: Write, look: Look) -> None:
    job = write()
    job.fill(5000)
    page = look(job)
    expect(page.locator('.row[data-line="5000"]')).to_be_in_viewport()
    page.keyboard.press("Home")
    expect(page.locator('.row[data-line="1"]')).to_be_in_viewport()
    assert page.evaluate("log.scrollTop") == 0
    page.keyboard.press("End")
    expect(page.locator('.row[data-line="5000"]')).to_be_in_viewport()
    page.keyboard.press("f")
    expect(page.locator("#follow")).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("f")
    expect(page.locator("#follow")).to_have_attribute("aria-pressed", "true")


def test_selecting_text_stops_the_following(write: Write, look: Look) -> None:
    job = write()
    job.fill(100)
    page = look(job)
    page.locator('.row[data-line="95"] .m').dblclick()
    expect(page.locator("#follow")).to_have_attribute("aria-pressed", "false")


def test_a_hidden_tab_closes_its_stream_and_catches_up(write: Write, look: Look) -> None:
    job = write()
    job.log("seen")
    page = look(job)
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    expect(page.locator("#count")).to_have_text("1 line")
    hide(page, True)
    expect(page.locator("#connection")).to_have_attribute("data-state", "paused")
    page.wait_for_function(f"() => fetch('/api/jobs/{job.id}').then(r => r.headers.get('jobtail-viewers') === '0')")
    job.log(*(f"meanwhile {n}" for n in range(3)))
    hide(page, False)
    expect(page.locator(".row .m").last).to_have_text("meanwhile 2")
    expect(page.locator(".note.away")).to_have_text("While you were away · 3 new")
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")


def test_a_tab_that_missed_a_million_lines_takes_the_newest_alone(write: Write, look: Look) -> None:
    job = write()
    job.log("seen")
    page = look(job)
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    expect(page.locator("#count")).to_have_text("1 line")
    hide(page, True)
    job.fill(30_000)
    hide(page, False)
    expect(page.locator(".row .n").last).to_have_text("30001")
    assert len(page.evaluate("[...document.querySelectorAll('.row')]")) < 300
    page.keyboard.press("Home")
    expect(page.locator(".row .m").first).to_have_text("seen")


def test_a_burst_leaves_the_keys_answering(write: Write, look: Look) -> None:
    job = write()
    job.fill(100)
    page = look(job)
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    for _ in range(10):
        job.fill(2500, step=500)
        page.keyboard.press("?")
        expect(page.locator("#help")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("#help")).to_be_hidden()
    expect(page.locator(".row .n").last).to_have_text("25100")
    assert at_end(page)


def test_a_job_that_falls_silent_says_so(write: Write, look: Look) -> None:
    job = write()
    job.start_ms -= 180_000
    job.log("something, four minutes ago")
    page = look(job)
    expect(page.locator("#silence")).to_have_text(re.compile("No output for 4 min"))
    job.log("and on")
    expect(page.locator(".row .m").last).to_have_text("and on")
    expect(page.locator("#silence")).to_be_empty()


def test_a_reader_who_falls_behind_is_told_how_far_and_comes_back(write: Write, page: Page, service: Served) -> None:
    job = write()
    job.log("first")
    with SlowProxy(service.port) as network:
        page.goto(f"{network.url}/jobs/{job.id}")
        expect(page.locator("#connection")).to_have_attribute("data-state", "live")
        expect(page.locator("#count")).to_have_text("1 line")
        network.bytes_per_second = 10_000
        noise = random.Random(1)  # what a stream's compression can't make small
        for _ in range(30):
            job.log(*(noise.randbytes(60).hex() for _ in range(500)))
        expect(page.locator("#connection")).to_have_attribute("data-state", "behind", timeout=60_000)
        expect(page.locator("#connection")).to_have_text(re.compile(r"^Behind, \d+,\d{3} lines$"))
        expect(page.locator("#follow")).to_have_attribute("aria-pressed", "true")
        network.bytes_per_second = 0
        expect(page.locator(".row .n").last).to_have_text("15001", timeout=60_000)
        expect(page.locator("#connection")).to_have_attribute("data-state", "live", timeout=60_000)
        expect(page.locator("#connection")).to_have_text("Live")
        assert at_end(page)
        expect(page.locator("#truth")).to_have_text("Every line")
        page.goto("about:blank")


def hide(page: Page, hidden: bool) -> None:
    page.evaluate(
        """hidden => {
            Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden });
            document.dispatchEvent(new Event('visibilitychange'));
        }""",
        hidden,
    )
