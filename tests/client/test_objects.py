"""What the objects are in Python: lists, types, pickles, and odd ids of a hostile service."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest

import webapp
from webapp import Jobs, RunResponse, connect
from webapp.client import Client, JobResponse, bound, errors

from .stub import Asked, Stub, http

TOKEN = "the-token-of-this-test"
ODD = ["http://thief.example/jobs/x", "a;touch${IFS}x", "../../etc", "x\x1b]0;t\x07", "", "a b", "y" * 300]


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bound, "_connected", [])
    for name in ("JOBTAIL_URL", "JOBTAIL_TOKEN"):
        monkeypatch.delenv(name, raising=False)


def listing(*ids: str) -> Any:
    rows = [{"id": name, "job_status": "Done", "job_name": f"n{place}"} for place, name in enumerate(ids)]
    return lambda asked: http(200, json.dumps({"jobs": rows}).encode())


def test_the_package_says_what_it_has() -> None:
    assert {"AsyncConnection", "JobResponse", "Jobs", "RunResponse", "connect"} <= set(dir(webapp))
    assert {"AsyncConnection", "Client", "Line", "Share"} <= set(dir(webapp.client))
    assert all(getattr(webapp, name) is not None for name in webapp.__all__)


def test_a_slice_of_jobs_is_jobs() -> None:
    with Stub(listing("a", "b", "c", "d")) as stub:
        jobs = connect(stub.url, "").jobs(4)
        assert [job.id for job in jobs[1:3]] == ["b", "c"] and isinstance(jobs[1:3], Jobs)
        assert (jobs[1:3].n, jobs[1:3].skip, len(jobs[-2:]), jobs[-1].id) == (2, 1, 2, "d")
        assert jobs[1:3][0].logs_url == f"{stub.url}/jobs/b"
        assert "<table" in jobs[:2]._repr_html_() and len(jobs) == 4
        with pytest.raises(ValueError, match="step of 1"):
            jobs[::-1]


def test_a_job_that_is_in_two_answers_is_there_once() -> None:
    """The list grew between two requests."""

    def answers(asked: Asked) -> bytes:
        first = int(asked.path.split("skip=")[1].split("&")[0])
        ids = [f"j-{n}" for n in range(first - (1 if first else 0), first + 100 - (1 if first else 0))]
        return http(200, json.dumps({"jobs": [{"id": name} for name in ids]}).encode())

    with Stub(answers) as stub:
        jobs = connect(stub.url, "").jobs(150, per_request=100, max_requests=None)
    assert [job.id for job in jobs] == [f"j-{n}" for n in range(150)]


def test_what_ended_a_job_is_typed() -> None:
    status = {"job_id": "x", "exit_code": 3, "detail": "exit code 3", "creation_date": "2026-01-02T03:04:05Z"}
    run = RunResponse.model_validate(status)
    assert (run.exit_code, run.detail) == (3, "exit code 3")
    assert run.creation_date is not None and run.creation_date.year == 2026
    assert RunResponse(job_id="x").exit_code is None


def test_one_odd_field_costs_no_other_and_no_other_job() -> None:
    odd = {"total_tasks": None, "last_heartbeat": "", "exit_code": "three", "user_id": 12, "creation_date": [1]}
    rows = [{"id": "a", "job_status": "Done", **odd}, {"id": "b", "job_status": "Failed"}, {"job_status": "no id"}, 7]

    def answers(asked: Asked) -> bytes:
        found = {"jobs": rows} if asked.path.startswith("/api/jobs?") else {"job_id": "a", **odd}
        return http(200, json.dumps(found).encode())

    with Stub(answers) as stub:
        jobs = connect(stub.url, "").jobs(4)
        assert [(job.id, job.job_status) for job in jobs] == [("a", "Done"), ("b", "Failed")]
        assert jobs[0].creation_date is None and "<table" in jobs._repr_html_()
        run = jobs[0].get_status()
        assert (run.job_id, run.exit_code, run.total_tasks) == ("a", None, 0)
        assert "exit_code" in run.altered  # type: ignore[attr-defined]


def test_objects_are_taken_wherever_an_id_is() -> None:
    with Stub(lambda asked: http(200, b'{"job_id": "x", "seconds": 1}')) as stub:
        service = connect(stub.url, "")
        run, row = RunResponse(job_id="x"), JobResponse(id="x")
        for job in (run, row):
            assert service.job(job).job_id == "x" and service.link(job) == f"{stub.url}/jobs/x"
            assert service.exec_time(job)["seconds"] == 1 and RunResponse.from_job_id(job).job_id == "x"


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_id_leads_nowhere_else_and_breaks_no_list(odd: str) -> None:
    with Stub(listing("good", odd)) as stub:
        jobs = connect(stub.url, TOKEN).jobs(2)
        shown = jobs._repr_html_()
        assert f'href="{stub.url}/jobs/good"' in shown and 'href="http://thief' not in shown
        assert "\x1b" not in repr(jobs)
        for job in jobs:
            assert job.logs_url.startswith(f"{stub.url}/jobs/")
        asked = len(stub.asked)
        with pytest.raises(errors.UsageError, match="not a job id"):
            jobs[1].get_status()
        with pytest.raises(errors.UsageError, match="not a job id"):
            jobs[1].print_logs()
        assert len(stub.asked) == asked


def test_an_error_holds_nothing_that_a_terminal_obeys() -> None:
    hostile = json.dumps({"detail": "no\x1b]52;c;aGk=\x07\x9b2J\u202ekcab\r\n"}).encode()
    with Stub(lambda asked: http(404, hostile)) as stub, pytest.raises(errors.JobNotFound) as raised:
        Client(stub.url).status("x")
    assert str(raised.value).isprintable() and "kcab" in str(raised.value)


def authorization(stub: Stub) -> str | None:
    return stub.asked[-1].headers.get("authorization")


def test_a_pickle_finds_its_token_again_and_holds_none(monkeypatch: pytest.MonkeyPatch) -> None:
    with Stub(lambda asked: http(200, b'{"job_id": "x"}')) as stub, Stub(listing()) as other:
        data = pickle.dumps(connect(stub.url, TOKEN).job("x"))
        assert TOKEN.encode() not in data
        assert isinstance(pickle.loads(data), RunResponse)
        pickle.loads(data).get_status()
        assert authorization(stub) == f"Bearer {TOKEN}"
        # In another process: nothing is connected there.
        monkeypatch.setattr(bound, "_connected", [])
        run = pickle.loads(data)
        run.get_status()
        assert authorization(stub) is None
        monkeypatch.setenv("JOBTAIL_TOKEN", "of-the-environment")
        run.get_status()
        assert authorization(stub) is None  # that is the token of JOBTAIL_URL, which is another service
        monkeypatch.setenv("JOBTAIL_URL", stub.url)
        run.get_status()
        assert authorization(stub) == "Bearer of-the-environment"
        connect(other.url, "of-the-other")
        pickle.loads(data).get_status()
        assert authorization(stub) == "Bearer of-the-environment"
        assert other.asked == []


def test_what_a_notebook_shows_of_one_row() -> None:
    with Stub(listing("a")) as stub:
        assert f'href="{stub.url}/jobs/a"' in connect(stub.url, "").jobs()[0]._repr_html_()
