"""What the command line says of itself."""

from __future__ import annotations

import subprocess
import sys

import pytest

from webapp.cli.main import COMMANDS
from webapp.cli.serve import ENVIRONMENT, FLAGS, variable
from webapp.settings import Settings

from ..served import jobtail


def test_every_command_is_listed() -> None:
    shown = jobtail("--help").stdout
    assert all(f"  {name} " in shown for name in COMMANDS)
    assert jobtail("--version").stdout.startswith("jobtail, version 0.")
    assert jobtail().returncode in (0, 2) and "Usage" in jobtail().stdout + jobtail().stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_examples(command: str) -> None:
    done = jobtail(command, "--help")
    assert done.returncode == 0
    assert "Examples:" in done.stdout and f"jobtail {command}" in done.stdout


def test_help_loads_nothing_that_takes_long() -> None:
    code = "import sys; from webapp.cli.main import run; run(['--help']); print([m for m in SLOW if m in sys.modules])"
    slow = ("pydantic", "httpx", "uvicorn", "starlette", "asyncio", "orjson", "re2", "sqlite3")
    done = subprocess.run([sys.executable, "-c", f"SLOW = {slow}\n{code}"], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_every_setting_has_a_flag_or_is_named_in_the_help() -> None:
    assert set(FLAGS) | set(ENVIRONMENT) == set(Settings.model_fields)
    shown = jobtail("serve", "--help").stdout
    assert all(variable(setting) in shown for setting in Settings.model_fields)
