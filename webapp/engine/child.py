"""The command itself: started as a shell would start it, signalled as a whole, dead when we are.

It gets our environment, folder, umask, priority, open files and standard input, as they are. On a terminal it stays in
our process group, so that keys reach it, it may ask for a password, and a pipeline is stopped and continued as one.
Without a terminal, and with `--tty`, it has a group of its own.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import termios
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from . import terminal
from .family import family
from .order import Order, packet_pipe

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
PIPE_BYTES = 1 << 20
F_SETPIPE_SZ = 1031
PASSES = 5
TERMINAL_STOPS = (signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)


class CannotStart(Exception):
    """`code`: what a shell would exit with, 127 (no such command) or 126 (not one that can be run)."""

    def __init__(self, why: str, code: int) -> None:
        super().__init__(why)
        self.code = code


@dataclass(slots=True)
class Child:
    """`outputs`: where its streams are read, by name. `order`: of what it writes to them. `keys`: where what is typed
    is written, -1 where it reads that itself. `shares`: its process group is ours."""

    process: subprocess.Popen[bytes]
    outputs: dict[str, int]
    order: Order
    keys: int = -1
    shares: bool = False

    def signal(self, number: int) -> None:
        """To its whole group, which outlives its first process."""
        if not self.shares:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, number)
            return
        done: set[int] = set()
        for _ in range(PASSES):  # a process that is forked during one pass is found by the next
            fresh = set(family(os.getpgrp())) - done
            if not fresh:
                return
            for pid in fresh:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, number)
            done |= fresh

    def alive(self) -> bool:
        """True while any process of the group is there. Asked once its first one was waited for."""
        self.reap()
        if self.shares:
            return bool(family(os.getpgrp()))
        try:
            os.killpg(self.process.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            pass
        return True

    def reap(self) -> None:
        """Collects the processes that the command left behind and that have ended. Its own end is left to `process`."""
        with contextlib.suppress(ChildProcessError):
            while True:
                ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
                if ended is None:
                    return
                if ended.si_pid == self.process.pid and self.process.poll() is None:
                    return
                if ended.si_pid != self.process.pid:
                    os.waitpid(ended.si_pid, os.WNOHANG)

    def stopped(self) -> int:
        """The signal that has stopped it since the last call; 0 for none."""
        with contextlib.suppress(ChildProcessError):
            found = os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WNOHANG)
            return 0 if found is None else int(found.si_status)
        return 0

    def stop(self) -> None:
        """As Ctrl-Z does. A group that no shell looks after can't be stopped by that."""
        orphaned = not self.shares or os.getsid(os.getppid()) != os.getsid(0)
        self.signal(signal.SIGSTOP if orphaned else signal.SIGTSTP)


@dataclass(frozen=True, slots=True)
class StartOptions:
    """How to start it. `tty`: its outputs are one terminal, and its input is too where ours is. `closed_input`: ours
    was closed. `before`: called in the child."""

    env: Mapping[str, str]
    tty: bool = False
    closed_input: bool = False
    before: Callable[[], None] = lambda: None


def start(command: Sequence[str], how: StartOptions) -> Child:
    _adopt_orphans()
    return _start_on_terminal(command, how) if how.tty else _start_on_pipes(command, how)


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


def _start_on_pipes(command: Sequence[str], how: StartOptions) -> Child:
    shares = terminal.ours()
    ends = {"stdout": packet_pipe(), "stderr": packet_pipe()}
    outputs = {name: read for name, (read, _) in ends.items()}
    order = Order(outputs)
    try:
        process = _popen(
            command,
            how,
            stdout=ends["stdout"][1],
            stderr=ends["stderr"][1],
            process_group=None if shares else 0,
        )
    except BaseException:
        order.close()
        for read in outputs.values():
            os.close(read)
        raise
    finally:
        for _, write in ends.values():
            os.close(write)
    for fd in outputs.values():
        with contextlib.suppress(OSError):
            fcntl.fcntl(fd, F_SETPIPE_SZ, PIPE_BYTES)
    return Child(process, outputs, order, shares=shares)


def _start_on_terminal(command: Sequence[str], how: StartOptions) -> Child:
    master, slave = terminal.make()

    def prepare() -> None:
        fcntl.ioctl(1, termios.TIOCSCTTY, 0)

    try:
        process = _popen(
            command,
            how,
            prepare,
            stdin=slave if os.isatty(0) else None,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
    except BaseException:
        os.close(master)
        raise
    finally:
        os.close(slave)
    return Child(process, {"stdout": master}, Order({}), os.dup(master))


def _popen(
    command: Sequence[str], how: StartOptions, prepare: Callable[[], None] = lambda: None, **streams: object
) -> subprocess.Popen[bytes]:
    die = _die_with_parent()

    def before() -> None:
        prepare()
        how.before()
        die()
        if how.closed_input:
            os.close(0)

    try:
        return subprocess.Popen(  # type: ignore[call-overload, no-any-return]
            command, env=how.env, close_fds=False, preexec_fn=before, **streams
        )
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno == errno.ENOEXEC and (again := script(command)):
            return _popen(again, how, prepare, **streams)
        raise cannot_start(command[0], error) from None


def let_go() -> None:
    """Closes what the command has now. If it stayed open here, a process that reads from the command or writes to it
    would not notice when the command closes its side."""
    with contextlib.suppress(OSError):
        null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        os.dup2(null, 0)
        os.close(null)
    with contextlib.suppress(OSError, ValueError):
        for fd in [int(name) for name in os.listdir("/dev/fd")]:
            with contextlib.suppress(OSError):
                if fd > 2 and os.get_inheritable(fd):
                    os.close(fd)


def cannot_start(name: str, error: Exception) -> CannotStart:
    if not isinstance(error, OSError):
        return CannotStart(f"{name!r}: {error}", 126)
    if not name:  # along PATH an empty name would match every folder
        return CannotStart("'': command not found", 127)
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        if shutil.which(name) is None:
            return CannotStart(f"{name}: command not found", 127)
        return CannotStart(f"{name}: its interpreter was not found", 127)
    if error.errno == errno.EACCES:
        return CannotStart(f"{name}: permission denied", 126)
    return CannotStart(f"{name}: {error.strerror}", 126)


def _die_with_parent() -> Callable[[], None]:
    """On Linux the kernel kills the command when its runner dies, even of SIGKILL. Looked up before the
    fork, since little may be done after it."""
    prctl = _prctl()
    kill = int(signal.SIGKILL)

    def ask() -> None:
        if prctl is not None:
            prctl(PR_SET_PDEATHSIG, kill, 0, 0, 0)

    return ask


def _adopt_orphans() -> None:
    """On Linux, processes that the command leaves behind become our children. Otherwise process 1 has to collect them,
    and in a container it may do that late or never."""
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
