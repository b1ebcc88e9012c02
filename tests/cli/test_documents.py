"""The commands of README.md and docs/commands.md run as they are written, in bash and zsh, with and without a token."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from webapp.cli.main import COMMANDS

from ..served import Served

ROOT = Path(__file__).parent.parent.parent
PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
TOKEN = "the-access-token-of-these-tests"


@pytest.fixture(scope="module", params=["", TOKEN], ids=["open", "token"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served({"data_dir": tmp_path_factory.mktemp("documents") / "data", "access_token": request.param}).start()
    yield served
    served.stop()


def blocks(document: str, holding: str) -> str:
    """The one block of a document that holds a text."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", (ROOT / document).read_text(), re.DOTALL | re.MULTILINE)
    (block,) = [text for language, text in found if language in ("", "sh") and holding in text]
    return block


def run(shell: str, script: str, site: Served, folder: Path) -> subprocess.CompletedProcess[str]:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not here")
    (folder / "publish").write_text("#!/bin/sh\necho published\n")
    (folder / "publish").chmod(0o755)
    token = str(site.settings["access_token"])
    env = os.environ | {"PATH": PATH, "JOBTAIL_URL": site.url, "JOBTAIL_TOKEN": token, "BROWSER": "true"}
    script = script.replace("http://127.0.0.1:8484", site.url).replace("JOBTAIL_TOKEN=...", f"JOBTAIL_TOKEN={token}")
    quick = ["-f"] if shell == "zsh" else ["--norc"]
    return subprocess.run(
        [program, *quick, "-e", "-c", script], env=env, cwd=folder, capture_output=True, text=True, timeout=90
    )


@pytest.mark.parametrize("shell", ["bash", "zsh"])
@pytest.mark.parametrize(
    ("document", "holding"),
    [("README.md", "curl -N"), ("README.md", "jobtail share"), ("docs/commands.md", "jobtail search"),
     ("docs/commands.md", "jobtail forget")],
)  # fmt: skip
def test_a_block_runs_as_it_is_written(shell: str, document: str, holding: str, site: Served, tmp_path: Path) -> None:
    if document != "README.md" and (shell == "zsh") != bool(site.settings["access_token"]):
        return  # each of its many commands once in each shell, and once with a token
    job = site.run("sh", "-c", "echo 'a line that timed out took 4711 ms'; echo WARNING enough >&2", name="nightly")
    script = re.sub(r"\bJOB[12]?\b", job, blocks(document, holding))
    script = (
        script.replace(" --watch", "")
        .replace("jobtail forget", "jobtail forget --yes")
        .replace("| jq -r '.jobs[].id'", "")
    )
    done = run(shell, script, site, tmp_path)
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
    assert done.stdout and "Error" not in done.stdout


def test_every_command_is_in_the_document() -> None:
    text = (ROOT / "docs" / "commands.md").read_text()
    ours = {name for name, (module, _) in COMMANDS.items() if module in OURS}
    assert not [name for name in ours if f"jobtail {name}" not in text]


OURS = {
    "jobs", "status", "logs", "tail", "wait", "cancel", "exec_time", "config", "share", "search", "forget", "open_page",
    "completion",
}  # fmt: skip
