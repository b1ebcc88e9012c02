"""The log page in Chromium: ten million lines, and a log that is written fast."""

from __future__ import annotations

import os
import shutil
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, sync_playwright
from process import LOAD_CPU, memory_bytes, until
from servers import Jobtail, Upstream
from table import Row

from parts.backlog import last_line
from parts.long_log import DENSITY, LongLog

RATE = 5000  # lines a second
ALWAYS = "line => document.querySelector(`.row[data-line='${line}']`)"
# The scrollbar is true to the pixel at the ends of a log, so its middle is only roughly in proportion.
NEAR = "line => Math.abs(Number(document.querySelector('.row')?.dataset.line) - line) < {within}"


@contextmanager
def chromium() -> Iterator[Browser]:
    """On the core that the server has not."""
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        raise RuntimeError("chromium is missing: apt-get install chromium")
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {LOAD_CPU})
    try:
        with sync_playwright() as playwright:
            flags = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--enable-precise-memory-info"]
            browser = playwright.chromium.launch(executable_path=program, args=flags)
            yield browser
            browser.close()
    finally:
        os.sched_setaffinity(0, allowed)


def milliseconds(page: Page, begin: str, condition: str, line: int) -> float:
    """From `begin`, a statement, until a frame has been painted in which the condition holds."""
    return float(
        page.evaluate(
            f"""async line => {{
                const holds = {condition}, began = performance.now();
                {begin};
                while (!holds(line)) {{
                    await new Promise(requestAnimationFrame);
                    if (performance.now() - began > 10_000) throw new Error('not within 10 s');
                }}
                return performance.now() - began;
            }}""",
            line,
        )
    )


def painted(browser: Browser, url: str, line: int) -> float:
    """Milliseconds from the navigation until the last line is there, in a tab of its own with nothing cached."""
    with browser.new_context(viewport={"width": 1200, "height": 800}) as context:
        page = context.new_page()
        began = time.perf_counter()
        page.goto(url, wait_until="commit")
        page.wait_for_function(ALWAYS, arg=line, polling="raf")
        return (time.perf_counter() - began) * 1000


def tab_bytes(browser: Browser, page: Page) -> tuple[int, int]:
    """What JavaScript holds after a collection, and what the tab's process does."""
    page.context.new_cdp_session(page).send("HeapProfiler.collectGarbage")
    heap = int(page.evaluate("performance.memory.usedJSHeapSize"))
    processes = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    return heap, max(memory_bytes(one["id"]) for one in processes if one["type"] == "renderer")


def measure(quick: bool) -> list[Row]:
    log = LongLog.get(quick)
    short = f"b-10000-{DENSITY}-{DENSITY}"
    log.server.json(f"/api/jobs/{short}")
    until(lambda: last_line(log.server, short) >= 10_000, "the short log is there")
    base = f"http://127.0.0.1:{log.server.port}/jobs"
    with chromium() as browser:
        small = statistics.median(painted(browser, f"{base}/{short}", 10_000) for _ in range(5))
        large = statistics.median(painted(browser, f"{base}/{log.job}", log.lines) for _ in range(5))
        leaps, heap = leapt(browser, f"{base}/{log.job}", log.lines)
    return [
        Row(
            f"page: {log.lines:,} lines open with the end painted in under 1 s",
            f"{large:.0f} ms",
            f"10,000 lines: {small:.0f} ms",
            f"{large / small:.2f}",
            large < 1000,
        ),
        Row("page: any place by the scrollbar", f"{leaps:.0f} ms, {heap / 1e6:.0f} MB of heap after 40", "", "", None),
        *followed(20 if quick else 60),
    ]


def leapt(browser: Browser, url: str, lines: int) -> tuple[float, int]:
    """Median milliseconds to somewhere else in the log by its scrollbar, and the heap after forty times."""
    page = browser.new_page(viewport={"width": 1200, "height": 800})
    page.goto(url)
    page.wait_for_function(ALWAYS, arg=lines)
    taken = []
    for turn in range(40):
        part = 0.25 + 0.5 * (turn * 17 % 40) / 40
        begin = f"log.scrollTop = (log.scrollHeight - log.clientHeight) * {part}"
        taken.append(milliseconds(page, begin, NEAR.format(within=lines // 8), round(lines * part)))
    heap, _ = tab_bytes(browser, page)
    page.close()
    return statistics.median(taken), heap


def followed(seconds: int) -> list[Row]:
    """A tab that follows 5,000 lines a second: its memory, and how soon a key is answered meanwhile."""
    job = f"b-0-1-{RATE}"
    with chromium() as browser, Upstream() as upstream, Jobtail(upstream, refresh_seconds="0.25") as jobtail:
        blank = browser.new_page()
        _, nothing = tab_bytes(browser, blank)
        blank.close()
        page = browser.new_page(viewport={"width": 1200, "height": 800})
        page.goto(f"http://127.0.0.1:{jobtail.port}/jobs/{job}")
        page.wait_for_function("() => document.querySelector('#connection').dataset.state === 'live'")
        upstream.control("start")
        page.wait_for_timeout(seconds * 200)
        early, _ = tab_bytes(browser, page)
        keys = []
        for _ in range(20):
            page.wait_for_timeout(seconds * 40)
            begin = "document.querySelector('#wrap').click()"
            keys.append(milliseconds(page, begin, "() => true", 0))
        heap, process = tab_bytes(browser, page)
        shown = int(page.evaluate("Number([...document.querySelectorAll('.row')].at(-1).dataset.line)"))
        behind = last_line(jobtail, job) - shown
    return [
        Row(
            f"page: following {RATE:,} lines/s for {seconds} s, the tab stays under 100 MB",
            f"{heap / 1e6:.0f} MB of heap ({early / 1e6:.0f} early on), its process {process / 1e6:.0f} MB",
            f"an empty tab's process {nothing / 1e6:.0f} MB",
            f"{process / nothing:.1f}",
            heap < 100e6,
        ),
        Row(
            "page: a key meanwhile",
            f"{statistics.median(keys):.0f} ms, {max(keys):.0f} at most, {behind:,} lines behind",
            "",
            "",
            None,
        ),
    ]
