"""What the address holds, a colleague sees."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from playwright.sync_api import Browser, Page, Route, expect

from ..served import Served
from .written import Written

Write = Callable[..., Written]
Look = Callable[..., Page]


def test_a_line_number_is_a_link_that_carries_its_cursor(write: Write, look: Look) -> None:
    job = write()
    job.fill(300)
    page = look(job)
    number = page.locator('.row[data-line="290"] .n')
    expect(number).to_have_attribute("href", f"#{job.epoch}-290")
    number.click()
    assert page.url.endswith(f"#{job.epoch}-290")
    page.locator('.row[data-line="294"] .n').click(modifiers=["Shift"])
    assert page.url.endswith(f"#{job.epoch}-290..294")
    expect(page.locator(".row.marked")).to_have_count(5)
    page.locator('.row[data-line="285"] .n').click(modifiers=["Shift"])
    assert page.url.endswith(f"#{job.epoch}-285..294")
    page.keyboard.press("Escape")
    expect(page.locator(".row.marked")).to_have_count(0)
    assert "#" not in page.url


def test_everything_about_the_view_is_in_the_address(write: Write, look: Look) -> None:
    job = write()
    job.fill(50)
    job.log("ERROR needle here")
    page = look(job)
    page.locator("#find").fill("needle")
    expect(page.locator("#found")).to_have_text("1 of 1")
    page.locator("#regex").click()
    page.locator("#wrap").click()
    page.locator("#time").select_option("utc")
    page.locator("#level").select_option("error")
    address = page.url
    page.goto("about:blank")
    page.goto(address)
    expect(page.locator("#found")).to_have_text("1 of 1")
    expect(page.locator("#find")).to_have_value("needle")
    for control in ("#regex", "#wrap"):
        expect(page.locator(control)).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#time")).to_have_value("utc")
    expect(page.locator(".row")).to_have_count(1)
    assert page.url == address


def test_links_that_lead_nowhere_are_said_in_words_and_the_log_stays(write: Write, look: Look) -> None:
    job = write()
    job.fill(20)
    page = look(job, f"#{job.epoch}-999")
    expect(page.locator("#toast")).to_contain_text("There is no line 999")
    expect(page.locator(".row")).to_have_count(20)
    page.goto("about:blank")
    look(job, "#0ther-3")
    expect(page.locator("#toast")).to_contain_text("an earlier journal")
    expect(page.locator(".row")).to_have_count(20)
    page.locator("#find").fill(":77")
    page.keyboard.press("Enter")
    expect(page.locator("#toast")).to_contain_text("There is no line 77")


def test_a_link_to_a_line_that_has_not_come_yet_leads_there(write: Write, look: Look, page: Page) -> None:
    job = write()
    job.log("first")
    head = 'data: [{"id": "%s-1", "line": 1, "timestamp": 1, "message": "first", "level": null}]'
    events = "event: status\ndata: {}\n\nevent: lines\nid: %s-1\n" + head + "\n\n"
    page.route("**/events?*", lambda route: route.fulfill(
        content_type="text/event-stream", body=events.replace("%s", job.epoch)
    ))  # fmt: skip
    job.fill(100)
    look(job, f"#{job.epoch}-90")
    expect(page.locator('.row[data-line="90"].marked')).to_be_in_viewport()


def test_a_wrong_expression_is_said_and_the_log_stays(write: Write, look: Look) -> None:
    job = write()
    job.fill(20)
    page = look(job)
    page.locator("#regex").click()
    page.locator("#find").fill("(unclosed")
    expect(page.locator("#toast")).to_contain_text("not a valid expression")
    expect(page.locator("#find")).to_have_attribute("aria-invalid", "true")
    page.locator("#find").fill(r"line \d+7 of")
    expect(page.locator("#found")).to_have_text("1 of 1")
    expect(page.locator("#find")).not_to_have_attribute("aria-invalid", "true")
    expect(page.locator(".row")).to_have_count(20)


def test_escape_leaves_what_is_searched(write: Write, look: Look) -> None:
    job = write()
    job.log("needle one", "hay", "needle two")
    page = look(job)
    page.keyboard.press("/")
    page.keyboard.type("needle")
    expect(page.locator("#found")).to_have_text("2 of 2")
    page.keyboard.press("Escape")
    expect(page.locator("#log")).to_be_focused()
    expect(page.locator("#find")).to_have_value("needle")
    page.keyboard.press("n")
    expect(page.locator("#found")).to_have_text("1 of 2")
    assert "q=needle" in page.url


def test_a_search_that_was_cut_off_goes_on_by_itself(write: Write, look: Look, page: Page) -> None:
    job = write()
    job.fill(20_000)
    look(job)
    page.route("**/search?*limit=0*", lambda route: route.abort())
    page.locator("#find").fill("ERROR")
    expect(page.locator(".row.current")).to_have_attribute("data-line", "20000")
    expect(page.locator("#found")).to_have_text("…")
    page.unroute("**/search?*limit=0*")
    expect(page.locator("#found")).to_have_text("2 of 2")
    job.log("ERROR again")  # and what comes later is counted too
    expect(page.locator("#found")).to_have_text("2 of 3")
    page.locator("#find").press("Enter")
    expect(page.locator("#found")).to_have_text("3 of 3")
    page.locator("#find").press("Enter")
    expect(page.locator("#found")).to_have_text("1 of 3")
    page.locator("#find").press("Shift+Enter")
    expect(page.locator("#found")).to_have_text("3 of 3")


def later(seconds: float) -> Callable[[Route], None]:
    def answer(route: Route) -> None:
        time.sleep(seconds)
        route.continue_()

    return answer


def test_a_search_that_another_follows_leaves_it_alone(write: Write, look: Look, page: Page) -> None:
    job = write()
    job.fill(20_000)
    look(job)
    expect(page.locator('.row[data-line="20000"]')).to_be_in_viewport()
    page.route("**/logs?*", later(1))  # the lines around what is found first come when the second search has begun
    with page.expect_request("**/logs?*"):
        page.locator("#find").fill("step 10000")
    page.locator("#find").fill("ERROR")
    expect(page.locator("#found")).to_have_text("2 of 2")
    expect(page.locator(".row.current")).to_have_attribute("data-line", "20000")


def test_what_is_found_late_is_counted_right(write: Write, look: Look, page: Page) -> None:
    job = write()
    job.fill(20_000)
    look(job)
    page.route("**/search?*tail=1*", later(6))  # meanwhile counts that were broken off are taken up
    page.locator("#find").fill("ERROR")
    expect(page.locator("#found")).to_have_text("2 of 2")


def test_the_number_of_a_match_stays_true_while_matches_come(write: Write, look: Look) -> None:
    job = write()
    job.log("ERROR a", "ERROR b", "ERROR c")
    page = look(job)
    page.locator("#find").fill("ERROR")
    expect(page.locator("#found")).to_have_text("3 of 3")
    page.locator("#find").press("Enter")
    expect(page.locator("#found")).to_have_text("1 of 3")
    job.log("ERROR d", "ERROR e")
    expect(page.locator("#count")).to_have_text("5 lines")
    page.locator("#find").press("Shift+Enter")
    expect(page.locator("#found")).to_have_text("5 of 5", timeout=3000)
    job.log("ERROR f")
    expect(page.locator("#count")).to_have_text("6 lines")
    page.locator("#find").press("Enter")
    expect(page.locator("#found")).to_have_text("6 of 6", timeout=3000)


def test_steps_of_one_search_are_not_taken_in_the_next(write: Write, look: Look, page: Page) -> None:
    job = write()
    job.log("first", *("word" for _ in range(50)), "other", "other")
    look(job)
    page.locator("#find").fill("word")
    expect(page.locator("#found")).to_have_text("50 of 50")
    page.route("**/search?*tail=1*", later(0.3))
    for _ in range(8):
        page.locator("#find").press("Shift+Enter")
    page.locator("#find").fill("other")
    expect(page.locator("#found")).to_have_text(re.compile("^[12] of 2$"))
    page.wait_for_timeout(700)
    expect(page.locator("#found")).to_have_text(re.compile("^[12] of 2$"))
    expect(page.locator(".row.current")).to_contain_text("other")


def test_a_line_that_was_typed_for_is_not_gone_to_again(write: Write, look: Look) -> None:
    job = write()
    job.fill(300)
    job.log("ERROR needle")
    page = look(job, "?q=needle")
    expect(page.locator("#found")).to_have_text("1 of 1")
    page.locator("#find").fill(":20")
    page.locator("#find").press("Enter")
    expect(page.locator('.row[data-line="20"]')).to_be_in_viewport()
    page.locator("#log").focus()
    page.keyboard.press("Escape")
    page.keyboard.press("End")
    page.locator("#level").select_option("error")
    expect(page.locator(".row")).to_have_count(1)
    expect(page.locator("#markbar")).to_be_hidden()


def test_a_mark_that_the_filter_hides_copies_nothing_and_says_so(write: Write, look: Look) -> None:
    job = write()
    job.log("ERROR a", "b", "c", "ERROR d")
    page = look(job, f"?level=error#{job.epoch}-2..3")
    expect(page.locator("#markbar")).to_be_visible()
    page.evaluate("navigator.clipboard.writeText('before')")
    page.keyboard.press("c")
    expect(page.locator("#toast")).to_have_text("None of these lines is of a level that is shown.")
    assert page.evaluate("navigator.clipboard.readText()") == "before"


def test_of_a_job_that_is_over_no_line_is_called_new(write: Write, look: Look) -> None:
    job = write()
    for n in range(10):
        job.log(*[f"line {n}-{m}" for m in range(30)])
    job.end()
    page = look(job, f"#{job.epoch}-3")
    expect(page.locator("#connection")).to_have_attribute("data-state", "ended")
    expect(page.locator("#count")).to_have_text("300 lines")
    expect(page.locator("#fresh")).to_have_text("To the end")


def test_the_way_to_the_log_leaves_a_mark(write: Write, look: Look) -> None:
    job = write()
    job.fill(20)
    page = look(job, f"#{job.epoch}-5")
    expect(page.locator("#markbar")).to_be_visible()
    page.locator(".skip").focus()
    page.keyboard.press("Enter")
    page.wait_for_function("() => location.hash === '#log'")
    expect(page.locator(".row.marked")).to_have_count(1)


def test_a_filter_holds_for_what_is_copied_and_downloaded(write: Write, look: Look) -> None:
    job = write()
    job.log("INFO a", "ERROR b", "INFO c", "ERROR d")
    page = look(job, "?level=error")
    expect(page.locator(".row")).to_have_count(2)
    expect(page.locator("#count")).to_have_text("4 lines, filtered")
    page.keyboard.press("Control+a")
    page.keyboard.press("c")
    expect(page.locator("#toast")).to_have_text("Copied 4 lines, filtered")
    assert page.evaluate("navigator.clipboard.readText()") == "ERROR b\nERROR d"
    with page.expect_download() as download:
        page.locator("#mark-text").click()
    assert download.value.path().read_text() == "ERROR b\nERROR d\n"


def test_the_bar_of_a_mark_covers_no_line_at_the_end(write: Write, look: Look) -> None:
    job = write()
    job.fill(100)
    page = look(job, f"#{job.epoch}-50")
    expect(page.locator(".row.marked")).to_be_in_viewport()
    page.keyboard.press("End")
    last = page.locator('.row[data-line="100"]')
    expect(last).to_be_in_viewport()
    for _ in range(3):  # also while lines come
        job.log("more")
    last = page.locator('.row[data-line="103"]')
    expect(last).to_be_in_viewport()
    box, bar = last.bounding_box(), page.locator("#markbar").bounding_box()
    assert box is not None
    assert bar is not None
    assert box["y"] + box["height"] <= bar["y"]


def test_without_javascript_the_log_begins_at_its_end(write: Write, browser: Browser, service: Served) -> None:
    job = write()
    job.fill(150)
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{service.url}/jobs/{job.id}")
        expect(page.get_by_text("line 150 of some work")).to_be_in_viewport()
        expect(page.get_by_text("line 1 of some work")).to_be_attached()


def test_a_range_is_downloaded_as_it_is(write: Write, look: Look) -> None:
    job = write()
    job.fill(50)
    page = look(job, f"#{job.epoch}-10..12")
    expect(page.locator("#markbar b")).to_have_text("Lines 10–12")
    with page.expect_download() as download:
        page.locator("#mark-text").click()
    assert download.value.path().read_text() == "".join(f"line {n} of some work\n" for n in (10, 11, 12))
    page.locator("#mark-link").click()
    expect(page.locator("#toast")).to_have_text("The link is in the clipboard")
    assert page.evaluate("navigator.clipboard.readText()") == page.url
