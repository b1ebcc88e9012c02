"""Keys, touch, screen readers, paper: the page for those who do not use a mouse, or not only."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from ..served import Served
from .test_job import faults
from .written import Written

Write = Callable[..., Written]
Look = Callable[..., Page]

COLOURED = (Path(__file__).parent / "coloured.txt").read_text().rstrip("\n").split("\n")


def test_a_line_cursor_moves_by_keys_marks_and_reads_out(write: Write, look: Look) -> None:
    job = write()
    job.fill(200)
    page = look(job)
    expect(page.locator('.row[data-line="200"]')).to_be_in_viewport()
    # The map above the log is drawn a moment later, and takes room from it.
    page.wait_for_function("() => { const log = document.querySelector('.log');"
                           " return log.scrollTop + log.clientHeight >= log.scrollHeight - 1 }")  # fmt: skip
    page.keyboard.press("k")
    current = page.locator(".row.current")
    expect(current).to_have_attribute("data-line", "200")
    assert current.evaluate("row => getComputedStyle(row).boxShadow") != "none"
    for line in (199, 198):
        page.keyboard.press("k")
        expect(current).to_have_attribute("data-line", str(line))
        expect(page.locator("#announce")).to_have_text(f"Line {line}: line {line} of some work")
    page.keyboard.press("j")
    expect(current).to_have_attribute("data-line", "199")
    page.keyboard.press("x")
    assert page.url.endswith(f"#{job.epoch}-199")
    for line in (198, 197, 196):
        page.keyboard.press("K")
        expect(current).to_have_attribute("data-line", str(line))
    assert page.url.endswith(f"#{job.epoch}-196..199")
    page.keyboard.press("J")
    expect(page.locator("#markbar b")).to_have_text("Lines 197–199")
    for _ in range(60):
        page.keyboard.press("k")
    expect(current).to_have_attribute("data-line", "137")
    expect(current).to_be_in_viewport()


def test_keys_say_where_they_led(write: Write, look: Look) -> None:
    job = write()
    job.fill(300)
    job.log("ERROR broke", "fine")
    page = look(job)
    told = page.locator("#announce")
    expect(page.locator('.row[data-line="302"]')).to_be_in_viewport()
    page.keyboard.press("e")
    expect(told).to_have_text("Line 301: ERROR broke")
    page.keyboard.press("w")
    expect(told).to_have_text("Long lines are wrapped")
    page.keyboard.press("f")
    expect(told).to_have_text("At the end, which is followed")
    page.keyboard.press("f")
    expect(told).to_have_text("The end is not followed")
    page.keyboard.press(":")
    page.keyboard.type("10")
    page.keyboard.press("Enter")
    expect(told).to_have_text("Line 10: line 10 of some work")
    page.locator("#find").fill("broke")
    expect(told).to_have_text("Line 301: ERROR broke")


def test_keys_of_one_character_can_be_turned_off(write: Write, look: Look) -> None:
    job = write()
    job.fill(200)
    page = look(job)
    expect(page.locator('.row[data-line="200"]')).to_be_in_viewport()
    page.keyboard.press("?")
    page.locator("#letters").uncheck()
    page.keyboard.press("Escape")
    for key in "w?t/:":
        page.keyboard.press(key)
    expect(page.locator("#wrap")).to_have_attribute("aria-pressed", "false")
    expect(page.locator("#help")).to_be_hidden()
    expect(page.locator("#time")).to_have_value("local")
    page.keyboard.press("Home")
    expect(page.locator('.row[data-line="1"]')).to_be_in_viewport()
    page.reload()
    page.keyboard.press("w")
    expect(page.locator("#wrap")).to_have_attribute("aria-pressed", "false")
    page.get_by_role("button", name="Keys", exact=True).click()
    page.locator("#letters").check()
    page.keyboard.press("Escape")
    page.keyboard.press("w")
    expect(page.locator("#wrap")).to_have_attribute("aria-pressed", "true")


def test_arrows_lead_through_the_toolbar_which_is_one_stop(write: Write, look: Look) -> None:
    job = write()
    job.log("one")
    page = look(job)
    expect(page.locator(".row")).to_have_count(1)
    page.locator("#hide").focus()
    page.keyboard.press("Tab")
    names = []
    for _ in range(8):
        names.append(page.evaluate("document.activeElement.ariaLabel ?? document.activeElement.id"))
        page.keyboard.press("ArrowRight")
    assert names == [
        "Previous error", "Next error", "level", "time", "Wrap long lines", "Download, curl and terminal", "Keys",
        "Previous error",
    ]  # fmt: skip
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("document.activeElement.ariaLabel") == "Download, curl and terminal"
    page.keyboard.press("Tab")
    expect(page.locator("#log")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    assert page.evaluate("document.activeElement.ariaLabel") == "Download, curl and terminal"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_a_real_coloured_log(write: Write, look: Look, page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    job = write(name="tests")
    job.log(*COLOURED)
    job.log("Compiling \x1b[1;32mjobtail\x1b[0m", stream="stderr")
    job.end("Failed", 1)
    page.set_viewport_size({"width": 1200, "height": 1400})
    look(job, "?q=test_login&time=utc")
    expect(page.locator("#found")).to_have_text(re.compile(" of "))
    assert faults(page) == []
    page.keyboard.press("Escape")
    page.locator("#only").click()
    expect(page.locator("#count")).to_contain_text("filtered")
    page.locator("#hide").click()
    expect(page.locator("#hidden button")).to_have_count(1)
    assert faults(page) == []


def test_a_text_that_changes_colour_in_its_middle_is_found(write: Write, look: Look) -> None:
    job = write()
    job.log("before", "\x1b[1mtest_\x1b[31mlogin\x1b[0m.py failed\r")
    page = look(job)
    expect(page.locator(".row")).to_have_count(2)
    page.locator("#find").fill("test_login.py")
    expect(page.locator("#found")).to_have_text("1 of 1")
    page.wait_for_function("() => [...CSS.highlights.get('find')].join() === 'test_login.py'")
    page.locator("#regex").click()
    page.locator("#find").fill("failed$")
    expect(page.locator("#found")).to_have_text("1 of 1")
    page.locator("#find").fill("31m")
    expect(page.locator("#found")).to_have_text("None")


def test_a_range_is_marked_by_touch(write: Write, browser: Browser, service: Served) -> None:
    job = write()
    job.fill(100)
    with browser.new_context(
        viewport={"width": 390, "height": 780}, has_touch=True, is_mobile=True, device_scale_factor=2
    ) as phone:
        page = phone.new_page()
        page.goto(f"{service.url}/jobs/{job.id}")
        expect(page.locator('.row[data-line="100"]')).to_be_in_viewport()
        expect(page.locator("#wrap")).to_have_attribute("aria-pressed", "true")  # there is little room
        expect(page.locator(".row .t").first).to_be_hidden()
        expect(page.locator("#errors")).to_be_in_viewport()
        page.locator('.row[data-line="90"] .n').tap()
        expect(page.get_by_text("Tap another number for a range")).to_be_visible()
        page.locator('.row[data-line="95"] .n').tap()
        expect(page.locator("#markbar b")).to_have_text("Lines 90–95")
        page.locator('.row[data-line="92"] .n').tap()
        expect(page.locator("#markbar")).to_be_hidden()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_on_a_phone_the_name_has_room_beside_the_buttons(write: Write, look: Look, page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 780})
    look(write(name="nightly integration tests"))
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    name, pill, cancel = (page.locator(one).bounding_box() for one in ("#name", ".pill", "#cancel-open"))
    assert name and pill and cancel
    assert name["width"] > 140 and name["y"] < cancel["y"] + cancel["height"] < pill["y"] + 4
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("width", [1200, 390])
def test_text_begins_in_one_column_whatever_a_line_is(write: Write, look: Look, page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 780})
    job = write()
    job.log("plain", "ERROR bad", "WARNING odd")
    job.log("told", "ERROR told", stream="stderr")
    look(job)
    expect(page.locator(".row")).to_have_count(5)
    columns = "Array.from(document.querySelectorAll('.row .m'), (text) => text.getBoundingClientRect().x)"
    assert len(set(page.evaluate(columns))) == 1
    letter, text = (page.locator(f'.row[data-line="5"] {one}').bounding_box() for one in (".l", ".m"))
    assert letter and text and text["x"] - letter["x"] - letter["width"] >= 3


def test_the_log_has_no_frame_until_somebody_comes_there_by_keys(write: Write, look: Look, page: Page) -> None:
    job = write()
    job.log("one line")
    look(job)
    expect(page.locator("#log")).to_be_focused()
    frame = "getComputedStyle(document.querySelector('.window'), '::after').borderTopWidth"
    assert page.evaluate("getComputedStyle(document.querySelector('.window'), '::after').content") == "none"
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    expect(page.locator("#log")).to_be_focused()
    assert page.evaluate(frame) == "2px"


def test_at_200_percent_the_log_has_most_of_the_height(write: Write, look: Look, page: Page) -> None:
    page.set_viewport_size({"width": 640, "height": 380})
    job = write()
    job.fill(100)
    job.log("ERROR broke")
    look(job)
    expect(page.locator("#errors")).to_have_text("1 error")
    expect(page.locator("#errors")).to_be_in_viewport()
    expect(page.locator("#find")).to_be_in_viewport()
    assert page.evaluate("log.clientHeight / innerHeight") > 0.6


def test_paper_gets_the_log_and_no_window(write: Write, look: Look, page: Page) -> None:
    job = write()
    job.fill(300)
    look(job)
    expect(page.locator('.row[data-line="300"]')).to_be_in_viewport()
    page.keyboard.press("Home")
    expect(page.locator('.row[data-line="1"]')).to_be_in_viewport()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    expect(page.locator(".print .row")).to_have_count(300)
    expect(page.locator(".print .row").last).to_have_text(re.compile("line 300 of some work"))
    expect(page.locator("#find")).to_be_hidden()
    frame = "getComputedStyle(document.querySelector('.window'), '::after').display"
    assert page.evaluate(frame) == "none"
    assert page.evaluate("log.scrollHeight <= document.querySelector('.print').offsetHeight + 40")
    page.emulate_media(media="screen")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(page.locator(".print")).to_have_count(0)


def test_the_map_says_something_of_a_hundred_lines_too(write: Write, look: Look) -> None:
    job = write()
    job.start_ms = 1_700_000_000_000
    job.fill(99)
    job.log("ERROR broke")
    page = look(job, "?time=utc")
    expect(page.locator("#map")).to_be_visible()
    assert page.locator("#map .rate").get_attribute("d").count("M") == 50  # type: ignore[union-attr]
    assert page.locator("#map .error").get_attribute("d").count("M") == 1  # type: ignore[union-attr]
    box = page.locator("#map").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] - 2, box["y"] + 10)
    expect(page.locator("#place")).to_have_text("Line 100 · 22:13:20Z · errors here")
