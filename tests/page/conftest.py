"""Chromium on a real service. A test fails when the page logs an error, throws, or breaks its own policy."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from ..served import Served
from .written import Written

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
# What it says of a service that is down is no fault of the page.
NO_FAULT = ("net::ERR_", "Failed to load resource")
_numbers = itertools.count(1)
expect.set_options(timeout=40_000)


# Not for the whole session: while it is open an event loop runs on this thread, and no other test can have one.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("chromium is not here")
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served({"data_dir": tmp_path_factory.mktemp("page") / "data"})
    yield served.start()
    served.stop()


@pytest.fixture
def write(service: Served) -> Iterator[Callable[..., Written]]:
    """`write()` begins a job of the shared service; `write(served)` of another."""
    jobs: list[Written] = []

    def begin(served: Served = service, **how: Any) -> Written:
        jobs.append(Written(Path(served.data_dir), f"job-{next(_numbers)}", **how))
        return jobs[-1]

    yield begin
    for job in jobs:
        job.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    with browser.new_context(viewport={"width": 1200, "height": 700}, timezone_id="Asia/Kolkata") as context:
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        yield context


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    page = context.new_page()
    faults = watch(page)
    yield page
    assert not faults


def watch(page: Page) -> list[str]:
    """What goes wrong on a page, as it goes wrong."""
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(f"thrown: {error}"))

    def said(message: Any) -> None:
        if message.type in ("error", "warning") and not any(text in message.text for text in NO_FAULT):
            faults.append(f"{message.type}: {message.text}")

    page.on("console", said)
    return faults


@pytest.fixture
def look(page: Page, service: Served) -> Callable[..., Page]:
    """`look(job)` opens its page; `more` goes behind the address."""

    def open_page(job: Written, more: str = "", served: Served = service) -> Page:
        page.goto(f"{served.url}/jobs/{job.id}{more}")
        return page

    return open_page
