"""`jobtail run` in front of a person: a terminal, keys, Ctrl-C, Ctrl-Z."""

from __future__ import annotations

import os
import pty
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..served import environment, jobtail, until
from .kept import messages, newest


class Terminal:
    """A terminal with `jobtail run` in it."""

    def __init__(self, pid: int, fd: int) -> None:
        self.pid = pid
        self._fd = fd
        self.shown = ""

    def type(self, keys: str) -> None:
        os.write(self._fd, keys.encode())

    def expect(self, text: str) -> None:
        while text not in self.shown:
            try:
                data = os.read(self._fd, 65536)
            except OSError:
                data = b""
            assert data, f"the terminal ended without {text!r}: {self.shown!r}"
            self.shown += data.decode("utf-8", "replace")

    def exit_code(self) -> int:
        try:
            while data := os.read(self._fd, 65536):
                self.shown += data.decode("utf-8", "replace")
        except OSError:
            pass
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


@contextmanager
def terminal(data_dir: Path, *arguments: str, **settings: object) -> Iterator[Terminal]:
    command = [sys.executable, "-m", "webapp", "run", *arguments]
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(sys.executable, command, environment({"data_dir": data_dir, **settings}))
    found = Terminal(pid, fd)
    try:
        yield found
    finally:
        try:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass
        os.close(fd)


def test_what_is_typed_reaches_the_command(data_dir: Path) -> None:
    with terminal(data_dir, "--", "sh", "-c", "echo name?; read x; echo hello $x") as screen:
        screen.expect("name?")
        screen.type("ada\n")
        screen.expect("hello ada")
        assert screen.exit_code() == 0
    assert messages(data_dir) == ["name?", "hello ada"]


def test_a_command_with_a_terminal_of_its_own_can_ask(data_dir: Path) -> None:
    code = "import getpass; print(len(getpass.getpass('secret? ')), 'letters')"
    with terminal(data_dir, "--tty", "--", sys.executable, "-c", code) as screen:
        screen.expect("secret? ")
        screen.type("hidden\n")
        screen.expect("6 letters")
        assert screen.exit_code() == 0
    assert "hidden" not in screen.shown


def test_ctrl_c_reaches_the_command_and_its_caller_sees_what_ended_it(data_dir: Path) -> None:
    with terminal(data_dir, "--", "sh", "-c", "echo ready; exec sleep 60") as screen:
        screen.expect("ready")
        screen.type("\x03")
        assert screen.exit_code() == -signal.SIGINT, "a shell's loop must see what ended it"
    assert (newest(data_dir).state, newest(data_dir).detail) == ("Canceled", "cancelled by Ctrl-C")


def test_ctrl_c_comes_once_and_says_how_to_kill(data_dir: Path) -> None:
    script = "trap 'echo interrupted' INT; echo ready; while :; do sleep 0.1; done"
    with terminal(data_dir, "--", "sh", "-c", script) as screen:
        screen.expect("ready")
        screen.type("\x03")
        screen.expect("jobtail: cancelling; Ctrl-C again kills it")
        screen.expect("interrupted")
        screen.type("\x03")
        assert screen.exit_code() == 137
    assert "interrupted" in screen.shown and newest(data_dir).detail == "cancelled by Ctrl-C"


def test_keys_go_to_a_terminal_of_its_own(data_dir: Path) -> None:
    code = "import tty, os; tty.setraw(0); print('ready', end='', flush=True); print(os.read(0, 10))"
    with terminal(data_dir, "--tty", "--", sys.executable, "-c", code) as screen:
        screen.expect("ready")
        screen.type("\x03")
        screen.expect("b'\\x03'")
        assert screen.exit_code() == 0
    with terminal(data_dir, "--tty", "--", "sh", "-c", "echo ready; exec sleep 60") as screen:
        screen.expect("ready")
        screen.type("\x03")
        assert screen.exit_code() == 130
    assert newest(data_dir).detail == "cancelled by Ctrl-C"


def test_a_command_that_opens_the_terminal_may_read_from_it(data_dir: Path) -> None:
    code = "import getpass; print(len(getpass.getpass('secret? ')), 'letters')"
    with terminal(data_dir, "--", sys.executable, "-c", code) as screen:
        screen.expect("secret? ")
        screen.type("hidden\n")
        screen.expect("6 letters")
        assert screen.exit_code() == 0
    assert messages(data_dir) == ["6 letters"]


def test_a_terminal_without_a_size_is_80_by_24(data_dir: Path) -> None:
    code = "import os; print(*os.get_terminal_size(1))"
    done = jobtail("run", "--quiet", "--tty", "--", sys.executable, "-c", code, settings={"data_dir": data_dir})
    assert done.stdout == "80 24\n"


def test_a_command_stopped_by_the_terminal_is_seen_as_stopped_by_an_interactive_shell(data_dir: Path) -> None:
    run = f"{sys.executable} -m webapp run --quiet -- "
    pid, fd = pty.fork()
    if pid == 0:
        env = environment({"data_dir": data_dir}) | {"PS1": "prompt> ", "TERM": "dumb"}
        os.execve("/bin/bash", ["bash", "--norc", "--noprofile", "--noediting", "-i"], env)
    screen = Terminal(pid, fd)
    try:
        screen.expect("prompt> ")
        screen.type(run + "sh -c 'echo re''ady; read x; echo got $x'\n")
        screen.expect("ready")
        screen.type("\x1a")
        screen.expect("Stopped")
        screen.type("fg\n")
        screen.expect("webapp run")
        screen.type("typed\n")
        screen.expect("got typed")
        screen.type(run + "seq 3 | (sleep 0.3; read x </dev/tty; echo other $x)\n")
        screen.type("keys\n")
        screen.expect("other keys")
        screen.type("exit\n")
        assert screen.exit_code() == 0
    finally:
        os.close(fd)


def test_ctrl_z_stops_both_and_the_job_is_not_lost(data_dir: Path) -> None:
    with terminal(data_dir, "--", "sh", "-c", "echo ready; read x; echo went on") as screen:
        screen.expect("ready")
        # There is no shell here that would take note of a stop: so the signal, not the key.
        os.kill(screen.pid, signal.SIGTSTP)
        _, status = os.waitpid(screen.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        stopped = until(lambda: stat_of(newest(data_dir).pid) in ("T", "t"), "the command to stop")
        assert stopped
        os.kill(screen.pid, signal.SIGCONT)
        screen.type("\n")
        screen.expect("went on")
        assert screen.exit_code() == 0
    assert newest(data_dir).state == "Done"


def stat_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
