"""The objects against a real service and real jobs of the embedded engine."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from webapp.client import Connection, JobResponse, Jobs, RunResponse, connect, errors
from webapp.client.show import Printer
from webapp.models import JobConfig, JobStepConfig

from ..served import Served, jobtail, until
from ..upstream import Upstream, now_ms
from .cutter import Cutter
from .fed import Fed
from .polite import Polite


class Home:
    """A service, its client, and a folder for pipes."""

    def __init__(self, served: Served, folder: Path) -> None:
        self.served = served
        self.folder = folder
        self.client: Connection = connect(served.url, "")

    def fed(self, name: str = "") -> Fed:
        return Fed(self.served, self.folder, name)

    def listed(self) -> Jobs:
        return self.client.jobs(100, per_request=100)

    def done(self, script: str, name: str = "") -> RunResponse:
        """A job that has ended."""
        return self.client.job(self.served.run("sh", "-c", script, name=name))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    folder = tmp_path_factory.mktemp("home")
    served = Served({"data_dir": folder / "data"}).start()
    yield Home(served, folder)
    served.stop()


@pytest.fixture
def own(serve: Callable[..., Served], tmp_path: Path) -> Home:
    """One to break."""
    return Home(serve(), tmp_path)


class Reader:
    """Iterates over a job's lines in a thread of its own."""

    def __init__(self, run: RunResponse, **how: Any) -> None:
        self.lines: list[str] = []
        self.error: BaseException | None = None
        self._iterator = run.iter_logs(**how)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        try:
            for line in self._iterator:
                self.lines.append(line.message)
        except BaseException as error:
            self.error = error

    def has(self, count: int) -> None:
        until(lambda: len(self.lines) >= count or self.error, f"{count} lines")

    def ends(self) -> list[str]:
        self._thread.join(30)
        assert not self._thread.is_alive()
        if self.error is not None:
            raise self.error
        return self.lines


def test_a_reader_outlasts_a_stop_a_crash_and_loses_and_repeats_nothing(own: Home) -> None:
    job = own.fed()
    reader = Reader(own.client.job(job.id))
    job.say(*[f"line {n}" for n in range(100)])
    reader.has(100)
    own.served.stop()
    job.say(*[f"line {n}" for n in range(100, 200)])
    own.served.start()
    reader.has(200)
    own.served.kill()
    job.say(*[f"line {n}" for n in range(200, 300)])
    job.end()
    own.served.start()
    assert reader.ends() == [f"line {n}" for n in range(300)]


def test_tail_prints_as_it_comes_and_ends_with_the_job(home: Home, capfd: pytest.CaptureFixture[str]) -> None:
    job = home.fed()
    run = home.client.job(job.id)
    tail = threading.Thread(target=run.tail_logs, kwargs={"refresh_seconds": 0.1, "sample_logs": False}, daemon=True)
    tail.start()
    printed = ""

    def look(text: str) -> bool:
        nonlocal printed
        printed += capfd.readouterr().out
        return text in printed

    job.say("  first, ERROR: but the job runs on")
    until(lambda: look("first"), "the first line")
    job.say("tick", "tick", "a\u2028b\x85c", "last")
    job.end()
    tail.join(30)
    assert not tail.is_alive()
    look("")
    assert printed == "  first, ERROR: but the job runs on\ntick\ntick\na\u2028b\x85c\nlast\n"


def test_a_sampled_tail_says_how_much_it_leaves_out(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    run = home.done("seq 5000; echo ERROR in between; seq 5000; echo the end")
    run.tail_logs()
    printed = capsys.readouterr().out.splitlines()
    left_out = [int(line.split()[1].replace(",", "")) for line in printed if line.startswith("… ")]
    assert sum(left_out) + len(printed) - len(left_out) == 10_002
    assert printed[0] == "1" and printed[-1] == "the end" and "ERROR in between" in printed
    assert len(printed) < 1000


def test_a_sample_adds_up_across_breaks(own: Home) -> None:
    """Lines shown and lines counted are all lines, though the service goes down between."""
    job = own.fed()
    out = io.StringIO()

    def follow() -> None:
        printer = Printer(out)
        for event in own.client.stream(job.id, {"format": "batch", "refresh_seconds": 0.1}):
            printer.event(event)
            printer.flush()

    tail = threading.Thread(target=follow, daemon=True)
    tail.start()
    for burst in range(6):
        job.say(*[f"line {burst * 500 + n}" for n in range(500)])
        until(lambda last=burst * 500 + 499: f"line {last}\n" in out.getvalue(), "the last line of the burst")
        if burst == 1:
            own.served.restart()
        if burst == 3:
            own.served.kill()
            own.served.start()
    job.end()
    tail.join(30)
    assert not tail.is_alive()
    printed = out.getvalue().splitlines()
    shown = [line for line in printed if not line.startswith("… ")]
    left_out = sum(int(line.split()[1].replace(",", "")) for line in printed if line.startswith("… "))
    assert len(shown) == len(set(shown)) and shown[0] == "line 0" and shown[-1] == "line 2999"
    assert len(shown) + left_out == 3000


def test_a_tail_ends_with_the_time_given(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    job = home.fed()
    job.say("only")
    run = home.client.job(job.id)
    until(run.get_logs, "the line")
    with pytest.raises(TimeoutError) as raised:
        run.tail_logs(timeout=0.5)
    assert isinstance(raised.value, errors.TimedOut)
    assert capsys.readouterr().out == "only\n"
    with pytest.raises(TimeoutError):
        list(run.iter_logs(timeout=0.3))
    job.end()


def test_a_log_is_a_list_of_entries_oldest_first(home: Home) -> None:
    run = home.done("echo one; echo '  two'; sleep 0.05; echo three >&2")
    logs = run.get_logs()
    assert [entry["message"] for entry in logs] == ["one", "  two", "three"]
    assert [entry.line for entry in logs] == [1, 2, 3]
    assert logs[2]["stream"] == "stderr"
    assert logs[0].time.tzinfo is not None
    assert [entry.message for entry in run.get_logs(since_ms=logs[2].timestamp)] == ["three"]
    assert run.get_logs(since_ms=logs[2].timestamp + 1) == []


def test_printing_keeps_indentation(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    run = home.done("echo 'def f():'; echo '    return 1  '; echo; printf 'no newline'")
    out = io.StringIO()
    run.print_logs(file=out)
    assert out.getvalue() == "def f():\n    return 1  \n\nno newline\n"
    run.print_logs(since_ms=run.get_logs()[0]["timestamp"])
    assert capsys.readouterr().out == out.getvalue()


def test_lines_are_iterated_over_filtered_and_whole(home: Home) -> None:
    run = home.done("echo info; echo ERROR one; head -c 200000 /dev/zero | tr '\\0' x; echo; echo ERROR two")
    assert [len(line.message) for line in run.iter_logs()] == [4, 9, 200_000, 9]
    assert [line.message for line in run.iter_logs(level="error")] == ["ERROR one", "ERROR two"]
    assert [line.message for line in run.iter_logs(q="two", follow=False)] == ["ERROR two"]
    assert [line.message for line in run.iter_logs(tail=1)] == ["ERROR two"]
    assert [line.message for line in run.iter_logs(tail=1, follow=False, level="error")] == ["ERROR two"]
    assert next(run.iter_logs()).message == "info"


def test_a_line_may_have_the_keys_of_a_record(serve: Callable[..., Served], upstream: Upstream) -> None:
    job = upstream.job("keys")
    for n, key in enumerate(("end", "gap", "count", "complete", "last")):
        job.log(f"with {key}", now_ms() - 60_000 + n, **{key: "finished"})
    job.finish()
    run = connect(serve(upstream_url=upstream.url).url, "").job("keys")
    said = ["with end", "with gap", "with count", "with complete", "with last"]
    assert [line.message for line in run.iter_logs()] == said
    assert [line.message for line in run.iter_logs(follow=False)] == said
    assert [entry.message for entry in run.get_logs()] == said


def test_a_reader_that_stops_leaves_nothing_behind(home: Home) -> None:
    job = home.fed()
    job.say("one", "two")
    lines = home.client.job(job.id).iter_logs()
    assert next(lines).message == "one"
    lines.close()
    viewers = lambda: int(home.served.get(f"/api/jobs/{job.id}").headers["Jobtail-Viewers"])  # noqa: E731
    until(lambda: viewers() == 0, "nobody to watch")
    job.end()


def test_the_execution_time_warns_while_the_job_runs(home: Home) -> None:
    job = home.fed()
    run = home.client.job(job.id)
    with pytest.raises(errors.NoLines, match="no log line") as raised:
        run.get_exec_time()
    assert isinstance(raised.value, ValueError)
    job.say("first")
    until(lambda: run.get_logs(), "the first line")
    with pytest.warns(errors.JobInProgressWarning, match="in progress"):
        assert run.get_exec_time() == timedelta(0)
    job.say("second")
    job.end()
    logs = run.wait_for_job().get_logs()
    assert run.get_exec_time() == timedelta(milliseconds=logs[-1]["timestamp"] - logs[0]["timestamp"])


def test_waiting_gives_the_status_or_raises(home: Home) -> None:
    job = home.fed()
    run = home.client.job(job.id)
    assert not run.finished
    with pytest.raises(TimeoutError):
        run.wait_for_job(timeout=0.2)
    with pytest.raises(TimeoutError):
        run.wait_for_job(poll_interval_seconds=0.1, timeout=0)
    threading.Timer(0.3, job.end).start()
    done = run.wait_for_job(timeout=30)
    assert done is not run and done.finished and done.job_status == "Done"
    assert not run.finished
    assert run.refresh_status() is run
    assert run.finished and run.job_status == "Done" and run.finished_tasks == 1


def test_waiting_outlasts_a_restart(own: Home) -> None:
    job = own.fed()
    run = own.client.job(job.id)
    found: list[RunResponse] = []
    waiter = threading.Thread(target=lambda: found.append(run.wait_for_job(poll_interval_seconds=0.1)), daemon=True)
    waiter.start()
    own.served.stop()
    job.end()
    own.served.start()
    waiter.join(30)
    assert [done.job_status for done in found] == ["Done"]


def test_cancelling_gives_a_new_object(home: Home) -> None:
    job = home.fed()
    run = home.client.job(job.id)
    cancelled = run.cancel()
    assert isinstance(cancelled, RunResponse) and cancelled is not run
    assert run.wait_for_job(timeout=30).job_status == "Canceled"
    job.runner.wait(20)
    assert run.cancel().job_status == "Canceled"


def test_jobs_are_a_list_that_refreshes_itself(own: Home) -> None:
    assert len(own.listed()) == 0 and "No jobs" in own.listed()._repr_html_()
    first = own.done("echo 1", name="first")
    jobs = own.client.jobs()
    assert isinstance(jobs, Jobs) and [job.id for job in jobs] == [first.job_id]
    assert isinstance(jobs[0], JobResponse) and jobs[0].job_status == "Done"
    second = own.done("echo 2", name="second")
    assert jobs.refresh() is jobs
    assert [job.id for job in jobs.jobs] == [second.job_id, first.job_id]
    assert [job.id for job in own.client.jobs(1, 1)] == [first.job_id]
    assert [entry.message for entry in jobs[1].get_logs()] == ["1"]
    assert str(jobs) == f"{second.job_id}: Done\n{first.job_id}: Done"
    assert own.client.jobs(5, per_request=1, max_requests=1).jobs == jobs.jobs[:1]


def test_the_configuration_works_where_the_published_one_does_not(home: Home) -> None:
    run = home.done("echo 1", name="named")
    for job in (run, next(job for job in home.listed() if job.id == run.job_id)):
        step, whole = job.config(), job.steps_config()
        assert isinstance(step, JobStepConfig) and isinstance(whole, JobConfig)
        assert whole.steps == [step] and step.model_dump()["command"] == ["sh", "-c", "echo 1"]


def test_a_notebook_shows_status_and_link_and_no_markup_of_others(home: Home) -> None:
    run = home.done("echo 1", name="<img src=x onerror=alert(1)>")
    for html in (run._repr_html_(), home.listed()._repr_html_()):
        assert "<img" not in html and "&lt;img" in html
        assert f'href="{home.served.url}/jobs/{run.job_id}"' in html
        assert ">Done<" in html
    assert run.logs_url == f"{home.served.url}/jobs/{run.job_id}"
    gone = RunResponse.model_validate(run.model_dump(), context=connect("http://127.0.0.1:9"))
    assert "Done" in gone._repr_html_()


def test_a_job_is_found_by_id_link_or_object(home: Home) -> None:
    run = home.done("echo 1")
    connect(home.served.url)
    for text in (run.job_id, run.logs_url, f"{run.logs_url}#L1"):
        assert RunResponse.from_job_id(text).job_id == run.job_id
        assert home.client.job(text).job_id == run.job_id
    assert RunResponse.from_job_id(run) is run
    assert home.client.job(next(job for job in home.listed() if job.id == run.job_id)).job_id == run.job_id


def test_what_is_not_there_is_said_so(home: Home) -> None:
    with pytest.raises(errors.JobNotFound, match="no-such-job"):
        home.client.job("no-such-job")
    ghost = RunResponse.model_validate({"job_id": "no-such-job"}, context=home.client)
    for call in (ghost.tail_logs, ghost.get_logs, ghost.wait_for_job, ghost.get_exec_time, ghost.cancel, ghost.config):
        with pytest.raises(errors.JobNotFound):
            call()


def test_a_token_is_asked_for_and_a_wrong_one_refused(serve: Callable[..., Served], tmp_path: Path) -> None:
    served = serve(access_token="right-token-of-this-test")
    job = served.run("echo", "hello")
    for token in ("", "wrong"):
        with pytest.raises(errors.SignInNeeded, match="JOBTAIL_TOKEN"):
            connect(served.url, token).job(job)
    run = connect(served.url, "right-token-of-this-test").job(job)
    assert [line.message for line in run.iter_logs()] == ["hello"]


def test_a_log_is_resumed_wherever_the_network_breaks(home: Home) -> None:
    run = home.done("seq 3000")
    with Cutter(home.served.port, 80_000) as cutter:
        far = connect(cutter.url, "")
        assert [line.message for line in far.lines(run.job_id)] == [str(n) for n in range(1, 3001)]
        cut = cutter.cuts
        assert cut > 2
        lines = RunResponse.model_validate({"job_id": run.job_id}, context=far).iter_logs()
        assert [line.message for line in lines] == [str(n) for n in range(1, 3001)]
        assert cutter.cuts > cut + 2


def test_a_part_is_never_taken_for_the_whole_behind_a_proxy_that_ends_it_as_if_it_were(home: Home) -> None:
    run = home.done("seq 3000")
    whole = [str(n) for n in range(1, 3001)]
    with Polite(home.served.url, 80_001) as proxy:
        far = connect(proxy.url, "")
        assert [line.message for line in far.lines(run.job_id)] == whole
        assert [line.message for line in far.lines(run.job_id, tail=2000)] == whole[1000:]
        assert [line.message for line in far.lines(run.job_id, q="9", limit=900)] == [n for n in whole if "9" in n]
        out = io.StringIO()
        RunResponse.model_validate({"job_id": run.job_id}, context=far).print_logs(file=out)
        assert out.getvalue().split() == whole
        assert jobtail("logs", run.job_id, settings={"url": proxy.url}).stdout.split() == whole
        assert proxy.cuts >= 8
    asked = home.served.get(f"/api/jobs/{run.job_id}/logs?format=ndjson&end=true").text.splitlines()
    assert len(asked) == 3001 and '"end":"finished"' in asked[-1]


def test_a_log_that_is_thrown_away_while_it_is_read_raises(home: Home) -> None:
    run = home.done("yes 'a line of some length, which is many times here' | head -n 100000")
    lines = home.client.lines(run.job_id)
    assert next(lines).line == 1
    home.client.forget(run.job_id)
    with pytest.raises(errors.UsageError, match="begun anew"):
        list(lines)


def test_a_shared_link_is_all_that_a_guest_needs(serve: Callable[..., Served], monkeypatch: pytest.MonkeyPatch) -> None:
    served = serve(access_token="right-token-of-this-test")
    job, other = served.run("seq", "30"), served.run("echo", "other")
    owner = connect(served.url, "right-token-of-this-test")
    made = owner.share(job, expires_in="1h", note="for a guest")
    link = made["url"]
    monkeypatch.setenv("JOBTAIL_TOKEN", "a-token-that-goes-nowhere")
    run = connect("http://127.0.0.1:9").job(link)
    assert run.job_id == job and run.logs_url == f"{served.url}/jobs/{job}"
    assert [line.message for line in run.iter_logs()] == [str(n) for n in range(1, 31)]
    assert len(run.get_logs()) == 30
    with pytest.raises(errors.Denied):
        run.cancel()
    with pytest.raises(errors.Denied):
        run.config()
    with pytest.raises(errors.SignInNeeded):
        RunResponse.model_validate({"job_id": other}, context=run._client).get_status()
    owner.revoke(job, made["id"])
    with pytest.raises(errors.JobNotFound):
        connect("http://127.0.0.1:9").job(link)
