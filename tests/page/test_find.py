"""Find: what is shown of what was found, and the ways to a place."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from ..served import Served
from .written import Written

Write = Callable[..., Written]
Look = Callable[..., Page]

HIGHLIGHTS = "[...CSS.highlights.get('find') ?? []].map(range => range.toString())"


def find(page: Page, text: str) -> None:
    page.locator("#find").fill(text)


def shown(page: Page) -> list[str]:
    return page.locator(".row .n").all_inner_texts()


def test_only_matches_are_shown_and_a_click_shows_one_among_its_neighbours(write: Write, look: Look) -> None:
    job = write()
    job.fill(30_000)
    page = look(job)
    find(page, "ERROR")
    expect(page.locator("#found")).to_have_text("3 of 3")
    page.locator("#only").click()
    expect(page.locator(".row .n")).to_have_text(["10000", "20000", "30000"])
    assert "only=true" in page.url
    page.reload()
    expect(page.locator(".row .n")).to_have_text(["10000", "20000", "30000"])
    page.locator('.row[data-line="20000"]').hover()
    page.locator('[data-line="20000"] .context, :has(> [data-line="20000"]) > .context').click()
    expect(page.locator('.row[data-line="20003"]')).to_be_in_viewport()
    expect(page.locator('.row[data-line="20000"].current')).to_be_in_viewport()
    expect(page.locator("#only")).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("o")
    expect(page.locator(".row .n")).to_have_text(["10000", "20000", "30000"])


@pytest.mark.parametrize("filtered", ["?q=ERROR&only=true", "?level=error", "?exclude=line"])
def test_enter_at_the_line_cursor_shows_a_line_among_its_neighbours(write: Write, look: Look, filtered: str) -> None:
    job = write()
    job.fill(30_000)
    page = look(job, filtered)
    expect(page.locator(".row .n")).to_have_text(["10000", "20000", "30000"])
    page.locator("#log").focus()
    current = page.locator(".row.current")
    if "q=" not in filtered:  # find has made the last match the current line
        page.keyboard.press("k")
    expect(current).to_have_attribute("data-line", "30000")
    page.keyboard.press("k")
    expect(current).to_have_attribute("data-line", "20000")
    page.keyboard.press("Enter")
    expect(page.locator('.row[data-line="19999"]')).to_be_in_viewport()
    expect(page.locator('.row[data-line="20001"]')).to_be_in_viewport()
    expect(page.locator('.row[data-line="20000"].current')).to_be_in_viewport()
    expect(page.locator("#toast")).to_contain_text("Among its neighbours")
    expect(page.locator("#only")).to_have_attribute("aria-pressed", "false")


def test_a_match_in_a_state_that_was_drawn_over_is_shown(write: Write, look: Look) -> None:
    job = write()
    job.log("head", "needle.py\rtest.py", "\x1b[31mhay\x1b[0m", "\x1b[1A\x1b[2Kneedle 2", "\x1b[1A\x1b[2Khay again")
    page = look(job)
    find(page, "needle")
    expect(page.locator("#found")).to_have_text("1 of 1")
    expect(page.locator(".current .drawn")).to_have_text("hay\nneedle 2\nhay again")
    page.wait_for_function(f"{HIGHLIGHTS}.join() === 'needle'")


def test_new_matches_come_in_while_only_matches_are_shown(write: Write, look: Look) -> None:
    job = write()
    job.log("hay", "needle 1", "hay")
    page = look(job, "?q=needle&only=true")
    expect(page.locator(".row .n")).to_have_text(["2"])
    job.log("hay", "Needle 2")
    expect(page.locator(".row .n")).to_have_text(["2", "5"])
    page.locator("#case").click()
    expect(page.locator(".row .n")).to_have_text(["2"])
    find(page, "nothing of the kind")
    expect(page.locator("#empty")).to_have_text("No line matches.")
    job.log("nothing of the kind")
    expect(page.locator(".row .n")).to_have_text(["6"])


def test_lines_are_hidden_by_what_they_hold_and_shown_again(write: Write, look: Look) -> None:
    job = write()
    job.log("GET /healthz", "GET /orders", "ERROR one", "GET /healthz", "GET /metrics")
    page = look(job)
    find(page, "HEALTHZ")
    expect(page.locator("#found")).to_have_text("2 of 2")
    page.locator("#hide").click()
    expect(page.locator(".row .n")).to_have_text(["2", "3", "5"])
    expect(page.locator("#find")).to_have_value("")
    find(page, "metrics")
    expect(page.locator("#found")).to_have_text("1 of 1")
    page.locator("#hide").click()
    expect(page.locator(".row .n")).to_have_text(["2", "3"])
    expect(page.locator("#hidden button")).to_have_count(2)
    page.keyboard.press("Control+a")
    page.locator("#log").focus()
    page.keyboard.press("Control+a")
    page.keyboard.press("c")
    expect(page.locator("#toast")).to_have_text("Copied 5 lines, filtered")
    assert page.evaluate("navigator.clipboard.readText()") == "GET /orders\nERROR one"
    page.reload()
    expect(page.locator(".row .n")).to_have_text(["2", "3"])
    page.locator("#hidden button").first.click()
    expect(page.locator(".row .n")).to_have_text(["1", "2", "3", "4"])


def test_case_is_one_switch_for_texts_and_expressions(write: Write, look: Look) -> None:
    job = write()
    job.log("Error one", "error two")
    page = look(job)
    expect(page.locator(".row")).to_have_count(2)
    find(page, "Error")
    expect(page.locator("#found")).to_have_text("2 of 2")
    page.locator("#case").click()
    expect(page.locator("#found")).to_have_text("1 of 1")
    page.locator("#regex").click()
    expect(page.locator("#found")).to_have_text("1 of 1")
    page.locator("#case").click()
    expect(page.locator("#found")).to_have_text("1 of 2")


def test_an_expression_from_a_link_does_not_freeze_the_tab(write: Write, look: Look) -> None:
    job = write()
    job.log(*("a" * 60 + f" line {n}" for n in range(20)), "aaaQ here")
    page = look(job, f"?regex=true&q={'.%3F' * 24}Q")
    expect(page.locator("#found")).to_have_text("1 of 1", timeout=10_000)
    page.wait_for_function(f"() => JSON.stringify({HIGHLIGHTS}) === '[\"aaaQ\"]'")


def test_what_an_expression_finds_is_highlighted_as_the_server_reads_it(write: Write, look: Look) -> None:
    job = write()
    job.log("one ERROR 42", "two Error 7")
    page = look(job, "?regex=true&q=(%3Fi)error%20\\d%2B")  # (?i) is nothing that a browser's engine knows
    expect(page.locator("#found")).to_have_text("2 of 2")
    page.wait_for_function(f"() => JSON.stringify({HIGHLIGHTS}) === '[\"ERROR 42\",\"Error 7\"]'")


def test_a_match_far_to_the_right_is_shown(write: Write, look: Look) -> None:
    job = write()
    job.log("before", "x" * 12_000 + " needle " + "y" * 100, "after")
    page = look(job)
    find(page, "needle")
    expect(page.locator("#found")).to_have_text("1 of 1")
    page.wait_for_function(
        """() => { const [range] = CSS.highlights.get('find') ?? []; if (!range) return false;
        const at = range.getBoundingClientRect(), view = log.getBoundingClientRect();
        return at.left >= view.left && at.right <= view.right; }"""
    )


def test_a_search_typed_while_the_service_is_down_goes_on_when_it_is_back(
    write: Write, look: Look, page: Page, serve: Callable[..., Served]
) -> None:
    served = serve()
    job = write(served)
    job.log("hay", "needle", "hay")
    look(job, served=served)
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    served.kill()
    expect(page.locator("#connection")).to_have_attribute("data-state", "reconnecting")
    find(page, "needle")
    expect(page.locator("#toast")).to_contain_text("does not answer")
    expect(page.locator("#found")).to_have_text("…")
    served.start()
    expect(page.locator("#found")).to_have_text("1 of 1", timeout=30_000)
    expect(page.locator(".row.current")).to_have_attribute("data-line", "2")


@pytest.mark.parametrize(
    ("typed", "line"),
    [(":03:43:25", 5000), (":22:13:25Z", 5000), (":-1s", 8999), (":+2s", 2001), (":2023-11-15 03:43:21", 1000)],
)
def test_a_time_is_gone_to(write: Write, look: Look, typed: str, line: int) -> None:
    job = write()
    job.start_ms = 1_700_000_000_000  # 03:43:20 in Kolkata
    job.fill(9999)
    job.end()
    page = look(job)
    expect(page.locator("#truth")).to_have_text("Complete")
    find(page, typed)
    page.locator("#find").press("Enter")
    expect(page.locator(".row.current")).to_have_attribute("data-line", str(line))
    expect(page.locator(".row.current")).to_be_in_viewport()
    expect(page.locator("#announce")).to_have_text(re.compile(f"^Line {line:,}: line {line} of some work"))


def test_what_is_no_place_is_said(write: Write, look: Look) -> None:
    job = write()
    job.log("one")
    page = look(job)
    page.keyboard.press(":")
    expect(page.locator("#find")).to_be_focused()
    page.keyboard.type("noon")
    page.keyboard.press("Enter")
    expect(page.locator("#toast")).to_contain_text("a time (:14:32")


def test_a_copied_link_shows_its_lines_whatever_its_sender_filters(write: Write, look: Look) -> None:
    job = write()
    job.log("ERROR a", "b", "c", "ERROR d")
    page = look(job, f"?level=error&q=d&only=true&exclude=x#{job.epoch}-2..3")
    expect(page.locator("#markbar")).to_be_visible()
    page.keyboard.press("y")
    expect(page.locator("#toast")).to_have_text("The link is in the clipboard")
    link = page.evaluate("navigator.clipboard.readText()")
    page.goto("about:blank")
    page.goto(link)
    expect(page.locator(".row.marked .m")).to_have_text(["b", "c"])


def test_a_marked_line_stays_in_view_when_a_filter_is_lifted(write: Write, look: Look) -> None:
    job = write()
    job.fill(30_000)
    page = look(job, "?level=error")
    expect(page.locator(".row")).to_have_count(3)
    page.locator('.row[data-line="20000"] .n').click()
    before = page.locator('.row[data-line="20000"]').bounding_box()
    page.locator("#level").select_option("")
    expect(page.locator('.row[data-line="20001"]')).to_be_visible()
    marked = page.locator('.row[data-line="20000"].marked')
    expect(marked).to_be_in_viewport()
    after = marked.bounding_box()
    assert before is not None
    assert after is not None
    assert abs(before["y"] - after["y"]) < 30


def test_info_and_above_keeps_plain_prints(write: Write, look: Look) -> None:
    job = write()
    job.log("plain", "DEBUG quiet", "INFO told", "ERROR loud")
    page = look(job)
    page.locator("#level").select_option(label="Info and above")
    expect(page.locator(".row .m")).to_have_text(["plain", "INFO told", "ERROR loud"])
    job.log("plain again", "DEBUG again")
    expect(page.locator(".row .m")).to_have_text(["plain", "INFO told", "ERROR loud", "plain again"])


def test_errors_are_counted_as_records_and_hopped_to(write: Write, look: Look) -> None:
    job = write()
    trace = ("Traceback (most recent call last):", '  File "x.py", line 1', "    go()", "KeyError: 'x'")
    job.log(*(f"fine {n}" for n in range(50)), "ERROR a", "ERROR b", *(f"fine {n}" for n in range(50)), *trace, "fine")
    job.end("Failed", 1)
    page = look(job)
    expect(page.locator("#errors")).to_have_text("3 errors")
    page.keyboard.press("Home")
    for line in (51, 52, 103):
        page.keyboard.press("e")
        expect(page.locator(".row.current")).to_have_attribute("data-line", str(line))
        expect(page.locator("#announce")).to_have_text(re.compile(f"^Line {line}: "))
    page.keyboard.press("E")
    expect(page.locator(".row.current")).to_have_attribute("data-line", "52")


def test_a_failed_job_without_a_marked_line_leads_to_its_end(write: Write, look: Look) -> None:
    job = write()
    job.fill(300)
    job.log("and that was that")
    job.end("Failed", 137)
    page = look(job)
    expect(page.locator("#pill")).to_have_text("Failed")
    page.keyboard.press("Home")
    expect(page.locator('.row[data-line="1"]')).to_be_in_viewport()
    page.keyboard.press("e")
    expect(page.locator('.row[data-line="301"]')).to_be_in_viewport()
    expect(page.locator("#toast")).to_have_text("No further error: this is the end of the log.")
