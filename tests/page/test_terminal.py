"""What a terminal would show, on the page: rows that are drawn over, colours, links, and what is copied of them."""

from __future__ import annotations

import sys
from collections.abc import Callable

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from ..served import Served
from .written import Written

Write = Callable[..., Written]
Look = Callable[..., Page]

HEAD = [f"before {n}" for n in range(100)]


def block(states: range) -> list[str]:
    """Three rows, drawn anew for each state."""
    drawn = []
    for state in states:
        drawn += [("\x1b[3A" if state else "") + f"\x1b[2Klayer 0: {state}", f"\x1b[2Klayer 1: {state}\x1b[K"]
        drawn += [f"\x1b[2K\x1b[32mlayer 2: {state}\x1b[0m"]
    return drawn


def select(page: Page, first: str, start: int, last: str, end: int) -> str:
    """Selects from a place in the first text of one node to a place in the last text of another, and copies."""
    page.evaluate(
        """([first, start, last, end]) => {
            const texts = (selector) => {
                const walker = document.createTreeWalker(document.querySelector(selector), NodeFilter.SHOW_TEXT);
                const found = [];
                while (walker.nextNode()) found.push(walker.currentNode);
                return found;
            };
            getSelection().setBaseAndExtent(texts(first)[0], start, texts(last).at(-1), end);
        }""",
        [first, start, last, end],
    )
    page.keyboard.press("Control+c")
    return str(page.evaluate("navigator.clipboard.readText()"))


def message(line: int) -> str:
    return f'.row[data-line="{line}"] .m'


def test_a_block_is_shown_once_however_often_it_was_drawn(write: Write, look: Look, service: Served) -> None:
    job = write()
    job.log(*HEAD, *block(range(800)))
    page = look(job)
    rows = page.locator(".row .m")
    expect(rows.last).to_have_text("layer 2: 799×800")
    expect(page.locator('.row[data-line="100"]')).to_be_visible()
    job.log(*block(range(800, 803)), "after")
    expect(rows.last).to_have_text("after")
    shown = [text.split("×")[0] for text in rows.all_inner_texts()]
    assert shown[-5:] == ["before 99", "layer 0: 802", "layer 1: 802", "layer 2: 802", "after"]
    text = httpx.get(f"{service.url}/api/jobs/{job.id}/logs?format=text").text.splitlines()
    assert text == [*HEAD, *shown[-4:]]
    page.goto(f"{service.url}/jobs/{job.id}#{job.epoch}-120")
    page.reload()
    expect(rows.filter(has_text="layer 0: 802")).to_be_in_viewport()


def test_states_unfold(write: Write, look: Look) -> None:
    job = write()
    job.log("head", *block(range(5)), "a bar\r  10%\r 100%")
    page = look(job)
    page.locator('.row[data-line="14"] .states').click()
    expect(page.locator(".drawn")).to_have_text("\n".join(f"layer 0: {n}" for n in range(5)))
    page.locator('.row[data-line="17"] .states').click()
    expect(page.locator(".drawn").last).to_have_text("a bar\n  10%\n 100%")


def test_a_long_bar_ends_where_it_ended(write: Write, look: Look) -> None:
    job = write()
    job.log("".join(f"\r{n / 10:5.1f} % {'#' * 70}" for n in range(1001)))
    job.log("   \r  \r \r")
    page = look(job)
    expect(page.locator(message(1))).to_contain_text("100.0 %")
    expect(page.locator(".states")).to_have_text("×1,001")  # and nothing is said of a row that shows nothing
    expect(page.locator(".all")).to_have_count(0)  # its last state is there as a whole


def test_a_selection_copies_exactly_what_is_selected(write: Write, look: Look) -> None:
    job = write()
    job.log(
        "first line", "10%\r\x1b[32m100%\x1b[0m", '{"n": 1.10, "n": 1e400}', "::group::Build it", "a\x00b",
        "\x1b]8;;https://x.example\x07link\x1b]8;;\x07", "::endgroup::", "last line",
    )  # fmt: skip
    page = look(job)
    page.locator(".unfold").click()
    json = '{\n  "n": 1.10,\n  "n": 1e400\n}'
    expect(page.locator("#log .json")).to_have_text(json)
    assert select(page, message(1), 6, message(8), 4).split("\n", 3)[:2] == ["line", "100%"]
    assert select(page, message(1), 6, message(8), 4) == "\n".join(
        ["line", "100%", json, "Build it", "a␀b", "link", "└ Build it · 3 ms", "last"]
    )
    assert select(page, message(1), 2, message(1), 5) == "rst"
    page.keyboard.press("Escape")


@pytest.mark.parametrize(
    "lines",
    [
        ["section_start:1:a\r\x1b[0KBuild", "one", "section_end:2:a\r\x1b[0Ksection_start:2:b\r\x1b[0KTest", "two"],
        ["\x1b_bk;t=1\x07--- Build", "one", "--- Test", "two"],
    ],
)
def test_groups_of_other_systems_fold(write: Write, look: Look, lines: list[str]) -> None:
    job = write()
    job.log(*lines)
    page = look(job)
    expect(page.locator(".group b")).to_have_text(["Build", "Test"])
    page.locator(".group").first.click()
    expect(page.locator(".row .m")).to_have_text(["▸ Build 1 line · 2 ms", "▾ Test", "two"])


def test_links_lead_to_the_web_and_nowhere_else(write: Write, look: Look) -> None:
    job = write()
    job.log("see https://x.example/a?b=1, javascript:alert(1)")
    job.log("\x1b]8;;https://bank.example@evil.example/\x07https://bank.example\x1b]8;;\x07")
    page = look(job)
    links = page.locator("#log .m a")
    expect(links).to_have_count(2)
    expect(links.first).to_have_attribute("href", "https://x.example/a?b=1")
    expect(links.first).to_have_attribute("rel", "noopener noreferrer nofollow")
    expect(page.locator(message(2))).to_have_text("https://bank.example ↗evil.example")


def test_what_is_unfinished_is_a_last_row_without_a_number(service: Served, page: Page) -> None:
    code = "import sys, time; print('one', flush=True); sys.stdout.write('epoch 1\\r\\x1b[32mepoch 2: 41%'); "
    job, runner = service.begin(sys.executable, "-c", code + "sys.stdout.flush(); time.sleep(60)", name="bar")
    page.goto(f"{service.url}/jobs/{job}")
    expect(page.locator("#partial .m")).to_have_text("epoch 2: 41%")
    expect(page.locator(".row")).to_have_count(1)
    runner.terminate()
    runner.wait()
    expect(page.locator("#partial")).to_be_hidden()
    expect(page.locator(".row").last).to_contain_text("epoch 2: 41%")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_coloured_logs_can_be_read_in_both_themes(write: Write, look: Look, theme: str) -> None:
    job = write()
    for n in range(0, 256, 9):
        job.log(f"ERROR \x1b[38;5;{n}mcolour {n}\x1b[0m \x1b[48;5;{n}mon it\x1b[0m \x1b[2;38;5;{n}mdim")
    for n in (30, 33, 37, 91, 94):
        job.log(*(f"\x1b[{n};{back}m{n} on {back}\x1b[0m \x1b[7;{n}minverse" for back in (40, 42, 47, 103)))
    page = look(job, "?time=none")
    page.emulate_media(color_scheme=theme)
    page.locator(".row").last.wait_for()
    found = Axe().run(page, context="#log", options={"runOnly": ["color-contrast"]})
    assert found.violations_count == 0, found.generate_report()
