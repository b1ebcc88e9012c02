"""The command itself: started in a process group of its own, signalled as a whole, dead when we are."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
import shutil
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ..settings import runtime_environment

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
PIPE_BYTES = 1 << 20
F_SETPIPE_SZ = 1031


class CannotStart(Exception):
    """`code`: what a shell would exit with, 127 (no such command) or 126 (not one that can be run)."""

    def __init__(self, why: str, code: int) -> None:
        super().__init__(why)
        self.code = code


@dataclass(slots=True)
class Child:
    """`outputs`: where its streams are read, by name. `input`: where its standard input is written, -1
    where it has ours."""

    process: subprocess.Popen[bytes]
    outputs: dict[str, int]
    input: int = -1

    def signal(self, number: int) -> None:
        """To the whole group, which outlives its first process."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)

    def alive(self) -> bool:
        """True while any process of the group is there. Asked once its first one was waited for."""
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-self.process.pid, os.WNOHANG)[0]:
                pass
        try:
            os.killpg(self.process.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            pass
        return True


def environment(job: str) -> dict[str, str]:
    """What the command sees: our environment without our secrets, and its job's id."""
    hidden = runtime_environment()
    hidden.pop("JOBTAIL_TOKEN", None)
    return hidden | {"JOBTAIL_JOB_ID": job}


def start(command: Sequence[str], env: Mapping[str, str], *, tty: bool, own_input: bool) -> Child:
    """`tty`: its streams are one terminal. `own_input`: its standard input is a pipe that we write to."""
    return _start_on_terminal(command, env) if tty else _start_on_pipes(command, env, own_input)


def script(command: Sequence[str]) -> list[str] | None:
    """A shell's rule for a text file that names no interpreter: it is a script of `sh`. None for anything else."""
    path = shutil.which(command[0])
    if path is None:
        return None
    try:
        with open(path, "rb") as file:
            head = file.read(256)
    except OSError:
        return None
    return None if b"\0" in head else ["/bin/sh", path, *command[1:]]


def _start_on_pipes(command: Sequence[str], env: Mapping[str, str], own_input: bool) -> Child:
    process = _popen(
        command,
        env=env,
        stdin=subprocess.PIPE if own_input else None,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        process_group=0,
        preexec_fn=_die_with_parent(),
    )
    assert process.stdout is not None and process.stderr is not None
    outputs = {"stdout": os.dup(process.stdout.fileno()), "stderr": os.dup(process.stderr.fileno())}
    process.stdout.close()
    process.stderr.close()
    for fd in outputs.values():
        with contextlib.suppress(OSError):
            fcntl.fcntl(fd, F_SETPIPE_SZ, PIPE_BYTES)
    given = -1
    if process.stdin is not None:
        given = os.dup(process.stdin.fileno())
        process.stdin.close()
    return Child(process, outputs, given)


def _start_on_terminal(command: Sequence[str], env: Mapping[str, str]) -> Child:
    master, slave = os.openpty()
    # No carriage return before each newline: lines are lines, and our own terminal adds what it needs.
    attributes = termios.tcgetattr(slave)
    attributes[1] &= ~termios.OPOST
    termios.tcsetattr(slave, termios.TCSANOW, attributes)
    copy_window(master)
    die = _die_with_parent()

    def prepare() -> None:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        if die is not None:
            die()

    try:
        process = _popen(
            command,
            env=env,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=prepare,
        )
    except BaseException:
        os.close(master)
        raise
    finally:
        os.close(slave)
    return Child(process, {"stdout": master}, os.dup(master))


def copy_window(master: int) -> None:
    """The size of our own window, where we have one."""
    for fd in (0, 1, 2):
        with contextlib.suppress(OSError):
            size = fcntl.ioctl(fd, termios.TIOCGWINSZ, b"\0" * 8)
            if struct.unpack("HHHH", size)[0]:
                fcntl.ioctl(master, termios.TIOCSWINSZ, size)
                return


def _popen(command: Sequence[str], **how: object) -> subprocess.Popen[bytes]:
    _adopt_orphans()
    try:
        return subprocess.Popen(command, **how)  # type: ignore[call-overload, no-any-return]
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno == errno.ENOEXEC and (again := script(command)):
            return _popen(again, **how)
        raise cannot_start(command[0], error) from None


def cannot_start(name: str, error: Exception) -> CannotStart:
    if not isinstance(error, OSError):
        return CannotStart(f"{name!r}: {error}", 126)
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        if shutil.which(name) is None:
            return CannotStart(f"{name}: command not found", 127)
        return CannotStart(f"{name}: its interpreter was not found", 127)
    if error.errno == errno.EACCES:
        return CannotStart(f"{name}: permission denied", 126)
    return CannotStart(f"{name}: {error.strerror}", 126)


def _die_with_parent() -> Callable[[], None] | None:
    """On Linux the kernel kills the command when its runner dies, even of SIGKILL. Looked up before the
    fork, since little may be done after it."""
    prctl = _prctl()
    if prctl is None:
        return None
    kill = int(signal.SIGKILL)

    def ask() -> None:
        prctl(PR_SET_PDEATHSIG, kill, 0, 0, 0)

    return ask


def _adopt_orphans() -> None:
    """On Linux, what the command leaves behind becomes our child: else its end is for process 1 to notice, which in
    a container it may do late or never."""
    prctl = _prctl()
    if prctl is not None:
        prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _prctl() -> Callable[..., int] | None:
    if not sys.platform.startswith("linux"):
        return None
    try:
        found: Callable[..., int] = ctypes.CDLL(None).prctl
    except (OSError, AttributeError):
        return None
    return found
