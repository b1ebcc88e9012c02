"""A command behaves as it would without us: what it inherits, what reaches it, and what its caller sees."""

from __future__ import annotations

import errno
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from webapp.engine.order import arrange

from ..served import Served, environment, jobtail, spawn, until
from .kept import journal_of, lines, messages, newest

RUN = f"{sys.executable} -m webapp run --quiet --"


def shell(data_dir: Path, script: str, *, name: str = "bash", **how: object) -> subprocess.CompletedProcess[str]:
    """A shell's script, in which `$RUN` stands for `jobtail run`."""
    env = environment({"data_dir": data_dir, "port": 1}) | {"RUN": RUN}
    how = {"env": env, "capture_output": True, "text": True, "timeout": 60, **how}
    return subprocess.run([name, "-c", script], check=False, **how)  # type: ignore[call-overload, no-any-return]


# --- output that nobody takes


def test_a_reader_that_went_away_loses_no_line_of_the_log_and_shows_in_the_exit_code(data_dir: Path) -> None:
    waits = "while [ ! -e written ]; do sleep 0.02; done"
    script = f"$RUN sh -c 'seq 20000; touch written' | (read x; {waits}; echo $x); echo ${{PIPESTATUS[0]}}"
    assert shell(data_dir, script, cwd=data_dir.parent).stdout == "1\n141\n"
    job = newest(data_dir)
    assert job.state == "Failed" and job.exit_code == 141 and "SIGPIPE" in job.detail
    assert messages(data_dir) == [str(n + 1) for n in range(20_000)]
    with journal_of(data_dir, job.id) as journal:
        assert journal.state().complete


def test_a_command_in_front_of_head_ends_as_it_would(data_dir: Path) -> None:
    assert shell(data_dir, "$RUN seq 200000 | head -1; echo ${PIPESTATUS[0]}").stdout == "1\n141\n"
    *found, last = messages(data_dir)  # it may have been ended within a line
    assert found == [str(n + 1) for n in range(len(found))] and str(len(found) + 1).startswith(last)


def test_output_that_cannot_be_written_is_said_and_no_success(data_dir: Path) -> None:
    done = shell(data_dir, "$RUN sh -c 'seq 3; echo err >&2' >/dev/full")
    assert done.returncode == 1
    assert "standard output can't be written: " + os.strerror(errno.ENOSPC) in done.stderr and "err\n" in done.stderr
    job = newest(data_dir)
    assert (job.state, job.exit_code) == ("Failed", 1) and "No space left" in job.detail
    assert sorted(messages(data_dir)) == ["1", "2", "3", "err"]
    assert shell(data_dir, "$RUN sh -c 'echo out; exit 7' >/dev/full").returncode == 7
    assert shell(data_dir, "$RUN true >/dev/full").returncode == 0
    # Closed is no other: what the command writes there can't be written either.
    assert shell(data_dir, "$RUN echo out >&-").returncode == 1
    assert shell(data_dir, "$RUN true >&-").returncode == 0


# --- the order of two streams


@pytest.mark.parametrize(
    ("runs", "out", "err", "expected"),
    [
        ("oeoe", [b"1", b"2"], [b"a", b"b"], "1a2b"),
        ("eo", [b"1"], [b"a"], "a1"),
        ("o", [b"1", b"2"], [], "12"),
        ("oe", [b"1", b"2"], [b"a"], "12a"),
        ("oeoe", [b"1", b"2", b"3", b"4"], [b"a", b"b"], "12a34b"),
        ("oeo", [b"2"], [b"a"], "a2"),  # the first was read the last time
        ("e", [b"1"], [b"a"], "a1"),  # written after it was asked
        ("", [b"1"], [b"a"], "1a"),
        ("oe", [], [], ""),
    ],
)
def test_writes_are_put_in_the_order_in_which_they_were_told(
    runs: str, out: list[bytes], err: list[bytes], expected: str
) -> None:
    found = arrange(runs, {"o": out, "e": err})
    assert b"".join(data for _, data in found).decode() == expected
    assert sorted(b"".join(data for _, data in found)) == sorted(b"".join(out + err))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells the order of writes")
def test_alternating_writes_keep_their_order_however_late_they_are_read(data_dir: Path) -> None:
    code = "import os\nfor n in range(120): os.write(1 + n % 2, b'%d\\n' % n * (1 + n % 2))"
    jobtail("run", "--", sys.executable, "-c", code, settings={"data_dir": data_dir})
    expected = [str(n) for n in range(120) for _ in range(1 + n % 2)]
    assert [line["message"] for line in lines(data_dir)] == expected


# --- what it inherits


def test_open_files_are_the_commands_and_ours_no_more(data_dir: Path) -> None:
    done = shell(data_dir, "$RUN diff <(seq 3) <(seq 4); echo $?")
    assert done.stdout == "3a4\n> 4\n1\n"
    # Whoever reads what it closes sees the end, and whoever writes to it does too, though the command goes on.
    reads = "$RUN sh -c 'exec 9>&-; read x <go' 9>&1 >/dev/null | (cat; echo over; echo >go)"
    assert shell(data_dir, f"mkfifo go; {reads}", cwd=data_dir.parent).stdout == "over\n"
    writes = "(trap '' PIPE; while echo y; do :; done 2>/dev/null; echo >go) | $RUN sh -c 'exec <&-; read x <go'"
    assert shell(data_dir, writes, cwd=data_dir.parent).returncode == 0


def test_makes_jobserver_reaches_it(data_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text(f"all:\n\t+@{RUN} $(MAKE) -f inner all\n")
    (tmp_path / "inner").write_text("all: a b\na b:\n\t@echo $@\n")
    done = shell(data_dir, "make -j2 2>&1", cwd=tmp_path)
    assert {"a", "b"} <= set(done.stdout.split("\n")) and "warning" not in done.stdout and done.returncode == 0


SEEN = r"""
import os, signal, sys
print(os.getcwd(), oct(os.umask(0)), os.nice(0), sorted(n for n in os.environ if n.startswith(("LC_", "PY", "JOB"))))
status = open("/proc/self/status").read()
print([line for line in status.splitlines() if line.startswith(("SigBlk", "SigIgn", "SigCgt"))])
print(sorted(os.listdir("/proc/self/fd"))[:3])
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_its_surroundings_are_those_of_its_caller(data_dir: Path) -> None:
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": os.getcwd(), "JOBTAIL_DATA_DIR": str(data_dir), "RUN": RUN}
    script = f"umask 027; trap '' USR1 HUP; %s {sys.executable} -c '{SEEN}'"
    env["LC_ALL"] = ""
    bare = shell(data_dir, script % "", env=env).stdout
    ours = shell(data_dir, script % "$RUN", env=env).stdout
    assert ours.replace("'JOBTAIL_JOB_ID', ", "").replace(", 'JOBTAIL_JOB_ID'", "") == bare and "SigIgn" in bare


def test_a_closed_standard_input_is_closed(data_dir: Path) -> None:
    assert shell(data_dir, "$RUN sh -c 'read x; echo $?' <&- 2>/dev/null").stdout in ("1\n", "2\n")
    assert shell(data_dir, "$RUN sh -c '[ -e /proc/self/fd/0 ] || echo none' <&-").stdout in ("none\n", "")


def test_processes_that_it_leaves_behind_do_not_stay_as_zombies(data_dir: Path) -> None:
    script = "for n in 1 2 3; do (true &) ; done; echo ready; read x"
    with spawn(
        "run", "--quiet", "--", "sh", "-c", script, settings={"data_dir": data_dir},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as runner:  # fmt: skip
        assert runner.stdout is not None and runner.stdout.readline() == b"ready\n"
        children = Path(f"/proc/{runner.pid}/task/{runner.pid}/children")
        until(lambda: len(children.read_text().split()) == 1, "the orphans to be waited for")
        runner.communicate(b"\n", timeout=30)


# --- signals


def test_ctrl_c_is_pythons_keyboard_interrupt(data_dir: Path) -> None:
    code = (
        "import time\nprint('ready', flush=True)\n"
        "try: time.sleep(60)\nexcept KeyboardInterrupt: print('interrupted'); raise SystemExit(5)"
    )
    with spawn(
        "run", "--quiet", "--", sys.executable, "-c", code, settings={"data_dir": data_dir}, stdout=subprocess.PIPE
    ) as runner:
        assert runner.stdout is not None and runner.stdout.readline() == b"ready\n"
        runner.send_signal(signal.SIGINT)
        assert runner.communicate(timeout=30)[0] == b"interrupted\n"
    assert runner.returncode == 5
    assert (newest(data_dir).state, newest(data_dir).detail) == ("Canceled", "cancelled by Ctrl-C")


def test_what_ignores_one_signal_gets_the_next(data_dir: Path) -> None:
    script = "trap 'echo int' INT; trap 'echo term' TERM; echo ready; while :; do sleep 0.05; done"
    code = (
        "import sys; from webapp.engine.runner import Options, run; from webapp.settings import load_settings;"
        f"sys.exit(run(['sh', '-c', {script!r}], Options(grace=0.5), load_settings()))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], env=environment({"data_dir": data_dir}), stdout=subprocess.PIPE
    ) as runner:
        assert runner.stdout is not None and runner.stdout.readline() == b"ready\n"
        runner.send_signal(signal.SIGINT)
        assert runner.communicate(timeout=30)[0] == b"int\nterm\n"
    assert runner.returncode == 137


# --- starting in odd places


def test_a_folder_that_is_gone_does_not_keep_the_command_from_running(data_dir: Path, tmp_path: Path) -> None:
    done = shell(data_dir, "mkdir gone; cd gone; rmdir ../gone; $RUN echo ran", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "ran\n") and "Traceback" not in done.stderr
    assert messages(data_dir) == ["ran"]


@pytest.mark.parametrize("content", [b"NAME=caf\xe9\n", b"JOBTAIL_PORT=many\n", b"\0\0\n", b"= = =\nexport\n"])
def test_a_settings_file_that_is_anothers_does_not_keep_the_command_from_running(
    data_dir: Path, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / ".env").write_bytes(content)
    done = jobtail("run", "--", "echo", "ran", settings={"data_dir": data_dir}, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "ran\n") and "Traceback" not in done.stderr
    if b"caf" in content or b"PORT" in content:
        assert "jobtail: .env is left out: " in done.stderr


def test_a_settings_file_that_is_a_pipe_is_not_waited_for(data_dir: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ".env")
    done = jobtail("run", "--", "echo", "ran", settings={"data_dir": data_dir}, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "ran\n")
    assert "jobtail: .env is left out: it is a named pipe" in done.stderr


def test_an_option_that_is_none_is_named(data_dir: Path) -> None:
    done = jobtail("run", "--nmae", "x", "--", "true", settings={"data_dir": data_dir})
    assert done.returncode == 2 and "--nmae" in done.stderr and "--name" in done.stderr
    assert jobtail("run", "ls", "--version", settings={"data_dir": data_dir}).returncode == 0


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_job_cannot_read_the_services_credentials_of_its_runner(data_dir: Path) -> None:
    names = ("access_token", "upstream_token", "secret_key", "run_token", "metrics_token", "token", "database_url")
    secrets = {name: "" if name == "database_url" else "hunter2hunter2hunter2hunter2hunter2" for name in names}
    done = jobtail(
        "run", "--quiet", "--", "sh", "-c", "tr '\\0' '\\n' </proc/$PPID/environ; env",
        settings={"data_dir": data_dir, **secrets},
    )  # fmt: skip
    assert done.returncode == 0 and "hunter2" not in done.stdout + done.stderr
    assert "JOBTAIL_DATA_DIR=" in done.stdout


# --- the link


def test_a_link_says_when_something_else_answers_there(data_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:

        def answer() -> None:
            connection, _ = other.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi")

        threading.Thread(target=answer, daemon=True).start()
        port = other.getsockname()[1]
        done = jobtail("run", "--", "true", settings={"data_dir": data_dir, "port": port})
    assert f":{port}/jobs/" in done.stderr and "something else answers there" in done.stderr


def test_a_link_says_when_the_service_there_has_another_data_folder(data_dir: Path, tmp_path: Path) -> None:
    served = Served({"data_dir": data_dir}).start()
    try:
        said = jobtail("run", "--", "true", settings={"data_dir": data_dir, "port": served.port}).stderr
        assert said.endswith(newest(data_dir).id + "\n")
        said = jobtail("run", "--", "true", settings={"data_dir": tmp_path / "else", "port": served.port}).stderr
        assert "has another data folder" in said
        # A client's address is not ours.
        ours = {"data_dir": data_dir, "port": served.port, "url": "http://h"}
        said = jobtail("run", "--", "true", settings=ours).stderr
        assert f"http://127.0.0.1:{served.port}/jobs/" in said
    finally:
        served.stop()
