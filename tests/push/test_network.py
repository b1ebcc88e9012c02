"""Jobs elsewhere over networks and to services that misbehave: nothing is lost, and the command notices nothing."""

from __future__ import annotations

import hashlib
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from .. import upstream as scripted
from ..engine.test_terminal import terminal
from ..served import Served, jobtail, until
from .reported import ACCESS, OWNER, RUN, begin, check, count, elsewhere, job_of, lines, messages, outbox, status
from .weather import Weather


@pytest.mark.timeout(300)
def test_a_wild_network_and_a_service_that_dies_twice_lose_and_double_nothing(service: Served, tmp_path: Path) -> None:
    seed = random.randrange(1 << 32)
    print("seed", seed)
    with Weather(service.port, seed=seed, cut=(2000, 20_000), delay=0.05, rate=300_000) as weather:
        job, runner = begin(tmp_path, weather.url, *count(400, pause=0.005, code=3))
        for least in (20, 300):
            until(lambda least=least: len(lines(service, job)) > least, seconds=60)  # type: ignore[misc]
            service.kill()
            service.start()
        assert runner.stderr is not None
        runner.stderr.read()
        assert runner.wait(60) == 3 and weather.cuts > 0
        if outbox(tmp_path):  # it was never lucky for as long as it lingers
            jobtail("push", settings=elsewhere(tmp_path, weather.url))
    check(service, job, 400)
    assert status(service, job)["exit_code"] == 3


def test_a_lot_of_output_passes_a_slow_line_whole(service: Served, tmp_path: Path) -> None:
    """The command is over long before its lines are there: it does not wait for the network."""
    code = "import random; r = random.Random(7)\nfor n in range(150_000): print(n, r.getrandbits(200))"
    wanted = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
    with Weather(service.port, seed=1, rate=1_500_000) as weather:
        settings = elsewhere(tmp_path, weather.url)
        done = jobtail("run", "--linger", "0", "--", sys.executable, "-c", code, settings=settings)
        assert hashlib.sha256(done.stdout.encode()).digest() == hashlib.sha256(wanted).digest()
        assert "lines stay in" in done.stderr, done.stderr
        pushed = jobtail("push", settings=settings, timeout=120)
        assert pushed.returncode == 0, pushed.stderr
    job = job_of(done.stderr)
    arrived = "\n".join(messages(service, job)) + "\n"
    assert hashlib.sha256(arrived.encode()).digest() == hashlib.sha256(wanted).digest()
    assert not outbox(tmp_path)


SLEEPER = """
import signal, sys, time
def ended(number, frame):
    print("got", number, flush=True)
    sys.exit(number)
for number in (signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, ended)
print("ready", flush=True)
try:
    time.sleep(60)
except KeyboardInterrupt:
    print("interrupted", flush=True)
    sys.exit(9)
"""
ENDS = {
    "SIGINT": (signal.SIGINT, 9, "interrupted", "Canceled", "cancelled by Ctrl-C"),
    "SIGTERM": (signal.SIGTERM, 15, "got 15", "Canceled", "cancelled by SIGTERM"),
    "SIGHUP": (signal.SIGHUP, 1, "got 1", "Canceled", "cancelled by SIGHUP"),
    "timeout": (None, 124, "got 15", "Failed", "timed out after 3 s"),
}


@pytest.mark.parametrize("there", [True, False])
def test_signals_and_timeouts_end_it_as_they_do_here_whether_the_service_answers_or_not(
    service: Served, tmp_path: Path, there: bool
) -> None:
    if not there:
        service.process.send_signal(signal.SIGSTOP)
    runners = {
        name: begin(
            tmp_path, service.url, sys.executable, "-c", SLEEPER, stdout=subprocess.PIPE, start_new_session=True,
            options=(*(("--timeout", "3") if number is None else ()), "--linger", "60" if there else "0"),
        )
        for name, (number, *_) in ENDS.items()
    }  # fmt: skip
    for name, (number, code, last, _, _) in ENDS.items():
        runner = runners[name][1]
        assert runner.stdout is not None
        assert runner.stdout.readline() == b"ready\n"
        if number is not None:
            runner.send_signal(number)
        out, err = runner.communicate(timeout=60)
        assert (runner.returncode, out.decode().split("\n")[0]) == (code, last), (name, err)
    if not there:
        service.process.send_signal(signal.SIGCONT)
        assert jobtail("push", settings=elsewhere(tmp_path, service.url)).returncode == 0
    for name, (number, code, last, state, detail) in ENDS.items():
        job = runners[name][0]
        told = status(service, job)
        assert (told["job_status"], told["detail"]) == (state, detail), name
        assert told["exit_code"] == (15 if number is None else code) and messages(service, job) == ["ready", last]


def test_a_command_with_a_terminal_is_reported_too(service: Served, tmp_path: Path) -> None:
    done = jobtail(
        "run", "--tty", "--", "sh", "-c", "test -t 1 && echo yes; printf 'no newline'; exit 5",
        settings=elsewhere(tmp_path, service.url),
    )  # fmt: skip
    assert done.returncode == 5 and messages(service, job_of(done.stderr)) == ["yes", "no newline"]


def test_keys_reach_a_command_with_a_terminal_and_its_service_learns_how_it_ended(
    service: Served, tmp_path: Path
) -> None:
    command = ("sh", "-c", "echo ready; exec sleep 60")
    with terminal(tmp_path / "elsewhere", "--tty", "--", *command, token=RUN, run_to=service.url) as screen:
        screen.expect("ready")
        screen.type("\x03")
        assert screen.exit_code() == 130
    told = status(service, job_of(screen.shown))
    assert (told["job_status"], told["detail"], told["exit_code"]) == ("Canceled", "cancelled by Ctrl-C", 130)


def test_a_job_that_was_taken_over_elsewhere_is_not_written_any_more(service: Served, tmp_path: Path) -> None:
    """Two runners with one id: the later one replaces the first, which says so and runs its command to the end."""
    job, runner = begin(
        tmp_path, service.url, "sh", "-c", "echo one; read x; seq 2000; read x; exit 6", stdin=subprocess.PIPE
    )
    until(lambda: messages(service, job) == ["one"])
    letter = orjson.loads((tmp_path / "elsewhere" / "outbox" / job / "job.json").read_bytes())
    there = tmp_path / "another" / "outbox" / job  # a copy of its folder, as a snapshot of a virtual machine holds it
    there.mkdir(parents=True)
    (there / "job.json").write_bytes(orjson.dumps(letter))
    assert jobtail("push", settings={"data_dir": tmp_path / "another", "token": RUN}).returncode == 0
    _, err = runner.communicate(b"\n\n", timeout=60)
    assert runner.returncode == 6
    assert err.decode().count("refuses it") == 1 and "is over" in err.decode(), err
    assert messages(service, job) == ["one"] and status(service, job)["detail"] == "its runner was lost"
    # Its grant, were it stolen, opens nothing else.
    stolen = {"Authorization": f"Bearer {letter['grant']}", "Producer-Id": letter["producer"], "Producer-Epoch": "9"}
    for method, path in (("GET", f"/api/jobs/{job}"), ("GET", "/api/jobs"), ("PUT", "/api/jobs/mine"),
                         ("POST", "/api/jobs/mine/lines"), ("POST", f"/api/jobs/{job}/cancel")):  # fmt: skip
        answer = httpx.request(method, service.url + path, headers=stolen, json={}, trust_env=False)
        assert answer.status_code == 403, (method, path, answer.text)


def test_a_job_is_alive_while_its_rest_waits_and_a_quota_is_obeyed(tmp_path: Path) -> None:
    served = Served(
        {"data_dir": tmp_path / "service", "access_token": ACCESS, "run_token": RUN, "run_lines_a_minute": 200}
    )
    served.data_dir.mkdir()
    served.start()
    # What it writes last has to wait for some ten seconds, and the command is over long before.
    job, runner = begin(tmp_path, served.url, "sh", "-c", "seq 235; sleep 1; seq 236 240")
    until(lambda: "/lines status=429" in served.output)
    before = served.output.count("/heartbeat status=200")
    assert runner.wait(60) == 0
    assert served.output.count("/heartbeat status=200") > before + 2  # though nothing could be sent
    assert messages(served, job) == [str(n) for n in range(1, 241)]
    assert served.output.count("/lines status=429") < 3, served.output
    served.stop()


@pytest.fixture
def upstream() -> Iterator[scripted.Upstream]:
    with scripted.upstream() as server:
        yield server


def test_jobs_of_an_upstream_and_of_other_machines_are_one_service(tmp_path: Path, upstream: scripted.Upstream) -> None:
    theirs = upstream.job("theirs")
    theirs.lines(1, 3, scripted.now_ms())
    served = Served(
        {"data_dir": tmp_path / "service", "access_token": ACCESS, "run_token": RUN, "upstream_url": upstream.url}
    )
    served.data_dir.mkdir()
    served.start()
    job, runner = begin(tmp_path, served.url, "sh", "-c", "echo mine; sleep 60")
    until(lambda: messages(served, job) == ["mine"])
    listed = [each["id"] for each in served.get("/api/jobs", headers=OWNER).json()["jobs"]]
    assert sorted(listed) == sorted([job, "theirs"])
    assert len(until(lambda: served.get("/api/jobs/theirs/logs", headers=OWNER).json())) == 3
    for each in (job, "theirs"):
        assert served.get(f"/jobs/{each}", headers=OWNER).status_code == 200
    assert served.post(f"/api/jobs/{job}/cancel", headers=OWNER).status_code == 202
    assert runner.wait(60) == 128 + signal.SIGTERM
    assert status(served, job)["job_status"] == "Canceled"
    assert not [asked for asked in upstream.requests if job in str(asked)]
    headers = {"Authorization": f"Bearer {RUN}", "Producer-Id": "p", "Producer-Epoch": "0"}
    taken: Any = httpx.put(f"{served.url}/api/jobs/theirs", headers=headers, json={}, trust_env=False)
    assert taken.status_code == 409
    served.stop()
