"""`jobtail serve` in a process of its own, and what one does to it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import httpx

T = TypeVar("T")
START_SECONDS = 30.0


def until(look: Callable[[], T], what: str = "", seconds: float = 30.0) -> T:
    """The first true thing that `look` gives. Fails when there is none in time."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:g} s in vain for {what or look}")
        time.sleep(0.02)


def environment(settings: Mapping[str, object]) -> dict[str, str]:
    """Ours, and these settings as variables. Nothing is read from a `.env` of the checkout."""
    given = {f"JOBTAIL_{name.upper()}": str(value) for name, value in settings.items()}
    return os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent)} | given


def jobtail(
    *arguments: str, settings: Mapping[str, object] | None = None, **how: Any
) -> subprocess.CompletedProcess[str]:
    """One command of the command line, to its end."""
    how = {"capture_output": True, "text": True, "timeout": 60, "env": environment(settings or {}), **how}
    return subprocess.run([sys.executable, "-m", "webapp", *arguments], check=False, **how)


def spawn(
    *arguments: str, settings: Mapping[str, object] | None = None, module: str = "webapp", **how: Any
) -> subprocess.Popen[bytes]:
    """The same, left running."""
    return subprocess.Popen([sys.executable, "-m", module, *arguments], env=environment(settings or {}), **how)


class Served:
    """`url`: where it answers. `output`: what it has said on both its streams so far. `module`: what is run."""

    module = "webapp"

    def __init__(self, settings: Mapping[str, object]) -> None:
        self.settings = {"port": 0, **settings}
        self.url = ""
        self.output = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process

    @property
    def data_dir(self) -> Path:
        return Path(str(self.settings["data_dir"]))

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def start(self) -> Served:
        """Again on the same port after a stop."""
        if self.url:
            self.settings["port"] = self.port
        before = len(self.output)
        cwd = self.data_dir.parent
        self._process = spawn(
            "serve", settings=self.settings, module=self.module,
            cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()
        until(
            lambda: "jobtail serves on" in self.output[before:] or self.process.poll() is not None,
            "the service to start",
            START_SECONDS,
        )
        assert self.process.poll() is None, f"the service ended at once:\n{self.output}"
        port = self.output[before:].split("jobtail serves on ", 1)[1].split()[0].rpartition(":")[2]
        self.url = f"http://127.0.0.1:{port}"
        return self

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self.output += line.decode("utf-8", "replace")

    def stop(self) -> int:
        """SIGTERM, and its exit code; the one it had where it had ended."""
        if self._process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"the service did not stop:\n{self.output}") from None
        if self._reader is not None:
            self._reader.join(5)
        return code

    def kill(self) -> None:
        """As a crash or a power cut does."""
        self.process.kill()
        self.process.wait()

    def restart(self) -> Served:
        self.stop()
        return self.start()

    def run(self, *command: str, name: str = "") -> str:
        """Runs a command as a job of this service, to its end. Its id."""
        named = ("--name", name) if name else ()
        done = jobtail("run", *named, "--", *command, settings=self._beside())
        return done.stderr.split("/jobs/", 1)[1].split()[0]

    def begin(
        self, *command: str, name: str = "", stdin: int = subprocess.DEVNULL
    ) -> tuple[str, subprocess.Popen[bytes]]:
        """Starts a command as a job of this service. Its id, and the runner's process, for the caller to end."""
        named = ("--name", name) if name else ()
        runner = spawn(
            "run", *named, "--", *command,
            settings=self._beside(), stdin=stdin, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
        assert runner.stderr is not None
        line = runner.stderr.readline().decode()
        return line.split("/jobs/", 1)[1].split()[0], runner

    def _beside(self) -> dict[str, object]:
        shared = {name: self.settings[name] for name in ("database_url",) if name in self.settings}
        return {"data_dir": self.data_dir, "port": self.port, **shared}

    def get(self, path: str, **how: Any) -> httpx.Response:
        return httpx.get(self.url + path, **{"timeout": 30, "trust_env": False, **how})

    def post(self, path: str, **how: Any) -> httpx.Response:
        return httpx.post(self.url + path, **{"timeout": 30, "trust_env": False, **how})
