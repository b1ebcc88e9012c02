"""`/logs`, `/search` and the small routes: pages, formats, bounds, errors."""

import sys
import threading
from typing import Any

import httpx
import pytest

from tests.security.site import JOB, START_MS, Site
from tests.served import until
from tests.web.test_events import COUNT
from webapp.journal.line import Entry
from webapp.stream.tail import tail_walk
from webapp.web import logs as logs_of_web

BIG = "for n in range(30000): print('x' * 1000)"


def logs(service, job, **params):
    return service.get(f"/api/jobs/{job}/logs", params=params)


def numbers(answer):
    return [line["line"] for line in answer.json()]


def test_the_whole_log_as_json(service, ten):
    answer = logs(service, ten)
    assert answer.headers["content-type"] == "application/json"
    assert numbers(answer) == list(range(1, 11))
    assert set(answer.json()[0]) == {"id", "line", "timestamp", "message", "level", "stream"}
    assert "link" not in answer.headers


@pytest.mark.parametrize(
    ("how", "kind"),
    [
        ({"params": {"format": "text"}}, "text/plain"),
        ({"params": {"format": "ndjson"}}, "application/x-ndjson"),
        ({"headers": {"Accept": "text/plain"}}, "text/plain"),
        ({"headers": {"Accept": "application/x-ndjson"}}, "application/x-ndjson"),
        ({"headers": {"Accept": "text/html, */*"}}, "application/json"),
        ({"headers": {"Accept": "text/plain;q=0.1, application/json"}}, "application/json"),
        ({"headers": {"Accept": "application/json;q=0, text/*"}}, "text/plain"),
        ({"headers": {"Accept": "image/png, text/plain;q=x"}}, "application/json"),
        ({"params": {"format": "ndjson"}, "headers": {"Accept": "text/plain"}}, "application/x-ndjson"),
    ],
)
def test_the_parameter_chooses_the_format_and_else_accept(service, ten, how, kind):
    answer = service.get(f"/api/jobs/{ten}/logs", **how)
    assert answer.headers["content-type"].split(";")[0] == kind
    assert len(answer.json() if kind.endswith("/json") else answer.text.splitlines()) == 10


def test_where_to_begin_and_end(service, ten):
    ids = [line["id"] for line in logs(service, ten).json()]
    assert numbers(logs(service, ten, after=ids[1], before=ids[5])) == [3, 4, 5]
    assert numbers(logs(service, ten, from_line=9)) == [9, 10]
    assert numbers(logs(service, ten, from_line=11)) == []
    assert numbers(logs(service, ten, tail=3)) == [8, 9, 10]
    assert numbers(logs(service, ten, tail=2, before=ids[4])) == [3, 4]
    assert numbers(logs(service, ten, tail=1, level="error")) == [7]
    assert numbers(logs(service, ten, after=ids[9])) == []


def test_filters(service, ten):
    assert numbers(logs(service, ten, level="error,warning")) == [2, 4, 7, 9]
    assert numbers(logs(service, ten, q="plain")) == [5, 10]
    assert numbers(logs(service, ten, level="none")) == [5, 10]
    first = logs(service, ten).json()[0]["timestamp"]
    assert numbers(logs(service, ten, since_ms=first)) == list(range(1, 11))
    assert numbers(logs(service, ten, until_ms=first - 1)) == []
    assert 1 in numbers(logs(service, ten, until_ms=first))


@pytest.mark.parametrize("query", [{}, {"level": "error,warning,info"}, {"q": "number"}, {"before": None}])
def test_pages_are_linked_and_make_the_whole(service, ten, query):
    if "before" in query:
        query = {"before": logs(service, ten).json()[-1]["id"]}
    whole = numbers(logs(service, ten, **query))
    answer, got, pages = logs(service, ten, limit=3, **query), [], 0
    while True:
        got += numbers(answer)
        pages += 1
        if "link" not in answer.headers:
            break
        assert answer.headers["link"].endswith('>; rel="next"')
        answer = service.get(answer.headers["link"][1:].split(">")[0])
    assert got == whole
    assert pages == -(-len(whole) // 3)


def test_a_limit_bounds_every_format(service, ten):
    assert len(logs(service, ten, limit=4, format="text").text.splitlines()) == 4
    assert len(logs(service, ten, limit=1, format="ndjson", level="error").text.splitlines()) == 1


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ({"after": "nonsense"}, "after"),
        ({"after": "zzzz-1"}, "after"),
        ({"limit": 0}, "limit"),
        ({"from_line": 0}, "from_line"),
        ({"format": "csv"}, "format"),
        ({"until_ms": "soon"}, "until_ms"),
        ({"follow": "true"}, "follow"),
    ],
)
def test_a_wrong_parameter_is_named(service, ten, query, name):
    answer = logs(service, ten, **query)
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith(name)


def test_a_cursor_past_the_end_is_named(service, ten):
    epoch = logs(service, ten).json()[0]["id"].split("-")[0]
    answer = logs(service, ten, after=f"{epoch}-11")
    assert (answer.status_code, "past the end" in answer.json()["detail"]) == (400, True)


@pytest.mark.parametrize("format", ["text", "ndjson"])
def test_following_goes_on_until_the_job_has_ended(service, format):
    job, runner = service.begin(sys.executable, "-c", COUNT.format(n=20, pause=0.03))
    with httpx.stream("GET", f"{service.url}/api/jobs/{job}/logs?format={format}&follow=true", timeout=20) as answer:
        got = answer.read().decode().splitlines()
    runner.wait()
    if format == "text":
        assert got == [str(n) for n in range(20)]
    else:
        assert len(got) == 20


def test_following_an_empty_range_ends(service):
    job, runner = service.begin(sys.executable, "-c", COUNT.format(n=2000, pause=0.05))
    until(lambda: len(logs(service, job).json()) >= 5, "five lines")
    ids = [line["id"] for line in logs(service, job, limit=5).json()]
    for before in (ids[4], ids[2]):
        answer = logs(service, job, after=ids[3], before=before, follow="true", format="text")
        assert (answer.status_code, answer.text) == (200, "")
    runner.terminate()
    runner.wait()


def test_the_last_lines_are_no_more_than_asked_for_while_the_log_grows(tmp_path, monkeypatch):
    def growing(journal, *where):
        writer = journal.claim(60)
        writer.append([Entry(START_MS + 1000, "one more", None)])
        writer.release()
        return tail_walk(journal, *where)

    monkeypatch.setattr(logs_of_web, "tail_walk", growing)
    with Site.opened(tmp_path / "data") as site:
        for query in ("tail=5", "tail=5&q=line"):
            answer = site.owner("GET", f"/api/jobs/{JOB}/logs?{query}")
            assert numbers(answer) == [16, 17, 18, 19, 20]


@pytest.mark.parametrize("what", ["journal", "shares/{id}"])
def test_a_download_that_is_not_whole_breaks_off(serve, what):
    service = serve(access_token="sesame")
    owner = {"Authorization": "Bearer sesame"}
    job = service.run(sys.executable, "-c", BIG)
    cookie, share = shared(service, job, owner)
    plain = cookie | {"Accept-Encoding": "identity"}  # compressed it would be through before it is broken off
    with httpx.stream("GET", f"{service.url}/api/jobs/{job}/logs?format=text", headers=plain) as answer:
        chunks = answer.iter_raw()
        assert next(chunks)
        gone = httpx.delete(f"{service.url}/api/jobs/{job}/{what.format(id=share)}", headers=owner, timeout=30)
        assert gone.status_code == 204
        with pytest.raises(httpx.RemoteProtocolError, match="incomplete"):
            for _ in chunks:
                pass
    until(lambda: "was broken off" in service.output, "the service to say so")
    service.stop()
    assert "Traceback" not in service.output and "ERROR" not in service.output


def shared(service, job, owner, **terms):
    """The headers of a browser that has opened a new link to the job, and the link's id."""
    made = service.post(f"/api/jobs/{job}/shares", json=terms, headers=owner).json()
    opened = service.get("/s/" + made["url"].rpartition("/s/")[2])
    return {"Cookie": opened.headers["set-cookie"].partition(";")[0]}, made["id"]


def test_a_download_has_a_name(service, ten):
    answer = logs(service, ten, format="text", download="true")
    assert answer.headers["content-disposition"] == f'attachment; filename="{ten}.log"'


def test_whole_lines_whatever_their_length(serve):
    service = serve(max_line_bytes=100)
    job = service.run(sys.executable, "-c", "print('x' * 5000)")
    assert len(logs(service, job).json()[0]["message"]) == 5000


def test_search_finds_the_lines_oldest_first_and_says_how_far_it_looked(service, ten):
    answer = service.get(f"/api/jobs/{ten}/search", params={"q": "number [12]$", "regex": "true"}).json()
    assert [line["line"] for line in answer["lines"]] == [2, 3]
    assert answer["complete"] is True
    part = service.get(f"/api/jobs/{ten}/search", params={"q": "number", "limit": 4}).json()
    assert (len(part["lines"]), part["complete"]) == (4, False)
    rest = service.get(f"/api/jobs/{ten}/search", params={"q": "number", "after": part["scanned_to"]}).json()
    assert [line["line"] for line in rest["lines"]] == [5, 6, 7, 8, 9, 10]


def test_a_search_says_where_in_a_line_its_matches_are(service: Any, ten: str) -> None:
    def spans(query: str) -> list[list[list[int]]]:
        answer = service.get(f"/api/jobs/{ten}/search?{query}").json()
        assert len(answer["spans"]) == len(answer["lines"])
        found: list[list[list[int]]] = answer["spans"]
        return found

    assert spans("q=number&limit=2") == [[[5, 11]], [[6, 12]]]
    assert spans("q=n.m%7C%5Cd&regex=true&tail=2") == [[[5, 8], [12, 13]], [[6, 9], [13, 14]]]
    assert spans("q=number&max_line_bytes=8&limit=2") == [[[5, 8]], [[6, 8]]]
    assert spans("level=error") == [[], []]


def test_search_counts_and_looks_from_the_end(service, ten):
    def found(**params):
        answer = service.get(f"/api/jobs/{ten}/search", params=params).json()
        return [line["line"] for line in answer["lines"]], answer["count"], answer["complete"], answer["scanned_to"]

    epoch = service.get(f"/api/jobs/{ten}/logs?tail=1").json()[0]["id"].partition("-")[0]
    assert found(q="number", limit=0) == ([], 10, True, f"{epoch}-10")
    assert found(q="number", limit=0, after=f"{epoch}-3", before=f"{epoch}-8") == ([], 4, True, f"{epoch}-7")
    assert found(q="number", before=f"{epoch}-3") == ([1, 2], 2, True, f"{epoch}-2")
    assert found(q="number", tail=2) == ([9, 10], 2, False, f"{epoch}-9")
    assert found(q="number", tail=2, before=f"{epoch}-9") == ([7, 8], 2, False, f"{epoch}-7")
    assert found(q="number", tail=9, after=f"{epoch}-5", before=f"{epoch}-8") == ([6, 7], 2, True, f"{epoch}-6")
    assert found(q="number 0", tail=1) == ([1], 1, True, f"{epoch}-1")
    assert found(q="nothing", tail=5) == ([], 0, True, f"{epoch}-1")


@pytest.mark.parametrize(
    ("params", "names"),
    [
        ({}, "q"),
        ({"q": "(", "regex": "true"}, "q"),
        ({"q": "x" * 1001}, "q"),
        ({"q": r"(a)\1", "regex": "true"}, "q"),
        ({"q": "a", "limit": 1001}, "limit"),
        ({"q": "a", "tail": 0}, "tail"),
        ({"q": "a", "tail": 1, "limit": 1}, "tail and limit"),
        ({"q": "a", "before": "0ther-3"}, "before"),
        ({"q": "a", "case": "upper"}, "case"),
        ({"q": "a", "exclude": "\n" * 8}, "exclude"),
    ],
)
def test_a_search_that_can_not_be_is_explained(service, ten, params, names):
    answer = service.get(f"/api/jobs/{ten}/search", params=params)
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith(names)


def test_a_search_from_past_the_end_is_refused_as_in_logs(service, ten):
    epoch = service.get(f"/api/jobs/{ten}/logs?tail=1").json()[0]["id"].partition("-")[0]
    answer = service.get(f"/api/jobs/{ten}/search", params={"q": "number", "after": f"{epoch}-11"})
    assert (answer.status_code, answer.json()["detail"][:5]) == (400, "after")


def test_what_a_search_gives_of_a_range_past_the_end_holds_when_it_comes_back(serve):
    service = serve(access_token="sesame")
    owner = {"Authorization": "Bearer sesame"}
    job = service.run("seq", "50")
    cookie, _ = shared(service, job, owner, lines=[120, 140])
    for query, name in (("q=1", "after"), ("q=1&tail=3", "before")):
        answer = service.get(f"/api/jobs/{job}/search?{query}", headers=cookie).json()
        assert (answer["lines"], answer["count"], answer["complete"]) == ([], 0, True)
        again = service.get(f"/api/jobs/{job}/search?{query}&{name}={answer['scanned_to']}", headers=cookie)
        assert (again.status_code, again.json()) == (200, answer)


def test_the_status_and_the_list(service, ten):
    status = service.get(f"/api/jobs/{ten}").json()
    assert (status["job_name"], status["job_status"], status["finished_job_status"]) == ("ten", "Done", True)
    listed = service.get("/api/jobs", params={"n": 1}).json()
    assert [job["id"] for job in listed["jobs"]] == [ten]
    assert (listed["n"], listed["skip"]) == (1, 0)
    assert service.get("/api/jobs", params={"skip": 1}).json()["jobs"] == []


def test_the_execution_time(service, ten):
    lines = logs(service, ten).json()
    answer = service.get(f"/api/jobs/{ten}/exec-time").json()
    assert answer == {
        "seconds": (lines[-1]["timestamp"] - lines[0]["timestamp"]) / 1000,
        "in_progress": False,
        "first": lines[0]["timestamp"],
        "last": lines[-1]["timestamp"],
    }
    silent = service.run("true")
    assert service.get(f"/api/jobs/{silent}/exec-time").status_code == 409


def test_the_configuration(service, ten):
    step = service.get(f"/api/jobs/{ten}/config").json()
    assert (step["type"], step["command"][0]) == ("command", sys.executable)
    assert service.get(f"/api/jobs/{ten}/steps-config").json()["steps"] == [step]


def test_waiting_ends_with_the_job_or_with_its_time(service):
    job, runner = service.begin(sys.executable, "-c", "import time; time.sleep(100)")
    assert service.get(f"/api/jobs/{job}/wait?timeout=0.2").status_code == 504
    waiting: list[httpx.Response] = []
    thread = threading.Thread(target=lambda: waiting.append(service.get(f"/api/jobs/{job}/wait?timeout=20")))
    thread.start()
    assert service.post(f"/api/jobs/{job}/cancel").status_code in (200, 202)
    thread.join(20)
    runner.wait()
    assert waiting[0].json()["job_status"] in ("Canceled", "Failed")
    assert service.post(f"/api/jobs/{job}/cancel").status_code == 200


def test_forgetting_takes_the_lines(service, ten):
    assert httpx.delete(f"{service.url}/api/jobs/{ten}/journal").status_code == 204
    assert logs(service, ten).json() == []


def test_an_overview_counts_what_is_loud(service, ten):
    answer = service.get(f"/api/jobs/{ten}/overview").json()
    assert sum(part["errors"] for part in answer["parts"]) == 2
    assert (answer["parts"][0]["first"], answer["parts"][-1]["last"]) == (1, 10)


def test_alive_and_able(service):
    assert service.get("/healthz").json() == {"status": "ok"}
    assert service.get("/readyz").json() == {"status": "ok"}


def test_errors_are_problems_that_a_person_understands(service):
    answer = service.get("/api/jobs/nobody")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "about:blank",
        "title": "Not found",
        "status": 404,
        "detail": "there is no job 'nobody', or you may not see it",
    }
    assert service.get("/api/nothing").json()["status"] == 404
    assert service.post("/api/jobs").status_code == 405


def test_the_heartbeat_of_a_running_job_goes_on(service):
    job, runner = service.begin(sys.executable, "-c", "import time; time.sleep(100)")

    def heartbeat():
        return service.get(f"/api/jobs/{job}").json()["last_heartbeat"]

    first = until(heartbeat, "a heartbeat")
    until(lambda: heartbeat() > first, "the next heartbeat")
    runner.terminate()
    runner.wait()


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({"q": "NUMBER 1", "case": "either"}, [2]),
        ({"q": "NUMBER 1"}, []),
        ({"q": "NUMBER [12]$", "regex": True, "case": "either"}, [2, 3]),
        ({"q": "NUMBER [12]$", "regex": True}, []),
        ({"q": "number 1", "case": "exact"}, [2]),
        ({"exclude": "number 1"}, [1, 3, 4, 5, 6, 7, 8, 9, 10]),
        ({"exclude": "NUMBER 1\nNUMBER 2", "case": "either"}, [1, 4, 5, 6, 7, 8, 9, 10]),
        ({"q": "number", "exclude": "r 3"}, [1, 2, 3, 5, 6, 7, 8, 9, 10]),
    ],
)
def test_case_and_exclusion_hold_in_a_search_and_in_a_page_of_the_log(service, ten, params, found):
    given = {name: "true" if value is True else value for name, value in params.items()}
    answer = service.get(f"/api/jobs/{ten}/search", params=given).json()
    assert [line["line"] for line in answer["lines"]] == found
    assert numbers(logs(service, ten, **given)) == found
