"""`jobtail run` in front of a person: a terminal, keys, Ctrl-C, Ctrl-Z."""

from __future__ import annotations

import os
import pty
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..served import environment, until
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
def terminal(data_dir: Path, *arguments: str) -> Iterator[Terminal]:
    command = [sys.executable, "-m", "webapp", "run", *arguments]
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(sys.executable, command, environment({"data_dir": data_dir}))
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


def test_ctrl_c_cancels_and_says_how_to_kill(data_dir: Path) -> None:
    for options in ((), ("--tty",)):
        with terminal(data_dir, *options, "--", "sh", "-c", "echo ready; exec sleep 60") as screen:
            screen.expect("ready")
            screen.type("\x03")
            assert screen.exit_code() == 143
        assert "jobtail: cancelling; Ctrl-C again kills it" in screen.shown
        assert newest(data_dir).detail == "cancelled by Ctrl-C"


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
