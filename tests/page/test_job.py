"""What is around the log: the job, its end, its links; for everybody."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.base import AXE_FILE_PATH
from playwright.sync_api import Browser, Page, expect

from ..served import Served
from .written import Written

Write = Callable[..., Written]
Look = Callable[..., Page]


def test_the_status_is_told_in_the_page_the_title_and_the_icon(write: Write, look: Look) -> None:
    job = write(name="nightly")
    job.log("one")
    page = look(job)
    expect(page).to_have_title("Running · nightly · jobtail")
    expect(page.locator("#pill")).to_have_text("Running")
    job.end("Failed", 3)
    expect(page).to_have_title("Failed · nightly · jobtail")
    expect(page.locator("#favicon")).to_have_attribute("href", re.compile("/favicon-failed.svg$"))
    expect(page.locator("#why")).to_have_text("exit code 3")
    expect(page.locator("#elapsed")).to_contain_text("took")
    expect(page.locator("#cancel-open")).to_be_hidden()


def test_cancel_asks_first_and_shows_each_phase(write: Write, look: Look, service: Served) -> None:
    job = write(name="long one")
    job.log("one")
    page = look(job)
    page.locator("#cancel-open").click()
    expect(page.locator("#cancel")).to_contain_text("long one")
    page.get_by_text("Keep it running").click()
    expect(page.locator("#cancel")).to_be_hidden()
    assert not job.cancel_asked()
    page.locator("#cancel-open").click()
    page.locator("#cancel-yes").click()
    expect(page.locator("#phases li.past")).to_have_count(2)
    expect(page.locator("#cancel").get_by_text("Close", exact=True)).to_be_focused()
    assert job.cancel_asked()
    job.status()  # as its runner does when it sees that
    expect(page.locator("#pill")).to_have_text("Stopping")
    job.end("Canceled", 143)
    expect(page.locator("#pill")).to_have_text("Canceled")
    expect(page.locator("#cancel")).to_be_hidden()
    page.keyboard.press("i")
    expect(page.locator("#about")).to_contain_text("asked for by somebody at the computer")


def test_the_dialog_goes_when_the_job_ends_by_itself(write: Write, look: Look, page: Page) -> None:
    job = write()
    job.log("one")
    look(job)
    page.locator("#cancel-open").click()
    expect(page.locator("#cancel")).to_be_visible()
    job.end()
    expect(page.locator("#pill")).to_have_text("Done")
    expect(page.locator("#cancel")).to_be_hidden()
    expect(page.locator("#log")).to_be_focused()


def test_a_stranger_with_a_few_lines_sees_the_end_and_is_told_of_them_alone(
    write: Write, serve: Callable[..., Served], browser: Browser
) -> None:
    token = "t" * 40
    served = serve(access_token=token)
    job = write(served, name="nightly")
    job.fill(300)
    headers = {"authorization": f"Bearer {token}"}
    made = served.post(f"/api/jobs/{job.id}/shares", json={"lines": [10, 12]}, headers=headers).json()
    with browser.new_context() as stranger:
        page = stranger.new_page()
        page.goto(made["url"])
        expect(page.locator(".row")).to_have_count(3)
        expect(page.locator("#pill")).to_have_text("Running")
        page.locator("#truth").click()
        expect(page.locator("#true-dialog")).to_contain_text("lines 10 to 12 of the log, and nothing else")
        page.keyboard.press("Escape")
        job.end()
        expect(page.locator("#pill")).to_have_text("Done")


def test_a_cancel_that_is_refused_says_why(write: Write, look: Look, page: Page) -> None:
    job = write()
    job.log("one")
    look(job)
    page.route("**/cancel", lambda route: route.fulfill(status=502, json={"detail": "the upstream said no"}))
    page.locator("#cancel-open").click()
    page.locator("#cancel-yes").click()
    expect(page.locator("#cancel-why")).to_contain_text("the upstream said no")
    expect(page.locator("#cancel-yes")).to_be_enabled()


def test_the_dialog_says_how_many_others_watch(write: Write, look: Look, browser: Browser, service: Served) -> None:
    job = write()
    job.log("one")
    with browser.new_context() as others:
        other = others.new_page()
        other.goto(f"{service.url}/jobs/{job.id}")
        expect(other.locator("#connection")).to_have_attribute("data-state", "live")
        page = look(job)
        expect(page.locator("#watching")).to_have_text("2 watching")
        page.locator("#cancel-open").click()
        expect(page.locator("#cancel-others")).to_have_text("1 other watching it now.")


def test_the_panel_shows_what_is_known_of_the_job(write: Write, look: Look) -> None:
    job = write(name="nightly")
    job.log("one")
    page = look(job)
    expect(page.locator("#pill")).to_have_text("Running")
    page.keyboard.press("i")
    about = page.locator("#details")
    for text in (job.id, "nightly", "host:1", "python", "train.py"):
        expect(about).to_contain_text(text)
    page.keyboard.press("Escape")
    expect(about).to_be_hidden()
    page.keyboard.press("d")
    expect(page.locator("#take code").first).to_contain_text(f"/api/jobs/{job.id}/logs?format=text&follow=true")
    page.locator("#take [data-copy]").last.click()
    expect(page.locator("#toast")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()").startswith("jobtail tail http")


@pytest.mark.parametrize("let", [True, False])
def test_without_a_clipboard_the_old_way_is_tried_and_its_failure_said(
    write: Write, look: Look, page: Page, let: bool
) -> None:
    page.add_init_script(
        f"Clipboard.prototype.write = () => Promise.reject(new Error('no')); document.copied = '';"
        f"document.execCommand = () => {{ document.copied = document.activeElement.value; return {str(let).lower()}; }}"
    )
    job = write()
    job.log("one", "two")
    look(job, f"#{job.epoch}-1..2")
    expect(page.locator("#markbar")).to_be_visible()
    page.keyboard.press("c")
    said = "Copied 2 lines" if let else "The browser does not let this page copy."
    expect(page.locator("#toast")).to_have_text(said)
    assert page.evaluate("document.copied") == "one\ntwo"


def test_a_notice_comes_when_it_was_asked_for(write: Write, look: Look, page: Page) -> None:
    page.context.grant_permissions(["notifications"])
    page.add_init_script("""window.notices = []; window.Notification = class {
        static requestPermission = async () => 'granted';
        constructor(title) { window.notices.push(title); } }""")
    job = write(name="nightly")
    job.log("one")
    look(job)
    expect(page.locator("#pill")).to_have_text("Running")
    page.locator("#bell").click()
    expect(page.locator("#bell")).to_have_attribute("aria-pressed", "true")
    job.end()
    expect(page.locator("#pill")).to_have_text("Done")
    assert page.evaluate("notices") == ["nightly: Done"]


def test_a_link_is_made_listed_opened_and_taken_back(write: Write, look: Look, browser: Browser) -> None:
    job = write(name="nightly")
    job.fill(30)
    page = look(job, f"#{job.epoch}-10..12")
    expect(page.locator("#markbar")).to_be_visible()
    page.keyboard.press("s")
    expect(page.locator("#share-local")).to_be_visible()
    expect(page.locator("#share-range")).to_contain_text("10 to 12")
    page.locator("#share-lines").uncheck()
    page.locator("#share-note").fill("for Ana")
    page.locator("#share-make").click()
    expect(page.locator("#shares li b")).to_have_text("for Ana")
    link = page.locator("#share-new code").inner_text()
    with browser.new_context() as stranger:
        opened = stranger.new_page()
        opened.goto(link)
        expect(opened).to_have_url(re.compile(f"/jobs/{job.id}$"))
        expect(opened.locator(".row")).to_have_count(30)
    expect(page.locator("#shares li small")).to_have_text("ends in 7 d · never used")
    page.keyboard.press("Escape")
    page.keyboard.press("s")
    expect(page.locator("#shares li small")).to_contain_text("last used just now")
    page.locator("#shares button").first.click()
    expect(page.locator("#shares li small")).to_contain_text("taken back")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 390])
def test_axe_finds_nothing_serious(
    write: Write, look: Look, page: Page, service: Served, scheme: str, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    job = write()
    job.fill(20)
    job.log("ERROR red", "WARNING amber", "DEBUG quiet", '{"a": 1}', "::group::G")
    job.log("\x1b[31mred \x1b[33myellow \x1b[90mgrey")
    job.log("err", stream="stderr")
    look(job, f"#{job.epoch}-3..4")
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    page.locator('.row[data-line="10"]').hover()
    assert faults(page) == []
    for dialog in ("cancel", "share", "details", "take", "help", "true-dialog"):
        page.evaluate("id => document.getElementById(id).showModal()", dialog)
        assert faults(page) == [], dialog
        page.keyboard.press("Escape")
    page.goto(service.url)
    expect(page.locator("#jobs tr").first).to_be_visible()
    assert faults(page) == []


def faults(page: Page) -> list[str]:
    page.evaluate(AXE_FILE_PATH.read_text() + ";0")
    found = page.evaluate("axe.run().then(result => result.violations)")
    return [
        f"{one['id']}: {one['nodes'][0]['html'][:150]} {one['nodes'][0]['failureSummary'][:200]}"
        for one in found
        if one["impact"] in ("serious", "critical")
    ]


def test_every_key_of_the_list_is_answered_without_a_mouse(write: Write, look: Look) -> None:
    job = write()
    job.fill(50)
    page = look(job)
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("w")
    expect(page.locator("#wrap")).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("Escape")
    expect(page.locator("#help")).to_be_hidden()
    page.keyboard.press("/")
    expect(page.locator("#find")).to_be_focused()
    page.keyboard.type("w")
    expect(page.locator("#wrap")).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("Escape")
    expect(page.locator("#log")).to_be_focused()
    page.keyboard.press("Control+a")
    expect(page.locator("#markbar b")).to_have_text("Lines 1–50")
    page.keyboard.press("l")
    expect(page.locator("#level")).to_have_value("none,info,warning,error")
    page.keyboard.press("Shift+T")
    assert page.evaluate("document.documentElement.dataset.theme") == "light"


def test_a_new_line_is_not_read_out_but_a_new_status_is(write: Write, look: Look) -> None:
    job = write()
    job.log("one")
    page = look(job)
    expect(page.locator("#log")).to_have_attribute("aria-live", "off")
    expect(page.locator("#pill")).to_have_text("Running")
    job.end()
    expect(page.locator("#announce")).to_have_text(re.compile("Done|Ended"))
    assert page.locator("#announce").get_attribute("role") == "status"
