"""`jobtail run` with real commands: what it passes on, what it keeps, what it exits with."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from webapp.engine.backlog import Backlog, backlog_path
from webapp.journal.text import text

from ..served import Served, environment, jobtail, spawn, until
from ..sse import EventStream, lines_of
from .kept import catalog_of, journal_of, lines, messages, newest

PYTHON = sys.executable


def run(data_dir: Path, *command: str, options: tuple[str, ...] = (), **how: object) -> subprocess.CompletedProcess:  # type: ignore[type-arg]
    settings = {"data_dir": data_dir, "port": 1, **how.pop("settings", {})}  # type: ignore[dict-item]
    return jobtail("run", *options, "--", *command, settings=settings, **how)


def python(code: str) -> tuple[str, ...]:
    return PYTHON, "-c", code


def test_output_and_exit_code_are_the_commands_own(data_dir: Path) -> None:
    done = run(data_dir, "sh", "-c", "echo out; echo err >&2; exit 3")
    assert (done.returncode, done.stdout) == (3, "out\n")
    link, *rest = done.stderr.splitlines()
    assert rest == ["err"]
    job = newest(data_dir)
    assert link == f"jobtail: http://127.0.0.1:1/jobs/{job.id}  (start jobtail serve to see it)"
    assert (job.state, job.exit_code, job.detail) == ("Failed", 3, "exit code 3")
    assert {(line["message"], line["stream"]) for line in lines(data_dir)} == {("out", "stdout"), ("err", "stderr")}


def test_a_command_that_succeeds_is_done_and_its_log_whole(data_dir: Path) -> None:
    assert run(data_dir, "echo", "hi").returncode == 0
    job = newest(data_dir)
    assert (job.state, job.exit_code, job.name) == ("Done", 0, "echo hi")
    with journal_of(data_dir, job.id) as journal:
        state = journal.state()
    assert state.finished and state.complete and state.status is not None
    assert state.status["job_status"] == "Done" and state.status["exit_code"] == 0


def test_quiet_says_nothing_of_its_own(data_dir: Path) -> None:
    done = run(data_dir, "sh", "-c", "echo err >&2", options=("--quiet", "--name", "mine"))
    assert done.stderr == "err\n"
    assert newest(data_dir).name == "mine"


def test_the_link_has_the_base_that_was_set(data_dir: Path) -> None:
    done = run(data_dir, "true", settings={"public_url": "http://127.0.0.1:2/logs"})
    assert done.stderr.startswith("jobtail: http://127.0.0.1:2/logs/jobs/")


# Each line waits until the one before it was read, so that there is one right order.
TURNS = """
import fcntl, os, struct, termios, time
def put(fd, text):
    os.write(fd, text)
    while struct.unpack("i", fcntl.ioctl(fd, termios.FIONREAD, b"0000"))[0]:
        time.sleep(0.001)
for n in range(200):
    put(1 + n % 2, b"%d\\n" % n)
"""


def test_lines_of_both_streams_keep_their_order(data_dir: Path) -> None:
    run(data_dir, *python(TURNS))
    found = lines(data_dir)
    assert [line["message"] for line in found] == [str(n) for n in range(200)]
    assert [line["stream"] for line in found] == ["stdout", "stderr"] * 100
    assert [line["line"] for line in found] == list(range(1, 201))
    times = [line["timestamp"] for line in found]
    assert times == sorted(times)


def test_many_lines_come_through_complete_and_in_order(data_dir: Path) -> None:
    done = run(data_dir, "seq", "200000")
    assert done.stdout.split() == [str(n) for n in range(1, 200_001)]
    assert messages(data_dir) == [str(n) for n in range(1, 200_001)]


def test_binary_output_passes_unchanged_and_is_kept_as_text(data_dir: Path) -> None:
    code = "import os; [os.write(1, bytes(range(256))) for _ in range(300)]"
    done = run(data_dir, *python(code), text=False)
    assert done.stdout == bytes(range(256)) * 300
    found = messages(data_dir)
    assert len(found) == 301 and "\ufffd" in found[1] and "\x00" in found[1]


def test_a_line_of_ten_megabytes_is_one_line(data_dir: Path) -> None:
    code = "print('x' * 10_000_000); print('next')"
    assert len(run(data_dir, *python(code)).stdout) == 10_000_006
    first, second = messages(data_dir)
    assert (len(first), second) == (10_000_000, "next")


def test_a_line_without_an_end_is_cut_into_marked_pieces(data_dir: Path) -> None:
    code = "import sys; [sys.stdout.write('y' * 1_000_000) for _ in range(20)]"
    assert len(run(data_dir, *python(code)).stdout) == 20_000_000
    found = lines(data_dir)
    assert [(len(line["message"]), line.get("split")) for line in found] == [
        (16 << 20, True),
        (20_000_000 - (16 << 20), None),
    ]


def test_a_progress_bar_is_one_line_and_the_end_needs_no_newline(data_dir: Path) -> None:
    run(data_dir, "printf", r" 10%%\r 50%%\r100%%\n  done, no newline")
    assert messages(data_dir) == [" 10%\r 50%\r100%", "  done, no newline"]


def test_standard_input_goes_to_the_command(data_dir: Path) -> None:
    assert run(data_dir, "sort", input="b\na\n").stdout == "a\nb\n"


@pytest.mark.parametrize(
    ("command", "code", "says"),
    [
        ("no-such-command", 127, "no-such-command: command not found"),
        ("./no/such/file", 127, "./no/such/file: command not found"),
        ("", 127, "'': command not found"),
        ("/dev/null", 126, "/dev/null: permission denied"),
        ("/", 126, "/: permission denied"),
    ],
)
def test_a_command_that_cannot_start_is_a_failed_job_that_says_why(
    data_dir: Path, command: str, code: int, says: str
) -> None:
    done = run(data_dir, command)
    assert done.returncode == code and f"jobtail: {says}" in done.stderr
    job = newest(data_dir)
    assert (job.state, job.exit_code, job.detail) == ("Failed", code, says)
    assert messages(data_dir) == [f"jobtail: {says}"]


def test_a_script_whose_interpreter_is_missing_says_so(data_dir: Path, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("#!/no/such/interpreter\n")
    script.chmod(0o755)
    done = run(data_dir, str(script))
    assert done.returncode == 127 and "its interpreter was not found" in done.stderr


def test_a_script_that_names_no_interpreter_is_one_of_the_shell(data_dir: Path, tmp_path: Path) -> None:
    plain = tmp_path / "script"
    plain.write_text("echo plain $1\n")
    plain.chmod(0o755)
    assert run(data_dir, str(plain), "arg").stdout == "plain arg\n"
    plain.write_bytes(b"\x7fNOT\0A\0PROGRAM")
    done = run(data_dir, str(plain))
    assert done.returncode == 126 and "Exec format error" in done.stderr


def test_a_command_killed_by_a_signal_exits_as_a_shell_would(data_dir: Path) -> None:
    assert run(data_dir, "sh", "-c", "kill -9 $$").returncode == 137
    job = newest(data_dir)
    assert (job.state, job.exit_code, job.detail) == ("Failed", 137, "killed by SIGKILL")


def test_time_that_is_up_ends_it_with_124(data_dir: Path) -> None:
    done = run(data_dir, "sleep", "60", options=("--timeout", "0.3"))
    assert done.returncode == 124
    job = newest(data_dir)
    assert (job.state, job.exit_code, job.detail) == ("Failed", 143, "timed out after 0.3 s")


def test_a_reader_that_goes_away_ends_it_as_it_would_the_command(data_dir: Path) -> None:
    with spawn(
        "run", "--", "yes", settings={"data_dir": data_dir}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as runner:
        assert runner.stdout is not None
        assert runner.stdout.readline() == b"y\n"
        runner.stdout.close()
        assert runner.wait(30) == 141
    assert newest(data_dir).detail == "killed by SIGPIPE"


def test_a_slow_reader_of_one_stream_does_not_hold_up_the_other(data_dir: Path) -> None:
    code = "import os\nfor n in range(40): os.write(2, b'e' * 9999 + b'\\n')\nos.write(1, b'over\\n')"
    with spawn(
        "run", "--", *python(code), settings={"data_dir": data_dir}, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as runner:
        assert runner.stdout is not None and runner.stderr is not None
        # 400 kB of errors are in nobody's hands; what comes out all the same has passed them.
        assert runner.stdout.readline() == b"over\n"
        assert len(runner.stderr.read().split(b"jobs/", 1)[1]) > 400_000
        assert runner.wait(30) == 0
    assert len(messages(data_dir, "stderr")) == 40


def test_processes_left_behind_do_not_hold_it_for_ever(data_dir: Path) -> None:
    done = run(data_dir, "sh", "-c", "sleep 50 & echo started; exit 4", timeout=40)
    assert (done.returncode, done.stdout) == (4, "started\n")


def test_output_of_a_filter_that_outlives_the_command_is_kept(data_dir: Path) -> None:
    done = run(data_dir, "sh", "-c", "(sleep 0.5; echo last) & exit 0")
    assert done.stdout == "last\n" and messages(data_dir) == ["last"]


def test_the_command_sees_its_job_and_none_of_our_secrets(data_dir: Path) -> None:
    secrets = dict.fromkeys(("access_token", "upstream_token", "secret_key", "token"), "hunter2hunter2")
    done = run(data_dir, "env", settings=secrets)
    assert f"JOBTAIL_JOB_ID={newest(data_dir).id}" in done.stdout.splitlines()
    assert "hunter2" not in done.stdout


def test_secrets_of_the_command_line_are_not_kept(data_dir: Path) -> None:
    run(data_dir, "echo", "password=hunter2hunter2", "--header", "Authorization: Bearer abcdefgh12345678")
    job = newest(data_dir)
    assert "hunter2" not in job.name + str(job.command) and "abcdefgh" not in job.name + str(job.command)
    assert messages(data_dir) == ["password=*** --header Authorization: Bearer ***"]


def test_closed_streams_stand_for_nothing(data_dir: Path) -> None:
    script = f"exec {PYTHON} -m webapp run -- sh -c 'echo out; echo err >&2; exit 6' <&- >&- 2>&-"
    done = subprocess.run(["sh", "-c", script], env=environment({"data_dir": data_dir}), timeout=60, check=False)
    assert done.returncode == 6 and sorted(messages(data_dir)) == ["err", "out"]


def test_names_that_are_no_text_are_kept_as_far_as_they_are(data_dir: Path, tmp_path: Path) -> None:
    odd = os.fsencode(tmp_path) + b"/\xff"
    os.mkdir(odd)
    done = run(data_dir, "echo", os.fsdecode(b"\xfe"), cwd=odd, text=False)
    assert (done.returncode, done.stdout) == (0, b"\xfe\n")
    job = newest(data_dir)
    assert job.command == ("echo", "\ufffd") and job.cwd.endswith("/\ufffd") and messages(data_dir) == ["\ufffd"]


def test_with_a_terminal_of_its_own_the_command_gets_what_is_piped_to_it_as_it_is(data_dir: Path) -> None:
    code = "import sys; print([f.isatty() for f in (sys.stdin, sys.stdout, sys.stderr)], len(sys.stdin.read()))"
    sent = "".join(f"{n}\x03\x04 {'x' * 6000}\n" for n in range(200))
    done = run(data_dir, *python(code), options=("--tty",), input=sent)
    assert done.returncode == 0
    assert messages(data_dir) == [f"[False, True, True] {len(sent)}"]


def test_without_a_data_folder_the_command_runs_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = run(tmp_path / "file", "sh", "-c", "echo out; exit 5")
    assert (done.returncode, done.stdout) == (5, "out\n")
    assert "this run is not recorded" in done.stderr


def test_a_wrong_setting_is_one_line(data_dir: Path) -> None:
    done = run(data_dir, "true", settings={"refresh_seconds": "often"})
    assert done.returncode == 2
    assert done.stderr.startswith("jobtail: JOBTAIL_REFRESH_SECONDS holds 'often'") and done.stderr.count("\n") == 1


def test_a_disk_that_is_full_neither_stops_nor_changes_the_command(data_dir: Path) -> None:
    # Every file it writes may take 300 kB: past that the journal fails, and so does the backlog.
    import resource

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))

    with subprocess.Popen(
        [PYTHON, "-m", "webapp", "run", "--", "seq", "1000000"],
        env=environment({"data_dir": data_dir}), preexec_fn=limit, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as runner:  # fmt: skip
        out, err = runner.communicate(timeout=90)
    assert out.split() == [b"%d" % n for n in range(1, 1_000_001)]
    assert runner.returncode == 0
    assert b"the journal can't be written" in err
    # What it could keep is taken in, and what it could not is said.
    job = err.decode().split("/jobs/")[1].split()[0]
    with serving(data_dir) as service:
        until(lambda: service.get(f"/api/jobs/{job}").json()["finished_job_status"], "its end")
        with EventStream(f"{service.url}/api/jobs/{job}/events?sample_logs=false&format=batch") as stream:
            events = stream.until("done")
    assert [line["message"] for line in lines_of(events)] == [str(n + 1) for n in range(len(lines_of(events)))]
    assert 0 < len(lines_of(events)) < 1_000_000
    assert events[-1].data["complete"] is False
    assert [event.data["reason"] for event in events if event.name == "gap"] == ["upstream"]


@contextmanager
def serving(data_dir: Path) -> Iterator[Served]:
    service = Served({"data_dir": data_dir}).start()
    try:
        yield service
    finally:
        service.stop()


def test_a_service_that_is_killed_while_it_takes_a_backlog_in_doubles_no_line(data_dir: Path) -> None:
    count = 60_000
    run(data_dir, "true")
    job = newest(data_dir).id
    backlog = Backlog(backlog_path(data_dir, job))
    for first in range(0, count, 1000):
        backlog.push([text(1_700_000_000_000 + n, b"%d" % n, {"stream": "stdout"}) for n in range(first, first + 1000)])
    assert backlog.save()
    with serving(data_dir) as service, journal_of(data_dir, job) as journal, suppress(httpx.HTTPError):
        for _ in range(3):
            before = journal.state().last_line
            asking = threading.Thread(target=ask_until_killed, args=(service, f"/api/jobs/{job}"))
            asking.start()
            until(lambda before=before: journal.state().last_line > before, "lines")  # type: ignore[misc]
            service.kill()
            asking.join()
            assert journal.state().last_line < count
            service.start()
        until(lambda: service.get(f"/api/jobs/{job}") and journal.state().finished, "all lines")
        state = journal.state()
    assert not backlog.path.exists()
    assert messages(data_dir) == [str(n) for n in range(count)]
    assert state.finished and state.complete


def ask_until_killed(service: Served, path: str) -> None:
    """The lease of the one that was killed before has to end first."""
    with suppress(httpx.HTTPError):
        while True:
            service.get(path)
            time.sleep(0.1)


def test_a_slow_reader_gets_all_that_the_command_wrote_however_long_it_takes(data_dir: Path) -> None:
    code = "from webapp.engine import aftermath; aftermath.LEFT_SECONDS = 0.2\nfrom webapp.cli.main import main; main()"
    with subprocess.Popen(
        [PYTHON, "-c", code, "run", "--", "seq", "1", "200000"],
        env=environment({"data_dir": data_dir}),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as runner:
        assert runner.stdout is not None
        out = b""
        while piece := runner.stdout.read(100_000):
            out += piece
            time.sleep(0.1)
    assert out.split() == [b"%d" % n for n in range(1, 200_001)]
    assert runner.returncode == 0
    assert messages(data_dir) == [str(n) for n in range(1, 200_001)]


def test_lines_that_waited_for_the_journal_are_taken_in_when_it_can_be_written(data_dir: Path) -> None:
    data_dir.mkdir()
    (data_dir / "jobs").write_text("in the way of the folder")
    code = "import time\nfor n in range(3): print(n, flush=True)\ntime.sleep(0.5)\nprint('end')"
    with spawn(
        "run", "--", *python(code), settings={"data_dir": data_dir}, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as runner:
        until(lambda: (data_dir / "backlog").is_dir() and list((data_dir / "backlog").iterdir()), "a backlog")
        (data_dir / "jobs").unlink()
        _, err = runner.communicate(timeout=60)
    assert runner.returncode == 0
    assert b"the journal can't be written" in err and b"the journal can be written again" in err
    assert messages(data_dir) == ["0", "1", "2", "end"]
    assert newest(data_dir).state == "Done" and not list((data_dir / "backlog").iterdir())


def test_its_row_is_in_the_catalog_while_it_runs(data_dir: Path) -> None:
    with spawn(
        "run", "--", "sh", "-c", "echo ready; read x", settings={"data_dir": data_dir},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    ) as runner:  # fmt: skip
        assert runner.stdin is not None and runner.stdout is not None
        assert runner.stdout.readline() == b"ready\n"
        job = newest(data_dir)
        assert job.state == "Running" and job.command[0] == "sh"
        until(lambda: messages(data_dir) == ["ready"], "its line in the journal")
        with catalog_of(data_dir) as catalog:
            until(lambda: catalog.newest(1)[0].heartbeat_ms > job.heartbeat_ms, "a heartbeat")
            assert catalog.newest(1)[0].pid not in (0, os.getpid(), runner.pid)
        runner.stdin.write(b"\n")
        runner.stdin.flush()
        assert runner.wait(30) == 0
