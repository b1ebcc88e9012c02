"""The wire by which a runner on another machine reports its job."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest

from webapp.errors import JournalError
from webapp.web.openapi import document

from ..security.site import JOB, TOKEN, Site
from ..served import until

RUN = "run-8f3b2a7c9d1e4f60"
OTHER = "run-0011223344556677"
ID = "20260102-030405-reportedjb"
AT = 1_700_000_000_000


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with Site.opened(tmp_path, run_token=f"ci={RUN},gpu={OTHER}") as opened:
        yield opened


class Runner:
    """One that says what it is told to."""

    def __init__(self, site: Site, token: str = RUN, job: str = ID, producer: str = "p-1", epoch: int = 0) -> None:
        self.site, self.token, self.job = site, token, job
        self.headers = {"Producer-Id": producer, "Producer-Epoch": str(epoch)}
        self.grant = ""

    def ask(self, method: str, path: str, token: str, **how: Any) -> httpx2.Response:
        headers = {**self.headers, "Authorization": f"Bearer {token}", **how.pop("headers", {})}
        return self.site.client.request(method, f"/api/jobs/{self.job}{path}", headers=headers, **how)

    def begin(self, token: str = "", **given: Any) -> httpx2.Response:
        answer = self.ask(
            "PUT", "", token or self.token, json={"name": "train", "host": "gpu-7", "user": "ada"} | given
        )
        if answer.is_success:
            self.grant = answer.json()["grant"]
        return answer

    def send(self, seq: int, *messages: str, **more: Any) -> httpx2.Response:
        lines = [{"timestamp": AT + seq, "message": message, "stream": "stdout"} for message in messages]
        return self.post("/lines", {"lines": lines, **more}, {"Producer-Seq": str(seq)})

    def post(self, path: str, value: Any, headers: dict[str, str] | None = None) -> httpx2.Response:
        return self.ask("POST", path, self.grant, json=value, headers=headers or {})

    def lines(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.site.owner("GET", f"/api/jobs/{self.job}/logs").json()
        return found

    def messages(self) -> list[str]:
        return [line["message"] for line in self.lines()]

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = self.site.owner("GET", f"/api/jobs/{self.job}").json()
        return found


def test_a_job_is_begun_fed_and_ended(site: Site) -> None:
    runner = Runner(site)
    begun = runner.begin(command=["python", "train.py"])
    assert begun.status_code == 201 and begun.json()["line"] == 0
    assert begun.json()["url"].endswith(f"/jobs/{ID}")
    assert runner.send(0, "one", "two\nthree").status_code == 200
    assert runner.send(1, "ERROR four").json()["line"] == 4
    status = runner.status()
    assert (status["job_status"], status["user"], status["instance_id"]) == ("Running", "ada (ci)", "gpu-7:0")
    page = site.owner("GET", f"/jobs/{ID}").text
    assert "ada (ci)" in page and "gpu-7" in page
    assert runner.post("/end", {"exit_code": 3}).json()["detail"] == "exit code 3"
    assert runner.messages() == ["one", "two", "three", "ERROR four"]
    assert [line["level"] for line in runner.lines()] == [None, None, None, "error"]
    assert (runner.status()["job_status"], runner.status()["exit_code"]) == ("Failed", 3)
    assert runner.post("/end", {"exit_code": 0}).json()["state"] == "Failed"
    assert runner.send(2, "too late").status_code == 409
    assert site.owner("GET", "/api/jobs").json()["jobs"][0]["id"] == ID


def test_a_batch_that_comes_again_is_written_once(site: Site) -> None:
    runner = Runner(site)
    runner.begin()
    runner.send(0, "one")
    again = runner.send(0, "one")
    assert (again.status_code, again.headers["Producer-Seq"], again.content) == (204, "0", b"")
    assert runner.messages() == ["one"]


def test_a_batch_that_comes_too_early_is_told_which_is_expected(site: Site) -> None:
    runner = Runner(site)
    runner.begin()
    runner.send(0, "one")
    early = runner.send(5, "six")
    assert (early.status_code, early.headers["Producer-Expected-Seq"], early.headers["Producer-Received-Seq"]) == (
        409, "1", "5",
    )  # fmt: skip
    assert runner.messages() == ["one"]


def test_a_later_run_of_the_producer_ends_the_earlier_one_at_once(site: Site) -> None:
    first, second = Runner(site), Runner(site, epoch=1)
    first.begin()
    first.send(0, "one")
    assert second.begin().status_code == 200
    for answer in (
        first.send(1, "two"),
        first.begin(),
        first.post("/heartbeat", {}),
        first.post("/end", {"exit_code": 0}),
    ):
        assert (answer.status_code, answer.headers["Producer-Epoch"]) == (403, "1")
    assert second.send(0, "two").status_code == 200
    assert second.messages() == ["one", "two"]


def test_a_run_that_never_began_may_not_write(site: Site) -> None:
    runner = Runner(site)
    runner.begin()
    runner.headers["Producer-Epoch"] = "7"
    assert runner.send(0, "one").status_code == 409


def test_two_runners_with_one_id_are_told_apart(site: Site) -> None:
    first = Runner(site)
    first.begin()
    for second in (Runner(site, producer="p-2"), Runner(site, token=OTHER), Runner(site, job=JOB)):
        assert second.begin().status_code == 409
    assert Runner(site).begin().status_code == 200  # the same again


def test_a_grant_writes_to_its_own_job_and_does_nothing_else(site: Site) -> None:
    first, second = Runner(site), Runner(site, job="another-job", producer="p-2")
    first.begin()
    second.begin()
    second.grant = first.grant
    assert second.send(0, "stolen").status_code == 403
    second.headers["Producer-Id"] = "p-1"
    assert second.send(0, "stolen").status_code == 403
    thief = Runner(site, producer="p-9")
    thief.grant = first.grant
    assert thief.send(0, "stolen").status_code == 403
    for token in (RUN, first.grant):
        for method, path in (
            ("GET", f"/api/jobs/{ID}"), ("GET", f"/api/jobs/{ID}/logs"), ("GET", "/api/jobs"), ("GET", f"/jobs/{JOB}"),
            ("POST", f"/api/jobs/{ID}/cancel"), ("DELETE", f"/api/jobs/{ID}/journal"), ("GET", "/metrics"),
            ("GET", "/api/jobs/no-such-job"), ("POST", f"/api/jobs/{ID}/shares"), ("GET", f"/server/v1/logs/{ID}"),
        ):  # fmt: skip
            answer = site.ask(method, path, {"Authorization": f"Bearer {token}"})
            assert answer.status_code == 403, (method, path)
    first.grant = RUN
    assert first.send(0, "one").status_code == 403
    assert site.ask("PUT", f"/api/jobs/{ID}", {}).status_code == 401


def test_a_token_that_is_taken_out_ends_its_grants(tmp_path: Path) -> None:
    with Site.opened(tmp_path, run_token=RUN) as site:
        runner = Runner(site)
        runner.begin()
    with Site.opened(tmp_path, run_token=OTHER) as site:
        runner.site = site
        assert runner.send(0, "one").status_code == 401


def test_an_owner_may_report_too(site: Site) -> None:
    runner = Runner(site, token=TOKEN)
    assert runner.begin().status_code == 201
    assert runner.send(0, "by the grant").status_code == 200
    runner.grant = TOKEN
    assert runner.send(1, "by the token").status_code == 200


def test_a_heartbeat_brings_a_cancel_back(site: Site) -> None:
    runner = Runner(site)
    runner.begin()
    assert runner.post("/heartbeat", {}).json() == {"cancelled_by": None}
    assert site.owner("POST", f"/api/jobs/{ID}/cancel").status_code == 202
    assert runner.post("/heartbeat", {}).json()["cancelled_by"] == "the access token"
    assert runner.send(0, "one").json()["cancelled_by"] == "the access token"
    runner.post("/end", {"exit_code": 143, "state": "Canceled", "detail": "cancelled by the access token"})
    until(lambda: runner.status()["job_status"] == "Canceled")


def test_lines_are_redacted_levelled_and_marked_as_any(site: Site) -> None:
    runner = Runner(site)
    runner.begin(name=f"train --token {RUN}", command=["curl", "-H", f"X: {RUN}"])
    runner.post(
        "/lines",
        {
            "lines": [
                {"timestamp": AT + 5000, "message": f"the token is {RUN}", "stream": "stderr"},
                {"timestamp": AT, "message": "an earlier one\n", "level": "warning", "logger": RUN},
                {"timestamp": "soon", "message": "no time"},
                {"timestamp": 9e99, "message": "  indented"},
            ]
        },
        {"Producer-Seq": "0"},
    )
    lines = runner.lines()
    assert RUN not in json.dumps(lines) + json.dumps(runner.status())
    assert [line["level"] for line in lines] == [None, "warning", None, None]
    assert [line.get("timestamp_from") for line in lines] == [None, None, "neighbour", "neighbour"]
    assert lines[3]["message"] == "  indented" and lines[0]["stream"] == "stderr"
    runner.send(1, "in time", partial={"stderr": {"message": "41%", "timestamp": AT}})
    runner.post("/lines", {"lines": [{"timestamp": 5, "message": "long ago"}]}, {"Producer-Seq": "2"})
    assert runner.lines()[-1]["late"] is True and runner.lines()[-1]["timestamp"] == 5


def test_what_is_missing_is_said_in_its_place(site: Site) -> None:
    runner = Runner(site)
    runner.begin()
    runner.send(0, "one")
    for _ in range(2):
        assert runner.post("/lines", {"missing": {"reason": "upstream", "count": 12}}).status_code == 200
    runner.send(1, "two")
    gaps = site.owner("GET", f"/api/jobs/{ID}/overview").json()["gaps"]
    assert gaps == [{"after": 1, "reason": "upstream", "count": 12}]


# Without the time of day, which would name these cases anew each second: workers of pytest have to agree on names.
packed = partial(gzip.compress, mtime=0)


def deep(levels: int) -> Any:
    return {"lines": [{"message": "x", "timestamp": AT, "more": json.loads("[" * levels + "]" * levels)}]}


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"", {}, 400),
        (b"[]", {}, 400),
        (b"{\xff", {}, 400),
        (b'{"lines": 5}', {}, 400),
        (b'{"lines": [5]}', {}, 400),
        (b'{"lines": [{"timestamp": 5}]}', {}, 400),
        (b'{"lines": [{"message": "x"}], "odd": 1}', {}, 400),
        (b'{"lines": [{"message": "x"}]}', {"Producer-Seq": "-1"}, 400),
        (b'{"lines": [{"message": "x"}]}', {"Producer-Seq": "1_0"}, 400),
        (b'{"lines": [{"message": "x"}]}', {"Producer-Epoch": ""}, 400),
        (b'{"lines": [{"message": "x"}]}', {"Producer-Id": "../x"}, 400),
        (b'{"lines": [], "partial": {"stdin": {}}}', {}, 400),
        (b'{"missing": {"reason": "lost"}}', {}, 400),
        (b"no gzip", {"Content-Encoding": "gzip"}, 400),
        (packed(b"{}")[:-4], {"Content-Encoding": "gzip"}, 400),
        (packed(b"{}") * 2, {"Content-Encoding": "gzip"}, 400),
        (b"{}", {"Content-Encoding": "br"}, 400),
        (packed(b" " * (5 << 20)), {"Content-Encoding": "gzip"}, 413),
        (b" " * ((1 << 20) + 1), {}, 413),
        (json.dumps({"lines": [{"message": "x"}] * 20_001}).encode(), {}, 413),
        (json.dumps({"lines": [{"message": "\n" * 60_000}]}).encode(), {}, 413),
        (packed(json.dumps({"lines": [{"message": "hello", "timestamp": AT}]}).encode()),
         {"Content-Encoding": "gzip"}, 200),
        (json.dumps(deep(90)).encode(), {}, 200),
        (b'{"lines": [{"message": "x", "timestamp": 1, "more": ' + b"[" * 90_000 + b"]" * 90_000 + b"}]}", {}, 400),
    ],
)  # fmt: skip
def test_a_body_is_read_within_bounds(site: Site, body: bytes, headers: dict[str, str], status: int) -> None:
    runner = Runner(site)
    runner.begin()
    answer = runner.ask("POST", "/lines", runner.grant, content=body, headers={"Producer-Seq": "0", **headers})
    assert answer.status_code == status, answer.text
    assert runner.ask("POST", "/lines", runner.grant, json={"lines": []}).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "value", "says"),
    [
        ("PUT", "", {"nmae": "x"}, "nmae"),
        ("PUT", "", {"name": 5}, "name"),
        ("PUT", "", {"command": "make"}, "command"),
        ("POST", "/end", {}, "exit_code"),
        ("POST", "/end", {"exit_code": -1}, "exit_code"),
        ("POST", "/end", {"state": "Exploded"}, "state"),
    ],
)
def test_a_wrong_field_is_named(site: Site, method: str, path: str, value: Any, says: str) -> None:
    runner = Runner(site)
    runner.begin()
    answer = runner.ask(method, path, runner.token if method == "PUT" else runner.grant, json=value)
    assert answer.status_code == 400 and says in answer.json()["detail"]


def bounds(schema: dict[str, Any]) -> tuple[list[Any], list[Any]]:
    """Values that a property of a body takes at its bounds, and ones just beyond."""
    schema = schema.get("anyOf", [schema])[0]
    if "enum" in schema:
        return schema["enum"], ["Odd", "", None] if "anyOf" not in schema else ["Odd", ""]
    if "maxLength" in schema:
        return ["", "x" * schema["maxLength"]], ["x" * (schema["maxLength"] + 1), 5]
    if "maximum" in schema:
        low, high = schema["minimum"], schema["maximum"]
        return [low, high], [low - 1, high + 1, str(low), 1.5, 10**400]
    return ([True], ["true"]) if schema["type"] == "boolean" else ([[], ["x"]], [[1], "x"])


@pytest.mark.parametrize(("method", "path"), [("PUT", ""), ("POST", "/end")])
def test_the_bodies_take_what_the_description_says(tmp_path: Path, method: str, path: str) -> None:
    with Site.opened(tmp_path, run_token=RUN, run_jobs_a_minute=1000) as site:
        operation = document(site.app.routes)["paths"][f"/api/jobs/{{job}}{path}"][method.lower()]
        properties = operation["requestBody"]["content"]["application/json"]["schema"]["properties"]
        for name, schema in properties.items():
            allowed, refused = bounds(schema)
            for place, value in enumerate([*allowed, *refused]):
                runner = Runner(site, job=f"{name}-{place}")
                runner.begin()
                rest = {"state": "Done"} if path and name != "state" else {}
                answer = runner.ask(method, path, runner.grant if path else RUN, json=rest | {name: value})
                assert answer.status_code == (200 if place < len(allowed) else 400), (
                    name,
                    str(value)[:80],
                    answer.text,
                )
                assert answer.is_success or name in answer.json()["detail"], answer.text


def test_a_quota_is_answered_with_the_time_to_wait(tmp_path: Path) -> None:
    quotas = {"run_jobs_a_minute": 2, "run_lines_a_minute": 60, "run_open_jobs": 2}
    with Site.opened(tmp_path, run_token=f"{RUN},{OTHER}", **quotas) as site:
        first, second = Runner(site, job="j-1"), Runner(site, job="j-2")
        assert [first.begin().status_code, second.begin().status_code] == [201, 201]
        third = Runner(site, job="j-3").begin()
        assert third.status_code == 429 and int(third.headers["Retry-After"]) > 0
        assert Runner(site, job="j-3", token=OTHER).begin().status_code == 201
        assert first.begin().status_code == 200
        assert first.send(0, *"abcdefghij" * 7).status_code == 200
        wait = first.send(1, "more")
        assert wait.status_code == 429 and 1 <= int(wait.headers["Retry-After"]) <= 60
        assert "JOBTAIL_RUN_LINES_A_MINUTE" in wait.json()["detail"]


def test_a_journal_that_was_thrown_away_asks_for_the_batches_from_the_first(site: Site) -> None:
    runner = Runner(site)
    runner.begin()
    runner.send(0, "one")
    site.owner("DELETE", f"/api/jobs/{ID}/journal")
    assert runner.send(1, "two").headers["Producer-Expected-Seq"] == "0"
    assert runner.begin().json()["line"] == 0
    assert runner.send(0, "two").status_code == 200
    assert runner.messages() == ["two"]


def test_a_silent_runner_is_lost_and_comes_back(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webapp.engine.intake.LEASE_SECONDS", 0.1)
    runner = Runner(site)
    runner.begin()
    runner.send(0, "one", partial={"stdout": {"message": "tw", "timestamp": AT}})
    monkeypatch.setattr("webapp.engine.job.LOST_AFTER_MS", -1)
    until(lambda: runner.status()["job_status"] == "Failed")
    assert runner.status()["detail"] == "its runner was lost"
    until(lambda: site.service.store.journals.open(ID).state().finished)
    monkeypatch.setattr("webapp.engine.job.LOST_AFTER_MS", 4000)
    assert runner.post("/heartbeat", {}).status_code == 200
    until(lambda: runner.status()["job_status"] == "Running")
    assert runner.send(1, "two").status_code == 200
    assert runner.messages() == ["one", "two"]
    assert site.owner("GET", f"/api/jobs/{ID}/overview").json()["gaps"] == []


def test_jobs_of_all_machines_are_one_list(site: Site) -> None:
    Runner(site).begin(created_ms=AT - 10**12)
    assert [job["id"] for job in site.owner("GET", "/api/jobs").json()["jobs"]] == [ID, JOB]


def test_a_job_that_has_ended_stays_so_whatever_comes_afterwards(site: Site) -> None:
    runner = Runner(site)
    runner.begin()
    runner.send(0, "one")
    runner.post("/end", {"exit_code": 3})
    before = site.service.store.journals.open(ID).state()
    assert before.finished and before.complete
    assert runner.send(1, "late").status_code == 409
    assert runner.post("/lines", {"partial": {"stdout": {"message": "late"}}}).status_code == 409
    assert runner.post("/lines", {"missing": {"reason": "upstream"}}).status_code == 409
    assert runner.post("/heartbeat", {}).status_code == 200
    begun = runner.begin()
    assert (begun.status_code, begun.json()["line"]) == (200, 1)
    assert Runner(site, epoch=1).begin().json()["line"] == 1
    after = site.service.store.journals.open(ID).state()
    assert (after.finished, after.complete, after.last_line) == (True, True, 1)
    assert (runner.status()["job_status"], runner.status()["exit_code"]) == ("Failed", 3)


def test_an_end_that_was_half_written_is_written_when_it_comes_again(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = Runner(site)
    runner.begin()
    runner.send(0, "one")
    writer = site.service.intake._lanes[ID].writer

    def full(*_: object) -> None:
        raise JournalError("there is no room", Path("/"))

    monkeypatch.setattr(type(writer), "finish", full)
    assert runner.post("/end", {"exit_code": 3}).status_code == 503
    monkeypatch.undo()
    assert runner.post("/end", {"exit_code": 3}).json()["detail"] == "exit code 3"
    state = site.service.store.journals.open(ID).state()
    assert state.finished and state.complete


def test_what_a_runner_says_of_itself_draws_nothing_else(site: Site) -> None:
    evil = "\u202egnp\u2066 \x1b[31mred\x1b]0;title\x07 \0 <b>x</b>"
    runner = Runner(site)
    assert runner.begin(name=evil, host=evil, user=evil, cwd=evil, python=evil, command=["sh", evil]).is_success
    runner.post("/end", {"exit_code": 1, "detail": evil})
    shown = [site.owner("GET", path) for path in (f"/jobs/{ID}", "/", f"/api/jobs/{ID}", f"/api/jobs/{ID}/config")]
    for answer in shown:
        assert answer.status_code == 200, answer.text
        assert "json" in answer.headers["content-type"] or "<b>x" not in answer.text
        for part in ("\u202e", "\u2066", "\x1b", "\x07", "\0", "\\u001b", "\\u0000"):
            assert part not in answer.text, (part, answer.url)
