"""The published client, as it is: each version in an environment of its own, made once and kept in `.cache`."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
VERSIONS = ("2.9.5", "1.14.0")
DRIVER = Path(__file__).with_name("published_driver.py")


def cache() -> Path:
    folder = Path(os.environ.get("JOBTAIL_TEST_CACHE") or ROOT / ".cache")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def python_with(version: str) -> Path:
    """The Python that has `fused` of this version. Made when absent; only one process at a time makes it."""
    home = cache() / f"fused-{version}"
    python = home / "bin" / "python"
    with (cache() / f"fused-{version}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "whole").exists():
            shutil.rmtree(home, ignore_errors=True)
            subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
            quiet = ["--quiet", "--disable-pip-version-check", "--no-input"]
            done = subprocess.run(
                [python, "-m", "pip", "install", *quiet, f"fused=={version}"], capture_output=True, text=True
            )
            assert done.returncode == 0, f"fused {version} can't be installed: {done.stderr[-2000:]}"
            (home / "whole").touch()
    return python


class Published:
    """Speaks to `base_url` with the client of this version. `scheme`: Bearer signs in as a person does, by a file
    of credentials; the others as a machine does, by the environment."""

    def __init__(
        self, version: str, base_url: str, home: Path, *, token: str, scheme: str = "Fused-Env-Bearer"
    ) -> None:
        self._python = python_with(version)
        self._base_url = base_url
        self._environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("FUSED_", "PYTHON"))
        }
        self._environment |= {"HOME": str(home), "PYTHONWARNINGS": "ignore", "NO_PROXY": "127.0.0.1"}
        if scheme == "Bearer":
            _sign_in(home, token)
        else:
            self._environment |= {"FUSED_AUTH_TOKEN": token, "FUSED_AUTH_TOKEN_TYPE": scheme}

    def do(self, *steps: list[Any], seconds: float = 90) -> list[dict[str, Any]]:
        """Each step is a name of the driver's and its arguments; each outcome has `result`, `printed`, `error`."""
        done = subprocess.run(
            [self._python, DRIVER, self._base_url],
            input=json.dumps(steps),
            capture_output=True,
            text=True,
            env=self._environment,
            timeout=seconds,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        outcomes: list[dict[str, Any]] = json.loads(done.stdout.rpartition("\x1e")[2])
        return outcomes


def _sign_in(home: Path, token: str) -> None:
    credentials = {
        "access_token": token, "auth_scheme": "Bearer", "refresh_token": "r", "id_token": "i", "scope": "s",
        "expires_in": 10**6, "expires_at": "2100-01-01T00:00:00Z",
    }  # fmt: skip
    (home / ".fused").mkdir(parents=True, exist_ok=True)
    (home / ".fused" / "credentials").write_text(json.dumps(credentials))
