"""A shared link: made, pasted into a chat, opened, looked through, taken back."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from webapp.access import cookies
from webapp.access.cookies import link_cookie
from webapp.access.shares import now_ms
from webapp.access.signer import Purpose
from webapp.store.share import Link

from ..written import Written
from .site import BASE, JOB, TOKEN, Site

SHARES = f"/api/jobs/{JOB}/shares"


def test_a_link_is_made_with_its_terms(site: Site) -> None:
    made = site.share(expires_in="2d", can_cancel=True, note="for Bob", lines=[3, 5])
    assert (made["can_cancel"], made["note"], made["lines"], made["revoked"]) == (True, "for Bob", [3, 5], False)
    left = datetime.fromisoformat(made["expires_at"]) - datetime.now(UTC)
    assert timedelta(days=2) - timedelta(minutes=1) < left <= timedelta(days=2)
    assert re.fullmatch(re.escape(BASE) + r"/s/[A-Za-z0-9_.-]{40,400}", made["url"])


def test_a_loopback_link_warns_that_nobody_else_can_open_it(site: Site) -> None:
    assert "this machine alone" in site.share()["warning"]


def test_a_public_address_is_used_and_needs_no_warning(open_site: Callable[..., Site]) -> None:
    made = open_site(public_url="https://logs.example").share()
    assert made["url"].startswith("https://logs.example/s/") and made["warning"] is None


def test_a_link_to_no_job_is_not_made(site: Site) -> None:
    assert site.owner("POST", "/api/jobs/no-such-job/shares").status_code == 404
    assert site.owner("GET", "/api/jobs/no-such-job/shares").status_code == 404


def test_the_list_shows_what_was_made_used_and_revoked_and_never_the_token(site: Site) -> None:
    first = site.share(note="one")
    second = site.share(note="two")
    site.enter(first["url"].rpartition("/s/")[2])
    assert site.owner("DELETE", f"{SHARES}/{second['id']}").status_code == 204
    answer = site.owner("GET", SHARES)
    newest, oldest = answer.json()
    assert (newest["note"], newest["revoked"], newest["works"], newest["last_used_at"]) == ("two", True, False, None)
    assert (oldest["note"], oldest["revoked"], oldest["works"]) == ("one", False, True)
    assert oldest["last_used_at"] is not None and oldest["made_by"]
    assert first["url"].rpartition("/s/")[2] not in answer.text and "url" not in oldest


def test_revoking_what_is_not_there_is_404(site: Site) -> None:
    assert site.owner("DELETE", f"{SHARES}/{'0' * 16}").status_code == 404


def test_the_door_gives_a_cookie_of_this_job_alone(site: Site) -> None:
    answer = site.ask("GET", f"/s/{site.token(expires_in='1h')}")
    assert answer.status_code == 200
    (cookie,) = answer.headers.get_list("set-cookie")
    name, *flags = [part.strip().lower() for part in cookie.split(";")]
    assert name.startswith(link_cookie(JOB)) and JOB not in cookie
    assert {"httponly", "samesite=lax", "path=/"} <= set(flags) and "secure" not in flags
    (age,) = [int(flag.partition("=")[2]) for flag in flags if flag.startswith("max-age")]
    assert 3500 < age <= 3600


@pytest.mark.parametrize(
    ("settings", "headers"),
    [({"public_url": "https://logs.example"}, {}), ({}, {"X-Forwarded-Proto": "https"})],
)
def test_behind_https_cookies_are_secure(
    open_site: Callable[..., Site], settings: dict[str, str], headers: dict[str, str]
) -> None:
    site = open_site(**settings)
    for answer in (site.ask("GET", f"/s/{site.token()}", headers), site.sign_in(**headers)):
        assert "Secure" in answer.headers["set-cookie"]


def test_the_door_leads_on_and_leaves_no_trace(site: Site) -> None:
    token = site.token()
    answer = site.ask("GET", f"/s/{token}")
    assert f'href="/jobs/{JOB}"' in answer.text
    assert re.search(r'<script type="module" src="/static/\w+/share\.js"', answer.text)
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert token not in answer.text and "<noscript><meta http-equiv" in answer.text


def test_a_chat_sees_title_status_and_elapsed_time(site: Site) -> None:
    text = site.ask("GET", f"/s/{site.token()}", {"Accept": "*/*", "User-Agent": "Slackbot"}).text
    assert '<meta property="og:title" content="nightly">' in text
    assert re.search(r'<meta property="og:description" content="Done( · [^"]*)?">', text)
    assert "line 1 of" not in text and "nightly.sh" not in text and "ada" not in text


def test_a_chat_sees_that_a_link_goes_to_some_lines(site: Site) -> None:
    assert "nightly, lines 5 to 9" in site.ask("GET", f"/s/{site.token(lines=[5, 9])}").text


def bad_tokens(site: Site) -> dict[str, str]:
    signer = site.service.access.signer
    good = site.token()
    payload = Link("f" * 16, JOB, now_ms() + 60_000, True).payload()
    past = Link("e" * 16, JOB, now_ms() - 1, True)
    site.service.shares.add(past, "", "ada")
    revoked = site.share()
    site.owner("DELETE", f"{SHARES}/{revoked['id']}")
    return {
        "forged": good[:-4] + ("AAAA" if good[-4:] != "AAAA" else "BBBB"),
        "cut": good[:-8],
        "rubbish": "rubbish",
        "ended": signer.sign(Purpose.LINK, past.payload(), past.ends_ms),
        "revoked": revoked["url"].rpartition("/s/")[2],
        "never listed": signer.sign(Purpose.LINK, payload, now_ms() + 60_000),
        "of another purpose": signer.sign(Purpose.LINK_COOKIE, payload, now_ms() + 60_000),
        "a session": signer.sign(Purpose.SESSION, "s", now_ms() + 60_000),
        "too long": "A" * 3000,
    }


def test_links_that_do_not_work_look_the_same_and_say_nothing_of_the_job(site: Site) -> None:
    answers = {kind: site.ask("GET", f"/s/{token}") for kind, token in bad_tokens(site).items()}
    assert {answer.status_code for answer in answers.values()} == {404}
    assert len({answer.text for answer in answers.values()}) == 1
    assert not any("set-cookie" in answer.headers for answer in answers.values())
    text = answers["ended"].text
    assert JOB not in text and "nightly" not in text and "og:" not in text
    assert "Ask for a new one" in text, "explained to a person"


def test_an_owner_is_told_which_it_is(site: Site) -> None:
    tokens = bad_tokens(site)
    told = {kind: site.owner("GET", f"/s/{token}").text for kind, token in tokens.items()}
    assert "taken back" in told["revoked"] and "ended on" in told["ended"] and "never made" in told["forged"]
    assert "list of links" in told["never listed"]


def test_a_cookie_of_another_purpose_opens_nothing(site: Site) -> None:
    token = site.token()
    for value in (token, site.sign_in().headers["set-cookie"].partition("=")[2].partition(";")[0], "x"):
        got = site.ask("GET", f"/api/jobs/{JOB}", {"Cookie": f"{link_cookie(JOB)}={value}"})
        assert got.status_code == 401
        assert site.ask("GET", "/api/jobs", {"Cookie": f"jobtail_session={value}x"}).status_code == 401


def test_a_cookie_under_the_name_of_another_job_opens_nothing(site: Site) -> None:
    site.add_job("another-job", ["a line"])
    value = site.enter(site.token())["Cookie"].partition("=")[2]
    got = site.ask("GET", "/api/jobs/another-job", {"Cookie": f"{link_cookie('another-job')}={value}"})
    assert got.status_code == 401


def test_who_has_seen_the_end_of_its_lines_is_told_not_to_come_back(site: Site) -> None:
    cookie = site.enter(site.token(lines=[2, 3]))
    told = site.ask("GET", f"/api/jobs/{JOB}/events", cookie)
    last = [line[4:] for line in told.text.splitlines() if line.startswith("id: ")][-1]
    assert last.endswith("-3.done")
    assert site.ask("GET", f"/api/jobs/{JOB}/events", {**cookie, "Last-Event-ID": last}).status_code == 204


def test_revoking_works_at_once(site: Site) -> None:
    made = site.share()
    cookie = site.enter(made["url"].rpartition("/s/")[2])
    assert site.ask("GET", f"/api/jobs/{JOB}", cookie).status_code == 200
    site.owner("DELETE", f"{SHARES}/{made['id']}")
    assert site.ask("GET", f"/api/jobs/{JOB}", cookie).status_code == 401


def test_the_holder_of_a_link_sees_no_more_of_the_status_than_the_wire_names(site: Site) -> None:
    site.add_job("failed-job", ["a line"], command=("curl", "https://inside.example"))
    journal = Written(site.service.store.journals.open("failed-job"))
    status = journal.state().status
    assert status is not None
    journal.set_status({**status, "detail": "upstream says no", "worker_error": "stack of the upstream"})
    link = site.enter(site.token("failed-job"))
    for path in (
        "/api/jobs/failed-job",
        "/api/jobs/failed-job/events",
        "/jobs/failed-job",
        "/api/jobs/failed-job/wait",
    ):
        text = site.ask("GET", path, link).text
        assert "upstream says no" not in text and "stack of" not in text and "inside.example" not in text, path


def test_many_links_do_not_outgrow_a_request(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cookies, "MAX_LINK_COOKIES", 3)
    held = "; ".join(f"jobtail_link_{n:016x}=x" for n in range(5))
    answer = site.ask("GET", f"/s/{site.token()}", {"Cookie": held})
    dropped = [cookie for cookie in answer.headers.get_list("set-cookie") if "Max-Age=0" in cookie]
    assert len(dropped) == 3


def test_a_program_may_open_a_link_too(site: Site) -> None:
    answer = site.ask("GET", f"/s/{site.token(lines=[2, 3])}", {"Accept": "application/json"})
    assert answer.json()["job"] == JOB and answer.json()["lines"] == [2, 3]
    assert answer.headers["content-location"] == f"/jobs/{JOB}" and "set-cookie" in answer.headers


def test_links_outlive_a_restart_and_a_new_key(open_site: Callable[..., Site]) -> None:
    token = open_site(secret_key="old" * 10).token()
    later = open_site(secret_key=f"{'new' * 10},{'old' * 10}")
    assert later.ask("GET", f"/s/{token}").status_code == 200
    assert open_site(secret_key="new" * 10).ask("GET", f"/s/{token}").status_code == 404


def test_a_cancel_is_recorded_with_its_link(site: Site) -> None:
    site.add_job("running-job", ["a line"], ended=False)
    made = site.share("running-job", can_cancel=True)
    link = site.enter(made["url"].rpartition("/s/")[2])
    assert site.ask("POST", "/api/jobs/running-job/cancel", link).status_code == 202
    (record,) = site.service.catalog.cancels("running-job")
    assert record.share == made["id"] and made["id"] in record.who and record.address and record.at_ms


def test_the_page_offers_only_what_the_link_allows(site: Site) -> None:
    site.add_job("running-job", ["a line"], ended=False)
    look = site.ask("GET", "/jobs/running-job", site.enter(site.token("running-job"))).text
    cancel = site.ask("GET", "/jobs/running-job", site.enter(site.token("running-job", can_cancel=True))).text
    owner = site.ask("GET", "/jobs/running-job", {"Authorization": f"Bearer {TOKEN}"}).text
    assert 'id="cancel-open"' not in look and 'id="cancel-open"' in cancel and 'id="cancel-open"' in owner
    assert 'id="share-make"' not in look + cancel and 'id="share-make"' in owner
    assert 'id="config"' not in look + cancel and 'id="config"' in owner
