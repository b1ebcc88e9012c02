"""The blocks of the documents, and how one is run as it is written: `test_documents.py` runs each without a token,
`test_documents_with_token.py` with one. They are two files so that two workers share them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from ..served import Served, jobtail

ROOT = Path(__file__).parent.parent.parent
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
TOKEN = "the-access-token-of-these-tests"
# Where other tests take a block from its document: the first of its lines that tells it apart, and the test.
ELSEWHERE = {
    "README.md": {"make demo": "tests/test_package.py"},
    "docs/proxies.md": {"server {": "tests/proxies/front.py", "logs.example {": "tests/proxies/front.py",
                        "defaults": "tests/proxies/front.py", "<VirtualHost": "tests/proxies/front.py"},
    "docs/push.md": dict.fromkeys(("import json, time", "# report.sh"), "tests/push/test_run.py"),
    "docs/sse.md": dict.fromkeys(
        ("# sh tail.sh", "function follow(", "def follow(url", "import { EventSource }", "// rustc"),
        "tests/client/test_consumers.py"),
}  # fmt: skip
DATA = ("json", "yaml", "ini", "text", "http")
PROGRAMS = ("sh", "python")
# A service that a block starts goes on beside the rest of it, on a free port, and ends with it.
BESIDE = """
jobtail() {
    [ "$1" = serve ] || { command jobtail "$@"; return; }
    : > served
    command jobtail "$@" --port 0 > served 2>&1 &
    served=$!
    until grep -q "serves on" served || ! kill -0 $served; do sleep 0.1; done
    grep "serves on" served
}
trap 'if [ -n "$served" ]; then kill $served; fi' EXIT
"""


@dataclass(frozen=True)
class Block:
    """`unrun`: why it can't be run here; "" where it can."""

    document: str
    language: str
    text: str
    unrun: str

    def __str__(self) -> str:
        return f"{self.document}: {self.text.splitlines()[0][:40]}"

    @property
    def elsewhere(self) -> str:
        found = [test for holding, test in ELSEWHERE.get(self.document, {}).items() if holding in self.text]
        return found[0] if found else ""


def blocks() -> Iterator[Block]:
    for path in DOCUMENTS:
        found = re.finditer(
            r"(?:^<!-- not run: (?P<why>.*) -->\n)?^```(?P<language>.*)\n(?P<text>(?s:.*?))^```$",
            path.read_text(encoding="utf-8"),
            re.MULTILINE,
        )
        for one in found:
            yield Block(str(path.relative_to(ROOT)), one["language"], one["text"], one["why"] or "")


ALL = list(blocks())
RUN = [block for block in ALL if block.language in PROGRAMS and not block.unrun and not block.elsewhere]


class Site(Served):
    """`jobs`: that ran there and are still held."""

    def __init__(self, settings: dict[str, object]) -> None:
        super().__init__(settings)
        self.jobs: list[str] = []


@contextmanager
def opened(folder: Path, token: str) -> Iterator[Site]:
    site = Site({"data_dir": folder / "data", "access_token": token})
    site.start()
    try:
        yield site
    finally:
        site.stop()


def surroundings(folder: Path, site: Site) -> dict[str, str]:
    """The programs, files and variables that a reader has by then, and the blocks name."""
    for name, does in {"publish": "echo published", "bin/make": "echo made", "bin/pip": "echo installed"}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(f"#!/bin/sh\n{does}\n")
        (folder / name).chmod(0o755)
    for name in ("train.py", "etl.py"):
        (folder / name).write_text("print('epoch 1')\n")
    token = str(site.settings["access_token"])
    return os.environ | {
        "PATH": f"{folder / 'bin'}{os.pathsep}{PATH}", "BROWSER": "true", "PYTHONPATH": str(ROOT),
        "JOBTAIL_URL": site.url, "JOBTAIL_TOKEN": token, "JOBTAIL_ACCESS_TOKEN": token,
        "JOBTAIL_DATA_DIR": str(folder / "data"),
    }  # fmt: skip


def as_here(text: str, site: Site, job: str) -> str:
    """The block, with what it leaves to the reader filled in, and nothing that would wait for a person."""
    for address in ("http://127.0.0.1:8484", "https://logs.example.org", "https://logs.example"):
        text = re.sub(rf"(?<!PUBLIC_URL=){re.escape(address)}(?![\w.])", site.url, text)
    text = text.replace("JOBTAIL_TOKEN=...", f"JOBTAIL_TOKEN={site.settings['access_token']}")
    text = re.sub(r"\bJOB[12]?\b|20261124-\.\.\.|20260102-030405-k3x9", job, text)
    text = text.replace(" --watch", "").replace("jobtail forget", "jobtail forget --yes")
    return text.replace("| jq -r '.jobs[].id'", "").replace("-xf FILE", "-xf ./FILE")


def run_as_written(block: Block, site: Site, folder: Path) -> None:
    with_token = bool(site.settings["access_token"])
    if "forget" in block.text or not site.jobs:
        said = "echo 'a line that timed out took 4711 ms'; echo WARNING enough >&2"
        site.jobs.append(site.run("sh", "-c", said, name="nightly"))
    job = site.jobs.pop() if "forget" in block.text else site.jobs[0]
    env, text = surroundings(folder, site), as_here(block.text, site, job)
    if "./FILE" in text:
        jobtail("backup", str(folder / "FILE"), settings={"data_dir": site.data_dir})
    if block.language == "python":
        programs = [[sys.executable, "-c", text]]
    else:
        # The two commands of everybody's first minutes in both ways, each of the many others in one.
        shells = ("bash", "zsh") if block.document == "README.md" else ("zsh",) if with_token else ("bash",)
        quick = {"zsh": ["-f"], "bash": ["--norc"]}
        programs = [[shell, *quick[shell], "-e", "-c", BESIDE + text] for shell in shells if shutil.which(shell)]
        assert programs or pytest.skip(f"{' and '.join(shells)} not installed")
    for program in programs:
        done = subprocess.run(program, env=env, cwd=folder, capture_output=True, text=True, timeout=90)
        said = f"{done.stdout}\n{done.stderr}"
        assert done.returncode == 0 and "Traceback" not in done.stderr, said
        assert "Error" not in done.stdout and "Sign in first" not in done.stdout, said
        shutil.rmtree(folder / "restored", ignore_errors=True)
