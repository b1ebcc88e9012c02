"""The list of jobs; and both pages without JavaScript."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Browser, Page, expect

from ..served import Served, until
from ..upstream import Upstream
from .written import Written

Write = Callable[..., Written]


def row(page: Page, job: Written) -> object:
    return page.locator(f'tr[data-id="{job.id}"]')


def test_an_empty_list_says_how_to_start_a_job(serve: Callable[..., Served], page: Page) -> None:
    page.goto(serve().url)
    expect(page.locator("#empty")).to_contain_text("No jobs yet")
    expect(page.locator("#empty code")).to_have_text("jobtail run -- python train.py")


def test_statuses_change_by_themselves_and_new_jobs_come_first(write: Write, service: Served, page: Page) -> None:
    page.clock.install()
    first = write(name="first")
    page.goto(service.url)
    pill = page.locator(f'tr[data-id="{first.id}"] .pill')
    expect(pill).to_have_text("Running")
    first.end("Failed", 1)
    second = write(name="second")
    page.clock.run_for(5100)
    page.clock.run_for(5100)
    expect(pill).to_have_text("Failed")
    newer = page.locator(f'tr[data-id="{second.id}"]')
    expect(newer).to_be_visible()
    # Other tests of this service have jobs of their own, which may be newer still.
    shown = page.locator("#jobs tr").evaluate_all("rows => rows.map((row) => row.dataset.id)")
    assert shown.index(second.id) < shown.index(first.id)
    newer.click()
    expect(page).to_have_url(re.compile(f"/jobs/{second.id}$"))


def test_it_is_filtered_by_text_and_by_state(write: Write, service: Served, page: Page) -> None:
    one, other = write(name="alpha"), write(name="beta")
    other.end("Done")
    page.goto(service.url)
    page.locator("#text").fill("ALPHA")
    expect(page.locator(f'tr[data-id="{other.id}"]')).to_have_count(0)
    expect(page.locator(f'tr[data-id="{one.id}"]')).to_be_visible()
    page.locator("#text").fill("")
    page.locator("#state").select_option("done")
    expect(page.locator(f'tr[data-id="{one.id}"]')).to_have_count(0)
    expect(page.locator(f'tr[data-id="{other.id}"]')).to_be_visible()
    page.reload()
    expect(page.locator(f'tr[data-id="{one.id}"]')).to_have_count(0)
    page.locator("#text").fill("nothing is called like this")
    expect(page.locator("#nothing")).to_be_visible()


def test_all_jobs_are_searched_and_not_one_page_of_them(
    serve: Callable[..., Served], write: Write, page: Page
) -> None:
    served = serve()
    old = write(served, name="needle in the haystack")
    old.end("Failed", 137)
    for n in range(52):
        write(served, name=f"hay {n}").end("Done")
    page.goto(served.url)
    expect(page.locator("#jobs tr")).to_have_count(50)
    expect(page.locator("#totals")).to_have_text("1–50")
    page.locator("#text").fill("needle")
    row = page.locator("#jobs tr")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("exit code 137")
    expect(page.locator("#totals")).to_have_text("1 match")
    assert page.url.endswith("/?text=needle")
    page.locator("#text").fill("hay")
    expect(page.locator("#totals")).to_have_text("53 matches")
    page.get_by_role("link", name="Older").click()
    expect(page.locator("#jobs tr")).to_have_count(3)
    page.set_viewport_size({"width": 390, "height": 800})
    expect(page.locator(".narrow").last).to_be_visible()
    expect(page.locator(".narrow").last).to_contain_text("ago")


def test_a_service_that_is_down_is_said_and_the_list_stays(
    serve: Callable[..., Served], write: Write, page: Page
) -> None:
    page.clock.install()
    served = serve()
    write(served, name="kept")
    page.goto(served.url)
    expect(page.locator("#jobs tr")).to_have_count(1)
    served.kill()
    page.clock.run_for(5100)
    expect(page.locator("#trouble")).to_contain_text("does not answer")
    expect(page.locator("#jobs tr")).to_have_count(1)
    served.start()
    page.clock.run_for(5100)
    expect(page.locator("#trouble")).to_be_hidden()


def test_an_upstream_that_is_down_is_said_and_the_list_stays(
    serve: Callable[..., Served], upstream: Upstream, page: Page
) -> None:
    page.clock.install()
    upstream.job("nightly")
    served = serve(upstream_url=upstream.url)
    page.goto(served.url)
    expect(page.locator("#jobs tr")).to_have_count(1)
    port = upstream.port
    upstream.stop()
    page.clock.run_for(5100)
    page.clock.run_for(5100)
    expect(page.locator("#trouble")).to_contain_text("upstream")
    expect(page.locator("#jobs tr")).to_have_count(1)
    upstream.start(port)
    page.clock.run_for(5100)
    page.clock.run_for(5100)
    expect(page.locator("#trouble")).to_be_hidden()


def test_without_javascript_there_are_lines_status_and_a_cancel_that_works(
    write: Write, service: Served, browser: Browser
) -> None:
    job = write(name="plain")
    job.pour(100_250)
    job.log("ERROR <b>\x1b[31mlast\x1b[0m</b>")
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{service.url}/")
        page.locator(f'tr[data-id="{job.id}"] a').click()
        expect(page.locator("#pill")).to_have_text("Running")
        expect(page.locator(".row")).to_have_count(200)
        room = """cells => cells.map((cell) => {
            const text = document.createRange();
            text.selectNodeContents(cell);
            return cell.getBoundingClientRect().right - text.getBoundingClientRect().right; })"""
        assert min(page.locator(".row :is(.n, .t)").evaluate_all(room)) >= 5
        expect(page.locator(".row.error .m")).to_have_text("ERROR <b>last</b>")
        expect(page.locator(".tools")).to_be_hidden()
        page.locator("details.ask summary").click()
        page.get_by_role("button", name="Yes, cancel this job").click()
        expect(page).to_have_url(re.compile(f"/jobs/{job.id}$"))
        assert job.cancel_asked()
        job.status()  # as its runner does when it sees that
        # A page without JavaScript shows what the service knew when it was loaded, which is up to a beat ago.
        until(lambda: page.reload() and page.locator("#pill").text_content() == "Stopping", "the page to say so")


def test_a_job_that_does_not_exist_is_a_page_that_says_so(service: Served, page: Page) -> None:
    answer = page.goto(f"{service.url}/jobs/no-such-job")
    assert answer is not None and answer.status == 404
    expect(page.locator("h1")).to_have_text("Not found")


def test_one_may_sign_in_and_out(serve: Callable[..., Served], page: Page) -> None:
    served = serve(access_token="open sesame, said the owner")
    page.goto(served.url)
    page.get_by_role("link", name="Sign in").click()
    page.locator("#token").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.locator("#token").fill("open sesame, said the owner")
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("h1")).to_have_text("Jobs")
    page.get_by_role("button", name="Sign out").click()
    expect(page.locator("h1")).to_have_text("Sign in")
