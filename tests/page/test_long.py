"""A log of ten million lines."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from ..served import Served
from .written import Written

LINES = 10_000_000
pytestmark = pytest.mark.timeout(400)  # they are written first, which a busy machine takes its time for


@pytest.fixture(scope="module")
def long(service: Served) -> Iterator[Written]:
    job = Written(Path(service.data_dir), "long", name="ten million lines")
    job.pour(LINES)
    job.end()
    yield job
    job.close()


@pytest.fixture
def opened(page: Page, look: Callable[..., Page], long: Written) -> Page:
    look(long)
    expect(page.locator(f'.row[data-line="{LINES}"]')).to_be_in_viewport()
    return page


def shown(page: Page) -> list[int]:
    """Numbers of the rows that are in view."""
    return page.evaluate(
        """() => { const box = log.getBoundingClientRect();
        return [...document.querySelectorAll('.row')].filter(row => {
            const at = row.getBoundingClientRect(); return at.bottom > box.top && at.top < box.bottom;
        }).map(row => Number(row.dataset.line)) }"""
    )


COVERED = """() => {
    const box = log.getBoundingClientRect();
    const rows = [...document.querySelectorAll('.row')].filter(row => {
        const at = row.getBoundingClientRect(); return at.bottom > box.top && at.top < box.bottom;
    }).map(row => Number(row.dataset.line));
    return rows.length * 20 >= log.clientHeight - 20 && rows.every((n, i) => n === rows[0] + i);
}"""


def expect_covered(page: Page) -> None:
    """Rows fill the view, one below the other, without a hole."""
    assert page.evaluate(COVERED)


def test_the_scrollbar_reaches_every_place(opened: Page) -> None:
    for place in (0.5, 0.25, 0.999, 0.75, 0.001):
        opened.evaluate(f"log.scrollTop = (log.scrollHeight - log.clientHeight) * {place}")
        # The ends are true to the pixel, so the middle is only roughly proportional.
        expect(opened.locator(".row").first).to_be_attached()
        opened.wait_for_function(
            """place => { const first = Number(document.querySelector('.row')?.dataset.line);
            return Math.abs(first / 1e7 - place) < 0.1 }""",
            arg=place,
        )
        expect_covered(opened)


def test_the_wheel_moves_by_lines_wherever_it_is(opened: Page) -> None:
    opened.evaluate("log.scrollTop = log.scrollHeight / 2")
    opened.wait_for_function("() => Math.abs(Number(document.querySelector('.row')?.dataset.line) / 1e7 - 0.5) < 0.1")
    before = shown(opened)[0]
    opened.locator("#log").hover()
    for _ in range(30):
        opened.mouse.wheel(0, 1000)
    opened.wait_for_function(
        """before => { const row = document.elementFromPoint(300, 400)?.closest('.row');
        const moved = Number(row?.dataset.line) - before; return moved > 1400 && moved < 1700 }""",
        arg=before,
    )
    opened.wait_for_function(COVERED)  # the browser may still glide


def test_scrolling_up_from_the_end_and_down_again_misses_no_line(opened: Page) -> None:
    opened.locator("#log").hover()
    last = opened.locator(f'.row[data-line="{LINES}"]')
    for direction, most in ((-1, 12), (1, 40)):
        for _ in range(most):
            opened.mouse.wheel(0, direction * 900)
            opened.wait_for_timeout(30)
            expect_covered(opened)
            # On a busy machine Chromium glides less far a turn of the wheel.
            if direction > 0 and LINES in shown(opened):
                break
    expect(last).to_be_in_viewport()


def test_rows_and_memory_stay_few(opened: Page) -> None:
    session = opened.context.new_cdp_session(opened)
    for n in range(40):
        opened.evaluate(f"log.scrollTop = log.scrollHeight * {(n * 37 % 40) / 40}")
        opened.wait_for_function("() => document.querySelectorAll('.row').length > 20")
    session.send("HeapProfiler.collectGarbage")
    assert opened.locator(".row").count() < 500
    assert opened.evaluate("performance.memory.usedJSHeapSize") < 60e6


def test_keys_reach_both_ends(opened: Page) -> None:
    opened.keyboard.press("g")
    expect(opened.locator('.row[data-line="1"]')).to_be_in_viewport()
    assert shown(opened)[0] == 1
    opened.keyboard.press("PageDown")
    opened.wait_for_function("() => log.scrollTop > 300")
    # The browser glides: the next key comes when it has arrived.
    still = "() => { const at = log.scrollTop, before = log.was; log.was = at; return at === before; }"
    opened.wait_for_function(still, polling=200)
    expect_covered(opened)
    opened.keyboard.press("Shift+G")
    expect(opened.locator(f'.row[data-line="{LINES}"]')).to_be_in_viewport()


def test_a_link_to_the_middle_opens_there(look: Callable[..., Page], long: Written) -> None:
    page = look(long, f"#{long.epoch}-500000..500002")
    expect(page.locator('.row[data-line="500001"]')).to_be_in_viewport()
    expect(page.locator(".row.marked")).to_have_count(3)
    expect_covered(page)


def test_find_searches_all_of_it(opened: Page) -> None:
    opened.keyboard.press("Control+f")
    expect(opened.locator("#find")).to_be_focused()
    opened.keyboard.type("ERROR step 370000 f")
    expect(opened.locator("#found")).to_have_text("1 of 1", timeout=60_000)  # ten million lines are read
    expect(opened.locator(".row.current")).to_contain_text("ERROR step 370000 failed")
    expect(opened.locator(".row.current")).to_be_in_viewport()
    opened.locator("#find").fill("ERROR")
    expect(opened.locator("#found")).to_have_text("37 of 1,000", timeout=60_000)
    opened.keyboard.press("Enter")
    expect(opened.locator("#found")).to_have_text("38 of 1,000")
    opened.keyboard.press("Shift+Enter")
    opened.keyboard.press("Shift+Enter")
    expect(opened.locator("#found")).to_have_text("36 of 1,000")
    expect(opened.locator(".row.current")).to_have_attribute("data-line", "360000")


def test_errors_alone_scroll_as_a_log_of_their_own(opened: Page) -> None:
    opened.locator("#level").select_option("error")
    expect(opened.locator(".row.error")).not_to_have_count(0)
    expect(opened.locator(".row:not(.error)")).to_have_count(0)
    expect(opened.locator(f'.row[data-line="{LINES}"]')).to_be_in_viewport()
    opened.keyboard.press("Home")
    expect(opened.locator('.row[data-line="10000"]')).to_be_in_viewport()
    assert "level=error" in opened.url
    opened.locator("#level").select_option("")
    expect(opened.locator('.row[data-line="10001"]')).to_be_visible()


def test_next_and_previous_error_hop_over_what_is_not_loaded(opened: Page) -> None:
    current = opened.locator(".row.current")
    opened.keyboard.press("Shift+E")
    expect(current).to_have_attribute("data-line", str(LINES))  # it is in view, and an error too
    for _ in range(5):  # pressed fast: none is lost
        opened.keyboard.press("Shift+E")
    expect(current).to_have_attribute("data-line", str(LINES - 50_000))
    opened.keyboard.press("e")
    expect(current).to_have_attribute("data-line", str(LINES - 40_000))
    expect(current).to_be_in_viewport()
    # Elsewhere it begins with what is in view there.
    opened.keyboard.press("Home")
    expect(opened.locator('.row[data-line="1"]')).to_be_in_viewport()
    opened.keyboard.press("e")
    expect(current).to_have_attribute("data-line", "10000")


def test_a_hop_leaves_what_is_marked(opened: Page) -> None:
    opened.locator("#find").fill(f":{LINES - 9}..{LINES - 5}")
    opened.keyboard.press("Enter")
    expect(opened.locator(".row.marked")).to_have_count(5)
    opened.keyboard.press("Escape")
    opened.keyboard.press("Shift+E")
    expect(opened.locator(".row.current")).to_have_attribute("data-line", str(LINES - 10_000))
    expect(opened.locator("#markbar b")).to_have_text(f"Lines {LINES - 9:,}–{LINES - 5:,}")


def test_a_word_that_is_everywhere_is_found_where_the_reader_is(opened: Page) -> None:
    opened.locator("#find").fill("some work")
    current = opened.locator(".row.current")
    expect(current).to_have_attribute("data-line", str(LINES - 1))
    expect(opened.locator("#found")).to_have_text(re.compile(r"^[\d,]{7,}\+$"))  # as far as it is worth counting
    for _ in range(3):
        opened.keyboard.press("Shift+Enter")
    expect(current).to_have_attribute("data-line", str(LINES - 4))
    for _ in range(4):  # past the end it begins anew, and no press is lost
        opened.keyboard.press("Enter")
    expect(current).to_have_attribute("data-line", "1")
    expect(opened.locator("#found")).to_have_text(re.compile(r"^1 of [\d,]{7,}\+$"))


def test_a_marked_range_is_copied_whole_though_it_is_not_drawn(opened: Page) -> None:
    opened.locator("#find").fill(":30000")
    opened.keyboard.press("Enter")
    expect(opened.locator('.row[data-line="30000"].marked')).to_be_in_viewport()
    opened.evaluate("document.querySelector('#find').blur()")
    opened.evaluate("log.scrollTop += 40000")
    opened.locator('.row[data-line="32000"] .n').click(modifiers=["Shift"])
    expect(opened.locator("#markbar b")).to_have_text("Lines 30,000–32,000")
    opened.keyboard.press("c")
    expect(opened.locator("#toast")).to_have_text("Copied 2,001 lines")
    lines = opened.evaluate("navigator.clipboard.readText()").split("\n")
    assert lines == [
        f"ERROR step {n} failed" if n % 10_000 == 0 else f"line {n} of some work" for n in range(30_000, 32_001)
    ]


def test_wrapping_keeps_the_place_and_the_order(opened: Page) -> None:
    opened.evaluate("log.scrollTop = log.scrollHeight / 2")
    opened.wait_for_function("() => Math.abs(Number(document.querySelector('.row')?.dataset.line) / 1e7 - 0.5) < 0.1")
    top = shown(opened)[0]
    opened.keyboard.press("w")
    expect(opened.locator("#log")).to_have_class("log wrap")
    assert abs(shown(opened)[0] - top) <= 1
    expect_covered(opened)


def test_the_map_leads_to_its_places(opened: Page) -> None:
    expect(opened.locator("#map")).to_be_visible(timeout=60_000)  # it is drawn after the lines
    box = opened.locator("#map").bounding_box()
    assert box is not None
    opened.mouse.click(box["x"] + box["width"] / 4, box["y"] + 20)
    opened.wait_for_function("() => Math.abs(Number(document.querySelector('.row')?.dataset.line) - 2500000) < 10000")
    assert abs(shown(opened)[0] - LINES / 4) < LINES / 1e5
