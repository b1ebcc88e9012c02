"""What the page says of itself is so: of the connection, of time, and of how much of the log it shows."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from playwright.sync_api import Browser, BrowserContext, Page, Request, expect

from webapp.engine.job import now_ms

from ..served import Served, until
from .buffering import buffering_proxy
from .conftest import watch
from .written import Written

Write = Callable[..., Written]
Look = Callable[..., Page]


def test_sampling_on_and_off_leaves_an_ended_log_and_its_reader_in_place(write: Write, look: Look) -> None:
    job = write()
    job.fill(800)
    job.end()
    page = look(job, f"#{job.epoch}-400..402")
    expect(page.locator("#truth")).to_have_text("Complete")
    expect(page.locator(".row.marked")).to_have_count(3)
    for badge in ("Sampled", "Complete"):
        page.keyboard.press("m")
        expect(page.locator("#truth")).to_have_text(re.compile(f"^{badge}"))
        expect(page.locator('.row[data-line="400"].marked')).to_be_in_viewport()
        expect(page.locator("#count")).to_have_text("800 lines")
        expect(page.locator("#empty")).to_be_hidden()


def test_a_fault_of_the_page_is_no_lost_connection(write: Write, look: Look, browser: Browser, service: Served) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        faults = watch(page)
        page.add_init_script(
            """window.Notification = class { static requestPermission = async () => 'granted';
            constructor() { throw new TypeError('Illegal constructor'); } };
            const set = Object.getOwnPropertyDescriptor(Document.prototype, 'title').set;
            Object.defineProperty(document, 'title', { set(text) {
                set.call(document, text);
                if (text.startsWith('Done')) throw new Error('a fault'); } })"""
        )
        streams: list[Request] = []
        page.on("request", lambda request: "/events" in request.url and streams.append(request))
        job = write(name="nightly")
        job.log("one")
        page.goto(f"{service.url}/jobs/{job.id}")
        expect(page.locator("#connection")).to_have_attribute("data-state", "live")
        page.locator("#bell").click()
        expect(page.locator("#bell")).to_have_attribute("aria-pressed", "true")
        job.end()
        expect(page.locator("#toast")).to_have_text("nightly: Done")  # in the place of the notice
        expect(page.locator("#connection")).to_have_attribute("data-state", "ended")
        page.wait_for_timeout(1500)
        assert len(streams) == 1
        assert set(faults) == {"thrown: a fault"}


def test_times_go_by_the_clock_of_the_service(write: Write, look: Look, page: Page) -> None:
    job = write()  # began a minute ago
    job.log("one")
    page.clock.install(time=datetime.now(UTC) + timedelta(minutes=10))
    look(job)
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    expect(page.locator("#elapsed")).to_have_text(re.compile(r"^1:\d\d$"))
    expect(page.locator("#silence")).to_have_text(re.compile("^(No output for 1 min.*)?$"))


def test_a_log_over_midnight_shows_its_days(write: Write, look: Look) -> None:
    job = write()
    job.start_ms = 1_700_000_000_000  # in UTC it is Tuesday the 14th, in Kolkata already Wednesday
    job.log("one", "two")
    job.start_ms += 5 * 3_600_000
    job.log("three")
    page = look(job, "?time=utc")
    days = page.locator(".note.day")
    expect(days).to_have_text([re.compile("Tuesday,? 14 November 2023"), re.compile("Wednesday,? 15 November 2023")])
    assert page.locator(".sheet > div").last.locator(".note.day").count() == 1
    expect(page.locator("#day")).to_have_text(re.compile("Tuesday,? 14 November 2023"))
    page.locator("#time").select_option("local")
    expect(days).to_have_text([re.compile("Wednesday,? 15 November 2023")])
    page.locator("#time").select_option("start")
    expect(days).to_have_count(0)
    expect(page.locator("#day")).to_be_empty()


def test_a_log_of_today_shows_no_day(write: Write, look: Look) -> None:
    job = write()
    job.start_ms = now_ms() - 1000
    job.log("one", "two")
    page = look(job, "?time=utc")
    expect(page.locator(".row")).to_have_count(2)
    expect(page.locator(".note.day")).to_have_count(0)


def test_the_day_is_told_where_older_lines_are_loaded_in_front(write: Write, look: Look) -> None:
    job = write()
    midnight = now_ms() // 86_400_000 * 86_400_000
    job.start_ms = midnight - 501  # the stream brings the 500 lines of today
    job.fill(500)
    job.start_ms = midnight - 500
    job.fill(500)
    page = look(job, "?time=utc")
    expect(page.locator('.row[data-line="1000"]')).to_be_in_viewport()
    page.locator("#find").fill(":505")
    page.locator("#find").press("Enter")
    expect(page.locator('.row[data-line="501"]')).to_be_in_viewport()
    expect(page.locator(':has(> .row[data-line="501"]) > .note.day')).to_have_count(1)


def test_a_link_to_lines_says_that_it_is_an_excerpt(
    write: Write, serve: Callable[..., Served], browser: Browser
) -> None:
    token = "t" * 40
    served = serve(access_token=token)
    job = write(served)
    job.fill(300)
    job.end()
    headers = {"authorization": f"Bearer {token}"}
    made = served.post(f"/api/jobs/{job.id}/shares", json={"lines": [10, 12]}, headers=headers).json()
    with browser.new_context() as stranger:
        page = stranger.new_page()
        page.goto(made["url"])
        expect(page.locator("#truth")).to_have_text("Excerpt: lines 10–12")
        page.locator("#truth").click()
        expect(page.locator("#truth-text")).to_contain_text("lines 10 to 12 of the log, and nothing else")
        expect(page.get_by_text("Complete")).to_have_count(0)


def test_seven_tabs_and_more_are_live_at_once(write: Write, context: BrowserContext, service: Served) -> None:
    job = write()
    job.log("first")
    pages = []
    for _ in range(7):
        page = context.new_page()
        page.goto(f"{service.url}/jobs/{job.id}")
        expect(page.locator("#connection")).to_have_attribute("data-state", "live")
        pages.append(page)
    job.log("second")
    for page in pages:
        expect(page.locator(".row .m")).to_have_text(["first", "second"])

    def waiting() -> list[Page]:
        return [page for page in pages if "every few seconds" in page.locator("#connection").inner_text()]

    assert len(waiting()) == 3
    expect(waiting()[0].locator("#connection")).to_have_attribute("title", re.compile("tabs of this browser"))
    pages[0].goto("about:blank")  # its place goes to one that waits
    del pages[0]
    until(lambda: len(waiting()) == 2, "one of those that wait to stream")
    job.end()
    for page in pages:
        expect(page.locator("#pill")).to_have_text("Done")
        expect(page.locator("#truth")).to_have_text("Complete")


def test_behind_a_proxy_that_holds_a_stream_back_nothing_is_live_until_something_comes(
    write: Write, page: Page, service: Served
) -> None:
    job = write()
    job.log("first")
    with buffering_proxy(service.port) as address:
        page.goto(f"{address}/jobs/{job.id}")
        expect(page.locator("#map")).to_be_hidden()
        page.wait_for_timeout(1000)
        expect(page.locator("#connection")).to_have_attribute("data-state", "connecting")
        expect(page.locator("#connection")).to_have_text("Live, every few seconds")
        expect(page.locator(".row .m")).to_have_text(["first"])
        job.log("second")
        expect(page.locator(".row .m")).to_have_text(["first", "second"])
        expect(page.locator("#connection")).to_have_attribute("title", re.compile("holds the stream back"))
        job.end()
        expect(page.locator("#pill")).to_have_text("Done")
        page.goto("about:blank")
