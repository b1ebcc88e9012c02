"""`webapp.run`: blocks of a program, and commands, as jobs of a service elsewhere."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ..served import Served, environment, until
from .reported import elsewhere, job_of, lines, messages, outbox, python, status

PROGRAM = """
import logging, sys, webapp
with webapp.run("block") as job:
    logging.getLogger().addHandler(webapp.Handler(job))
    print("printed")
    logging.error("it fell")
    logging.warning("odd")
    raise ValueError("no good")
"""


def test_a_block_of_python_is_a_job(service: Served, tmp_path: Path) -> None:
    done = python(PROGRAM, elsewhere(tmp_path, service.url))
    assert done.returncode == 1 and done.stdout == "printed\n" and "no good" in done.stderr
    job = job_of(done.stderr)
    found = {line["message"]: line["level"] for line in lines(service, job)}
    assert found["printed"] is None
    assert (found["ERROR root: it fell"], found["WARNING root: odd"]) == ("error", "warning")
    assert "ValueError: no good" in found
    told = status(service, job)
    assert (told["job_status"], told["detail"], told["job_name"]) == ("Failed", "ValueError: no good", "block")


@pytest.mark.parametrize(
    ("ends", "exits", "state", "code"),
    [
        ("pass", 0, "Done", 0),
        ("sys.exit(3)", 3, "Failed", 3),
        ("sys.exit(-1)", 255, "Failed", 255),
        ("sys.exit('why')", 1, "Failed", 1),
        ("raise KeyboardInterrupt", 130, "Canceled", 130),
        ("raise ValueError('x' * 5000)", 1, "Failed", 1),
    ],
)
def test_a_block_ends_as_it_would_and_so_does_its_job(
    service: Served, tmp_path: Path, ends: str, exits: int, state: str, code: int
) -> None:
    done = python(f"import sys, webapp\nwith webapp.run('b'):\n    {ends}", elsewhere(tmp_path, service.url))
    told = status(service, job_of(done.stderr))
    assert (told["job_status"], told["exit_code"]) == (state, code), done.stderr
    assert (128 - done.returncode if done.returncode < 0 else done.returncode) == exits


STREAMS = """
import contextlib, io, sys, threading, webapp
before = sys.stdout
with webapp.run("outer") as outer:
    assert (sys.stdout.encoding, sys.stdout.errors) == (before.encoding, before.errors)
    assert sys.stdout.fileno() == 1 and not sys.stdout.isatty()
    sys.stdout.reconfigure(line_buffering=True)
    sys.stdout.buffer.write(b"bytes \\xff\\n")
    sys.stdout.buffer.flush()
    sys.stdout.writelines(["one\\n", "two\\n"])
    try:
        sys.stdout.write(5)
    except TypeError:
        print("refused")
    with webapp.run("inner") as inner:
        print("both")
    with contextlib.redirect_stdout(io.StringIO()):
        print("nowhere")
    threads = [threading.Thread(target=lambda k=k: print(f"thread {k}\\n", end="")) for k in range(3)]
    for thread in threads:
        thread.start()
        thread.join()
    kept = sys.stdout
assert sys.stdout is before
print("late", file=kept)
outer.write(b"later\\n")
print(outer.id, inner.id)
"""


def test_standard_output_in_a_block_is_what_it_was(service: Served, tmp_path: Path) -> None:
    done = python(STREAMS, elsewhere(tmp_path, service.url), text=False)
    assert done.returncode == 0, done.stderr
    wanted = [b"bytes \xff", b"one", b"two", b"refused", b"both", b"thread 0", b"thread 1", b"thread 2"]
    *printed, late, ids = done.stdout.splitlines()
    assert printed == wanted and late == b"late"
    outer, inner = ids.decode().split()
    assert messages(service, outer) == [line.decode(errors="replace") for line in wanted]
    assert messages(service, inner) == ["both"]


FORKS = """
import logging, multiprocessing, os, sys, webapp
def child():
    logging.warning("of the child")
    print("child")
with webapp.run("forks") as job:
    logging.getLogger().addHandler(webapp.Handler(job))
    for _ in range(3):
        if os.fork() == 0:
            print("forked", flush=True)
            sys.exit(9)  # leaves the block, and ends nothing but this process
        os.wait()
    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    process.join()
    logging.warning("of the parent")
logging.warning("after the end")
"""


def test_a_fork_writes_to_the_screen_and_leaves_the_job_alone(service: Served, tmp_path: Path) -> None:
    done = python(FORKS, elsewhere(tmp_path, service.url))
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["forked"] * 3 + ["child"]
    job = job_of(done.stderr)
    assert [line["message"] for line in lines(service, job)] == ["WARNING root: of the parent"]
    assert status(service, job)["job_status"] == "Done"


LOGS = """
import logging, webapp
with webapp.run("logs") as job:
    handler = webapp.Handler(job, logging.INFO)
    handler.setFormatter(logging.Formatter("%(message)s"))
    log = logging.getLogger("a")
    log.setLevel(logging.DEBUG)
    log.addHandler(handler)
    log.debug("left out")
    log.info("plain")
    log.critical("two\\nlines")
    try:
        1 / 0
    except ZeroDivisionError:
        log.exception("divided")
    print("half", end="")
    log.log(25, "between")
    print(" a line")
    log.info("%d", "no number")
"""


def test_the_handler_keeps_levels_whatever_its_format(service: Served, tmp_path: Path) -> None:
    done = python(LOGS, elsewhere(tmp_path, service.url))
    assert done.returncode == 0 and "no number" in done.stderr  # logging says what is wrong, as ever
    found = lines(service, job_of(done.stderr))
    levels = [(line["message"], line["level"]) for line in found if line["stream"] == "stderr"]
    assert levels[:4] == [("plain", "info"), ("two", "error"), ("lines", "error"), ("divided", "error")]
    assert ("ZeroDivisionError: division by zero", "error") in levels and ("between", "info") in levels
    assert [line["message"] for line in found if line["stream"] == "stdout"] == ["half a line"]


def test_a_block_that_is_cancelled_from_the_page_says_who_did(service: Served, tmp_path: Path) -> None:
    code = """
import time, urllib.request, webapp
with webapp.run("b") as job:
    headers = {"Authorization": "Bearer sesame-0f6b1c7e9a5d4832"}
    for _ in range(100):
        try:
            urllib.request.urlopen(urllib.request.Request(f"%s/api/jobs/{job.id}/cancel", b"", headers))
            break
        except OSError:
            time.sleep(0.1)
    while job.cancel_asked is None:
        time.sleep(0.05)
    raise SystemExit(1)
"""
    done = python(code % service.url, elsewhere(tmp_path, service.url))
    told = status(service, job_of(done.stderr))
    assert done.returncode == 1 and told["job_status"] == "Canceled" and "access token" in told["detail"]


def test_ctrl_c_ends_the_wait_for_the_network_and_nothing_is_lost(service: Served, tmp_path: Path) -> None:
    service.process.send_signal(signal.SIGSTOP)
    code = "import sys, webapp\nwith webapp.run('b'):\n    print('x')\nprint('over')"
    settings = environment(elsewhere(tmp_path, service.url))
    runner = subprocess.Popen(
        [sys.executable, "-c", code], env=settings, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    until(lambda: any(b'"exit_code"' in path.read_bytes() for path in outbox(tmp_path) if path.suffix == ".json"))
    runner.send_signal(signal.SIGINT)
    out, err = runner.communicate(timeout=60)
    service.process.send_signal(signal.SIGCONT)
    assert b"over" not in out and b"KeyboardInterrupt" in err and b"jobtail push" in err, err


def test_a_command_is_run_from_python(service: Served, tmp_path: Path) -> None:
    code = "import sys, webapp; sys.exit(webapp.run(['sh', '-c', 'echo hi; exit 6'], name='six'))"
    done = python(code, elsewhere(tmp_path, service.url))
    assert (done.returncode, done.stdout) == (6, "hi\n")
    assert status(service, job_of(done.stderr))["exit_code"] == 6


COMMAND = """
import sys, webapp
child = '''
import time
try:
    print("ready", flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    time.sleep(1)
    print("tidied up", flush=True)
    raise SystemExit(4)
'''
webapp.run([sys.executable, "-c", child])
"""


def test_ctrl_c_reaches_a_command_that_python_runs_and_it_may_tidy_up(service: Served, tmp_path: Path) -> None:
    settings: dict[str, Any] = environment(elsewhere(tmp_path, service.url))
    runner = subprocess.Popen(
        [sys.executable, "-c", COMMAND], env=settings, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        start_new_session=True,
    )  # fmt: skip
    assert runner.stdout is not None
    assert runner.stdout.readline() == b"ready\n"
    os.killpg(runner.pid, signal.SIGINT)
    out, err = runner.communicate(timeout=60)
    assert out == b"tidied up\n" and b"KeyboardInterrupt" in err, err
    told = status(service, job_of(err.decode()))
    assert (told["job_status"], told["exit_code"], told["detail"]) == ("Canceled", 4, "cancelled by Ctrl-C")


def test_the_program_of_the_documentation_works(service: Served, tmp_path: Path) -> None:
    text = (Path(__file__).parent.parent.parent / "docs" / "python.md").read_text()
    (code,) = [part for part in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "webapp.run(" in part]
    code = code.replace("https://logs.example", service.url).replace('["make", "-j8"]', '["sh", "-c", "exit 5"]')
    done = python(code + "\nraise SystemExit(code)", elsewhere(tmp_path, service.url))
    assert (done.returncode, done.stdout) == (5, "epoch 1\n"), done.stderr
    assert messages(service, job_of(done.stderr)) == ["epoch 1"]
