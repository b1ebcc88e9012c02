"""What one has at one's fingertips: which job is meant, which lines are shown, several jobs at once, how each ended."""

from __future__ import annotations

import json
import os
import re
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from webapp.cli.reader import KeepsUp
from webapp.journal.terminal import Screen

from ..client.fed import Fed
from ..served import Served, jobtail, spawn, until
from .terminal import Shown, obeyed, on_terminal

Ask = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def numbered(service: Served) -> str:
    script = "seq 1 50; echo 'ERROR at fifty' >&2; sleep 0.2; seq 51 100"
    return service.run("sh", "-c", script, name="numbered job")


def lines(done: subprocess.CompletedProcess[str]) -> list[str]:
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_job_is_meant_by_the_start_of_its_id_its_name_or_as_the_last(ask: Ask, service: Served) -> None:
    service.run("true")
    job = service.run("echo", "hello", name="the only one")
    for text in ("@last", job[:-3], "the only one", job, f"{service.url}/jobs/{job}", f"{service.url}/jobs/{job}#L1"):
        assert lines(ask("logs", text)) == ["hello"], text
    assert lines(ask("tail", "@last")) == ["hello"]
    done = ask("status", job[:2])
    assert done.returncode == 2 and "is not one job: it may be 20" in done.stderr and done.stderr.count("\n") == 1
    done = ask("status", "nobody's name")
    assert done.returncode == 2 and "not a job id and not a job's name" in done.stderr


def test_a_name_of_several_jobs_is_the_newest_but_nothing_is_changed_by_it(ask: Ask, service: Served) -> None:
    first, second = (service.run("echo", text, name="nightly") for text in ("one", "two"))
    done = ask("logs", "nightly")
    assert done.stdout == "two\n" and f"is the name of 2 jobs: this is the newest, {second}" in done.stderr
    for command in ("cancel", "share"):
        done = ask(command, "nightly")
        assert done.returncode == 2 and first in done.stderr and second in done.stderr
    assert ask("forget", "nightly", "--yes").returncode == 2


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (("-n", "2"), ["99", "100"]),
        (("--tail", "1"), ["100"]),
        (("--grep", "^[59]0$"), ["50", "90"]),
        (("--grep", "error"), ["ERROR at fifty"]),
        (("--grep", "eRROR"), []),
        (("--grep", "^.0$", "--exclude", "[1-6]", "-n", "2"), ["80", "90"]),
        (("--exclude", "[0-9]"), ["ERROR at fifty"]),
        (("--stream", "stderr"), ["ERROR at fifty"]),
        (("--grep", "^(20|22|90)$", "-C", "1"), ["19", "20", "21", "22", "23", "--", "89", "90", "91"]),
        (("--grep", "^(20|90)$", "-A", "1"), ["20", "21", "--", "90", "91"]),
        (("--grep", "^(20|90)$", "-B", "1"), ["19", "20", "--", "89", "90"]),
        (("--grep", "^(20|90)$", "-C", "1", "-n", "1"), ["89", "90", "91"]),
        (("--since", "1h", "--grep", "^7$"), ["7"]),
        (("--until", "1h"), []),
        (("--since", "@0", "--until", "2099-01-01", "-n", "1"), ["100"]),
    ],
)
def test_lines_are_chosen(ask: Ask, numbered: str, arguments: tuple[str, ...], shown: list[str]) -> None:
    assert lines(ask("logs", numbered, *arguments)) == shown
    if "--until" not in arguments:
        assert lines(ask("logs", numbered, "-f", *arguments)) == shown
        assert lines(ask("tail", numbered, "--no-sample-logs", *arguments)) == shown


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--grep", "("), "--grep"),
        (("--exclude", "*"), "--exclude"),
        (("--since", "yesterday"), "is not a moment"),
        (("--since", "1h", "--since-ms", "5"), "give one of them"),
        (("--stream", "stdin"), "stdin"),
        (("-n", "-1"), "-1"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_asked(ask: Ask, arguments: tuple[str, ...], says: str) -> None:
    for command in ("logs", "tail"):
        done = ask(command, "x", *arguments, "--url", "http://127.0.0.1:1")
        assert (done.returncode, done.stdout) == (2, "") and says in done.stderr


def test_what_comes_is_followed_through_the_same_choice(service: Served, tmp_path: Path) -> None:
    job = Fed(service, tmp_path)
    job.say("keep 1", "drop", "keep 2")
    arguments = ("logs", job.id, "-f", "--grep", "keep [0-9]", "-n", "1")
    with spawn(*arguments, settings={"url": service.url}, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as logs:
        assert logs.stdout is not None and logs.stdout.readline() == b"keep 2\n"
        job.say("drop", "keep 3")
        assert logs.stdout.readline() == b"keep 3\n"
        job.end()
        rest, told = logs.communicate(timeout=30)
    assert rest == b"" and logs.returncode == 0 and told.startswith(b"jobtail: done, after ")


def test_several_jobs_are_followed_at_once(service: Served, ask: Ask, tmp_path: Path) -> None:
    first, second = Fed(service, tmp_path, "first"), Fed(service, tmp_path, "second one")
    with spawn(
        "tail", first.id, second.id[:-1], settings={"url": service.url}, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as tail:
        assert tail.stdout is not None
        first.say("a")
        assert tail.stdout.readline() == b"first      | a\n"
        second.say("b", "c")
        assert [tail.stdout.readline() for _ in range(2)] == [b"second one | b\n", b"second one | c\n"]
        first.end()
        second.runner.terminate()
        second.runner.wait(20)
        _, told = tail.communicate(timeout=30)
    second.end()
    assert tail.returncode == 1
    assert re.search(r"jobtail: first +done, after ", told.decode()) and "second one canceled: " in told.decode()
    done = ask("tail", first.id, "no-such-job")
    assert done.returncode == 2 and "no-such-job" in done.stderr
    found = [json.loads(line) for line in ask("tail", first.id, second.id, "--json").stdout.splitlines()]
    assert {line["job"] for line in found if "message" in line} == {first.id, second.id}


def test_ctrl_c_leaves_several_without_a_traceback(service: Served, tmp_path: Path) -> None:
    jobs = [Fed(service, tmp_path) for _ in range(2)]
    arguments = ("tail", *(job.id for job in jobs))
    with spawn(*arguments, settings={"url": service.url}, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as tail:
        for job in jobs:
            job.say("x")
        assert tail.stdout is not None
        for _ in jobs:
            tail.stdout.readline()
        tail.send_signal(signal.SIGINT)
        _, told = tail.communicate(timeout=30)
        assert told.strip() == b"" and tail.returncode == 130
    for job in jobs:
        job.end()


def test_the_end_is_told_in_a_line_with_its_reason(service: Served, failed: str) -> None:
    code, shown = on_terminal("tail", failed, settings={"url": service.url})
    last = re.sub(r"\x1b\[[0-9;]*m", "", shown).splitlines()[-1]
    assert code == 1 and re.fullmatch(r"jobtail: failed: exit code 3, after [0-9.]+ m?s", last)
    job = service.run("true")
    assert "jobtail: done" in jobtail("tail", job, settings={"url": service.url}).stderr


def test_a_terminal_that_keeps_up_gets_everything(service: Served) -> None:
    job = service.run("seq", "3000")
    _, shown = on_terminal("tail", job, settings={"url": service.url})
    assert shown.split()[:3000] == [str(n) for n in range(1, 3001)]
    _, shown = on_terminal("tail", job, "--sample-logs", settings={"url": service.url})
    assert "left out" in shown


def test_a_terminal_that_does_not_keep_up_is_known_by_its_work() -> None:
    slow, fast = KeepsUp(), KeepsUp()
    assert [slow.took(0.9, now) for now in range(1, 9)] == [True] * 5 + [False] * 3
    assert all(fast.took(0.9 if now % 2 else 0.0, now) for now in range(1, 60))


def test_redrawn_lines_are_shown_as_they_end(service: Served) -> None:
    bar = r"printf ' 10%%\r 50%%\r100%%\n'; printf 'a: wait\nb: wait\n\033[2Aa: done\n\033[1B'; echo after"
    job = service.run("sh", "-c", bar)
    for command in ("logs", "tail"):
        _, shown = on_terminal(command, job, settings={"url": service.url}, variables={"NO_COLOR": "1"})
        rows = [row for row in shown.splitlines() if not row.startswith("jobtail:")]
        assert rows == ["100%", "a: done", "b: wait", "after"], command
        assert obeyed(shown) == ""


def rows_of(shown: str) -> list[str]:
    """What stands on the terminal in the end."""
    screen = Screen()
    lines = shown.removesuffix("\r\n").split("\n")
    items = [item for number, line in enumerate(lines, 1) for item in screen.feed(number, line)] + screen.items
    return [row.rstrip() for item in items for row in item.text.split("\n")]


def test_what_a_command_has_written_after_its_last_newline_stands_until_its_line_comes(
    service: Served, tmp_path: Path
) -> None:
    job = Fed(service, tmp_path)
    job.say("first")
    tail = Shown("tail", job.id, settings={"url": service.url})
    for state in ("epoch 1:  10%", "\repoch 1:  41%", "\repoch 1:  99% \x1b]0;title\x07" + "=" * 300):
        job.begin_line(state)
        tail.until(state.strip().split(" \x1b")[0])
    job.begin_line("\r\x1b[KContinue? ")
    tail.until("Continue?")
    job.say("yes")
    job.end()
    code, shown = tail.end()
    assert code == 0 and rows_of(shown)[:-1] == ["first", "Continue? yes"]
    assert "99% " + "=" * 60 in shown and "=" * 80 not in shown.split("Continue?")[0], "cut at the terminal's width"
    assert obeyed(shown) == ""


def test_what_stands_at_the_foot_is_gone_after_ctrl_c_and_is_in_no_pipe(service: Served, tmp_path: Path) -> None:
    job = Fed(service, tmp_path)
    job.say("first")
    job.begin_line("half of a line")
    tail = Shown("tail", job.id, settings={"url": service.url})
    tail.until("half of a line")
    tail.interrupt()
    _, shown = tail.end()
    assert "half" not in "\n".join(rows_of(shown))
    job.say(", and the rest")
    job.end()
    piped = jobtail("tail", job.id, "--quiet", settings={"url": service.url}).stdout
    assert piped == "first\nhalf of a line, and the rest\n"


def test_jobs_are_chosen_and_say_how_long_they_took(ask: Ask, service: Served, failed: str) -> None:
    shown = lines(ask("jobs", "--status", "failed"))
    assert re.search(rf"^{failed}  Failed .*  [0-9.]+ m?s +three lines$", "\n".join(shown[1:]), re.MULTILINE)
    assert all("Failed" in line for line in shown[1:])
    assert lines(ask("jobs", "--name", "THREE LIN"))[1].startswith(failed)
    assert ask("jobs", "--status", "running").stderr == "jobtail: no such job\n"
    done = ask("jobs", "--status", "odd")
    assert done.returncode == 2 and "it takes running, pending" in done.stderr
    assert re.search(r"^took +[0-9.]+ m?s$", ask("status", failed).stdout, re.MULTILINE)


def test_a_list_is_watched(service: Served, tmp_path: Path) -> None:
    job = Fed(service, tmp_path, "watched")
    arguments = ("jobs", "--status", "running", "--name", "watched", "--watch", "--every", "0.2", "--json")
    with spawn(*arguments, settings={"url": service.url}, stdout=subprocess.PIPE) as watch:
        assert watch.stdout is not None
        assert [row["id"] for row in json.loads(watch.stdout.readline())["jobs"]] == [job.id]
        job.end()
        assert json.loads(watch.stdout.readline())["jobs"] == []
        watch.send_signal(signal.SIGINT)
        assert watch.wait(20) == 130


def test_a_log_is_searched(ask: Ask, numbered: str) -> None:
    assert lines(ask("search", numbered, "9", "-n", "2")) == ["9: 9", "19: 19"]
    assert lines(ask("search", numbered, "--regex", "^9[0-2]$")) == ["91: 90", "92: 91", "93: 92"]
    assert lines(ask("search", numbered, "--level", "error", "")) == ["51: ERROR at fifty"]
    assert lines(ask("search", numbered, "--count", "9")) == ["19"]
    assert json.loads(ask("search", numbered, "--count", "9", "--json").stdout) == {"count": 19}
    assert json.loads(ask("search", numbered, "fifty", "--json").stdout)["line"] == 51
    assert ask("search", numbered, "--regex", "(").returncode == 2


def test_a_log_is_thrown_away_when_one_says_so(ask: Ask, service: Served) -> None:
    job = service.run("echo", "secret")
    code, shown = on_terminal("forget", job, settings={"url": service.url}, keys=b"n\n")
    assert code == 130 and "Throw all lines of" in shown
    assert lines(ask("logs", job)) == ["secret"]
    assert lines(ask("forget", job, "--yes")) == ["forgotten"]
    assert "secret" not in ask("logs", job).stdout


def test_a_page_is_opened(ask: Ask, service: Served, failed: str, tmp_path: Path) -> None:
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/opened\n')
    browser.chmod(browser.stat().st_mode | stat.S_IEXEC)
    env = os.environ | {"JOBTAIL_URL": service.url, "BROWSER": f"{browser} %s"}
    done = jobtail("open", failed, env=env)
    assert done.stdout == f"{service.url}/jobs/{failed}\n"
    until((tmp_path / "opened").exists, "the browser")
    assert ask("open", "no-such-job").returncode == 2


@pytest.mark.parametrize("locale", ["C", "en_US.ISO-8859-1", "POSIX"])
def test_a_narrow_locale_stops_no_command(ask: Ask, service: Served, locale: str) -> None:
    job = service.run("sh", "-c", "echo 'snow ☃ in Zürich'", name="☃ job")
    env = os.environ | {"JOBTAIL_URL": service.url, "LC_ALL": locale, "PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"}
    for arguments in (
        ("jobs",),
        ("status", job),
        ("logs", job),
        ("tail", job),
        ("config", job),
        ("logs", job, "--json"),
    ):
        done = jobtail(*arguments, env=env, text=False)
        assert done.returncode == 0 and b"Traceback" not in done.stderr, done.stderr
        assert b"\\u2603" in done.stdout
    assert json.loads(jobtail("status", job, "--json", env=env, encoding="latin-1").stdout)["job_name"] == "☃ job"


@pytest.mark.parametrize(
    ("redirected", "code", "says"),
    [
        (">&-", 0, b""),
        ("2>&-", 0, b""),
        ("<&- >&- 2>&-", 0, b""),
        ("> /dev/full", 74, b"jobtail: what was printed could not be written: No space left on device\n"),
        ("> /dev/full 2>&1", 74, b""),
        ("| true", 0, b""),
    ],
)
def test_an_output_that_takes_nothing_is_met_with_a_sentence(
    service: Served, numbered: str, redirected: str, code: int, says: bytes
) -> None:
    if "full" in redirected and not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here")
    env = os.environ | {"JOBTAIL_URL": service.url, "JOB": numbered}
    for command in ("jobs", "status $JOB", "logs $JOB", "logs $JOB --json", "config $JOB", "search $JOB 1"):
        script = f"{sys.executable} -m webapp {command} {redirected}"
        done = subprocess.run(["sh", "-c", script], env=env, capture_output=True, timeout=60)
        assert (done.returncode, done.stderr) == (code, says), command
