"""The terminal commands against a real service."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest

from ..served import Served, environment, jobtail, spawn, until
from ..upstream import Upstream

Ask = Callable[..., "subprocess.CompletedProcess[str]"]


def test_jobs_are_listed_newest_first(ask: Ask, service: Served, failed: str) -> None:
    newer = service.run("true", name="newer")
    first, second = ask("jobs", "-n", "2").stdout.splitlines()[1:]
    assert first.startswith(newer) and "Done" in first and first.endswith("newer")
    assert second.startswith(failed) and "Failed" in second
    listed = json.loads(ask("jobs", "--skip", "1", "-n", "1", "--json").stdout)
    assert [job["id"] for job in listed["jobs"]] == [failed]


def test_status_is_words_or_json(ask: Ask, failed: str, service: Served) -> None:
    shown = ask("status", failed).stdout
    assert "Failed (exit code 3)" in shown and f"{service.url}/jobs/{failed}" in shown and "three lines" in shown
    status = json.loads(ask("status", failed, "--json").stdout)
    assert (status["job_id"], status["job_status"], status["exit_code"]) == (failed, "Failed", 3)


def test_a_link_does_as_well_as_an_id(ask: Ask, service: Served, failed: str) -> None:
    assert "three lines" in ask("status", f"{service.url}/jobs/{failed}?level=error#L2").stdout


def test_logs_are_printed_as_they_are(ask: Ask, failed: str) -> None:
    assert ask("logs", failed).stdout == "  first\nERROR second\nthird\n"
    assert ask("logs", failed, "--tail", "1").stdout == "third\n"
    assert ask("logs", failed, "--level", "error").stdout == "ERROR second\n"
    assert ask("logs", failed, "--grep", "ir").stdout == "  first\nthird\n"


def test_logs_bear_their_times_when_asked(ask: Ask, failed: str) -> None:
    lines = [json.loads(line) for line in ask("logs", failed, "--json").stdout.splitlines()]
    assert [line["message"] for line in lines] == ["  first", "ERROR second", "third"]
    stamped = ask("logs", failed, "--timestamps").stdout.splitlines()
    assert stamped[2].endswith("Z third") and stamped[2][:4] == "20" + stamped[2][2:4]
    since = str(lines[2]["timestamp"])
    assert ask("logs", failed, "--since-ms", since).stdout == "third\n"


def test_tail_of_a_failed_job_exits_with_1(ask: Ask, failed: str) -> None:
    done = ask("tail", failed, "--no-sample-logs")
    assert (done.returncode, done.stdout) == (1, "  first\nERROR second\nthird\n")
    assert re.fullmatch(r"jobtail: failed: exit code 3, after [0-9.]+ m?s\n", done.stderr)
    assert ask("tail", failed, "--quiet").stderr == ""


def test_tail_as_json_is_an_object_a_line(ask: Ask, failed: str) -> None:
    found = [json.loads(line) for line in ask("tail", failed, "--json", "--no-sample-logs").stdout.splitlines()]
    assert [each["message"] for each in found if "event" not in each] == ["  first", "ERROR second", "third"]
    assert (found[0]["event"], found[-1]["event"], found[-1]["reason"]) == ("status", "done", "finished")


def test_tail_of_a_sample_says_what_it_left_out(ask: Ask, service: Served) -> None:
    job = service.run("seq", "3000")
    shown = ask("tail", job).stdout.splitlines()
    assert shown[0] == "1" and shown[-1] == "3000" and len(shown) < 1500
    assert any("left out" in line for line in shown)
    assert ask("tail", job, "--grep", "299").stdout.split() == [
        "299",
        "1299",
        "2299",
        *(str(n) for n in range(2990, 3000)),
    ]


def test_tail_follows_a_running_job_to_its_end(service: Served) -> None:
    job, runner = service.begin("sh", "-c", "echo one; read x; echo two", stdin=subprocess.PIPE)
    with spawn("tail", job, settings={"url": service.url}, stdout=subprocess.PIPE) as tail, runner:
        assert tail.stdout is not None and tail.stdout.readline() == b"one\n"
        runner.communicate(b"\n", timeout=30)
        assert tail.stdout.read() == b"two\n"
        assert tail.wait(30) == 0


def test_tail_and_wait_time_out_with_124(ask: Ask, service: Served) -> None:
    job, runner = service.begin("sleep", "60")
    try:
        for command in ("tail", "wait"):
            done = ask(command, job, "--timeout", "0.3")
            assert done.returncode == 124 and "timed out" in done.stderr
            assert done.stderr.count("\n") == 1
    finally:
        runner.terminate()
        runner.wait()


def test_cancel_and_wait(ask: Ask, service: Served) -> None:
    job, runner = service.begin("sleep", "60")
    assert "Cancel" in ask("cancel", job).stdout
    done = ask("wait", job)
    assert done.returncode == 1 and done.stdout.startswith("Canceled (cancelled by")
    assert runner.wait(30) == 143
    assert ask("cancel", job).stdout == "Canceled\n"


def test_wait_for_a_job_that_is_done(ask: Ask, service: Served) -> None:
    job = service.run("true")
    done = ask("wait", job)
    assert (done.returncode, done.stdout) == (0, "Done\n")
    assert json.loads(ask("wait", job, "--json").stdout)["job_status"] == "Done"


def test_exec_time_and_config(ask: Ask, failed: str) -> None:
    assert ask("exec-time", failed).stdout.startswith("0:00:0")
    assert json.loads(ask("exec-time", failed, "--json").stdout)["in_progress"] is False
    assert json.loads(ask("config", failed).stdout)["command"][:2] == ["sh", "-c"]
    assert len(json.loads(ask("config", failed, "--steps").stdout)["steps"]) == 1


def test_a_link_is_made_listed_used_and_revoked(ask: Ask, failed: str) -> None:
    link = ask("share", failed, "--expires", "1h", "--note", "for ada").stdout.strip()
    assert "/s/" in link
    (share,) = json.loads(ask("share", failed, "--list", "--json").stdout)
    shown = ask("share", failed, "--list").stdout
    assert share["id"] in shown and "for ada" in shown
    assert ask("share", failed, "--revoke", share["id"]).returncode == 0
    assert ask("share", failed, "--expires", "never").returncode == 2
    assert ask("share", failed, "--lines", "9-3").returncode == 2


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("status", "no-such-job"), 2, "there is no job 'no-such-job'"),
        (("tail", "no-such-job"), 2, "there is no job 'no-such-job'"),
        (("wait", "no-such-job"), 2, "there is no job 'no-such-job'"),
        (("status", "not an id"), 2, "is not a job id"),
        (("status", "http://127.0.0.1:1/elsewhere"), 2, "is not a link to a job"),
        (("logs", "x", "--level", "loud"), 2, "loud"),
        (("jobs", "-n", "none"), 2, "none"),
        (("status",), 2, "Missing argument"),
        (("no-such-command",), 2, "no-such-command"),
        (("status", "x", "--url", "ftp://x"), 2, "ftp://x"),
        (("status", "x", "--url", "http://127.0.0.1:1"), 69, "http://127.0.0.1:1"),
        (("tail", "x", "--url", "http://127.0.0.1:1"), 69, "http://127.0.0.1:1"),
        (("wait", "x", "--url", "http://127.0.0.1:1"), 69, "http://127.0.0.1:1"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(ask: Ask, arguments: tuple[str, ...], code: int, says: str) -> None:
    done = ask(*arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert says in done.stderr and "Traceback" not in done.stderr


def test_a_wrong_token_is_said_in_a_sentence(serve: Callable[..., Served]) -> None:
    served = serve(access_token="right-token-1234")
    for token in ("", "wrong"):
        done = jobtail("jobs", settings={"url": served.url, "token": token})
        assert done.returncode == 2 and "JOBTAIL_TOKEN" in done.stderr and done.stderr.count("\n") == 1
    assert jobtail("jobs", settings={"url": served.url, "token": "right-token-1234"}).returncode == 0
    assert jobtail("jobs", "--url", served.url, "--token", "right-token-1234").returncode == 0


def test_a_token_goes_to_no_other_service(service: Served, upstream: Upstream) -> None:
    # The scripted server stands for somebody else's: it notes what it is asked, and with what.
    link = upstream.url.replace("/server/v1", "") + "/jobs/job-1"
    done = jobtail("status", link, settings={"url": service.url, "token": "secret-token-1234"})
    assert done.returncode != 0
    assert "secret-token-1234" not in repr(upstream.asked) and len(upstream.asked) > 0


def test_ctrl_c_leaves_without_a_traceback(service: Served) -> None:
    job, runner = service.begin("sh", "-c", "echo one; sleep 60")
    try:
        with spawn("tail", job, settings={"url": service.url}, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as tail:
            assert tail.stdout is not None and tail.stdout.readline() == b"one\n"
            tail.send_signal(signal.SIGINT)
            _, err = tail.communicate(timeout=30)
        assert tail.returncode == 130 and err.strip() == b""
    finally:
        runner.terminate()
        runner.wait()


def test_a_reader_that_goes_away_hears_no_complaint(service: Served) -> None:
    job = service.run("seq", "200000")
    with spawn("logs", job, settings={"url": service.url}, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as logs:
        assert logs.stdout is not None and logs.stderr is not None
        logs.stdout.readline()
        logs.stdout.close()
        assert logs.stderr.read() == b""
        assert logs.wait(30) == 141


def test_colours_are_for_terminals_and_can_be_refused(service: Served, failed: str) -> None:
    assert "\x1b[" not in jobtail("logs", failed, settings={"url": service.url}).stdout
    shown = on_terminal(service, "logs", failed)
    assert "\x1b[31mERROR second\x1b[0m" in shown
    assert "\x1b[" not in on_terminal(service, "logs", failed, NO_COLOR="1")


def on_terminal(service: Served, *arguments: str, **variables: str) -> str:
    ours, its = os.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "webapp", *arguments], env=environment({"url": service.url}) | variables, stdout=its
    ) as command:
        os.close(its)
        shown = b""
        while True:
            try:
                data = os.read(ours, 65536)
            except OSError:
                break
            if not data:
                break
            shown += data
        assert command.wait(30) == 0
    os.close(ours)
    return shown.decode()


def test_a_long_wait_shows_how_it_goes(service: Served) -> None:
    job, runner = service.begin("sleep", "60", name="the long one")
    ours, its = os.openpty()
    try:
        with spawn("wait", job, settings={"url": service.url}, stdout=subprocess.PIPE, stderr=its) as wait:
            os.close(its)
            shown = b""

            def seen() -> bool:
                nonlocal shown
                shown += os.read(ours, 65536)
                return "the long one · Running · ".encode() in shown

            until(seen, "the status line")
            runner.terminate()
            assert wait.stdout is not None and wait.stdout.read().startswith(b"Canceled")
    finally:
        runner.terminate()
        runner.wait()
        os.close(ours)
