"""The environment: what the command gets of ours, and what it must not find in ours."""

from __future__ import annotations

import contextlib
import ctypes
import os
from pathlib import Path

# The credentials of the service and of the client: a job must not get them.
SECRETS = frozenset(
    f"JOBTAIL_{name}"
    for name in (
        "ACCESS_TOKEN", "UPSTREAM_TOKEN", "SECRET_KEY", "DATABASE_URL", "REDIS_URL", "RUN_TOKEN", "METRICS_TOKEN",
        "TOKEN",
    )
)  # fmt: skip
_STAT = Path("/proc/self/stat")
_FIRST, _END = 47, 48  # env_start and env_end, counted from the field after the name (proc_pid_stat(5): 50 and 51)
_COERCED = ("C.UTF-8", "C.utf8", "UTF-8")


def for_command(job: str) -> dict[str, str]:
    """Ours without credentials, and the job's id."""
    env = {name: value for name, value in os.environ.items() if name not in SECRETS}
    if _coerced(env):
        del env["LC_CTYPE"]
    return env | {"JOBTAIL_JOB_ID": job}


def _coerced(env: dict[str, str]) -> bool:
    """Python itself has set LC_CTYPE, where the locale was C (PEP 538)."""
    plain = not env.get("LC_ALL") and env.get("LANG", "C") in ("", "C", "POSIX")
    if not plain or env.get("LC_CTYPE") not in _COERCED:
        return False
    block = _block()
    return block is None or not any(entry.startswith(b"LC_CTYPE=") for entry in block[1].split(b"\0"))


def hide_secrets() -> None:
    """Takes the credentials out of this process's environment, also where others see it (`/proc/PID/environ`, `ps e`):
    a job could read it of the runner, which is its parent. Settings have been read before."""
    block = _block()
    if block is not None:
        start, data = block
        offset = 0
        for entry in data.split(b"\0"):
            name, equals, value = entry.partition(b"=")
            if equals and name.decode("utf-8", "replace") in SECRETS:
                ctypes.memset(start + offset + len(name) + 1, ord("*"), len(value))
            offset += len(entry) + 1
    for secret in SECRETS & os.environ.keys():
        del os.environ[secret]


def _block() -> tuple[int, bytes] | None:
    """Where the environment stands with which this process was started, and what is in it. None where that can't be
    known."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        fields = _STAT.read_bytes().rpartition(b")")[2].split()
        start, end = int(fields[_FIRST]), int(fields[_END])
        if 0 < start < end:
            return start, ctypes.string_at(start, end - start)
    return None
