"""Every block of every document is run as it is written: those of the README in bash and in zsh, the others in bash,
and with a token (`test_documents_with_token.py`) in zsh. What can't be run here says why, in a comment before it, and
is checked as far as that goes."""

from __future__ import annotations

import ast
import configparser
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from webapp.cli.main import COMMANDS

from .documents import ALL, DATA, DOCUMENTS, PROGRAMS, ROOT, RUN, Block, Site, opened, run_as_written


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("documents"), token="") as site:
        yield site


@pytest.mark.parametrize("block", RUN, ids=str)
def test_a_block_runs_as_it_is_written(block: Block, site: Site, tmp_path: Path) -> None:
    run_as_written(block, site, tmp_path)


@pytest.mark.parametrize("block", ALL, ids=str)
def test_a_block_is_run_or_says_why_not(block: Block) -> None:
    if block.language in DATA:
        return
    if block.unrun:
        assert len(block.unrun) > 10 and not block.elsewhere
    elif block.elsewhere:
        assert (ROOT / block.elsewhere).exists()
    else:
        assert block.language in PROGRAMS, f"{block} is run by no test: say why before it, as <!-- not run: ... -->"


@pytest.mark.parametrize("block", [block for block in ALL if block.unrun or block.language in DATA], ids=str)
def test_a_block_that_is_not_run_is_at_least_well_formed(block: Block) -> None:
    if block.language == "json":
        json.loads(block.text)
    elif block.language == "yaml":
        assert yaml.safe_load(block.text)
    elif block.language == "ini":
        parser = configparser.ConfigParser(strict=True)
        parser.read_string(block.text)
        assert parser.sections()
    elif block.language == "python":
        ast.parse(block.text)
    elif block.language == "sh":
        for shell in filter(shutil.which, ("bash", "zsh")):
            done = subprocess.run([shell, "-n", "-c", block.text], capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
    else:
        assert block.language in ("text", "http")


def test_every_command_is_in_the_document() -> None:
    text = (ROOT / "docs" / "commands.md").read_text()
    ours = {name for name, (module, _) in COMMANDS.items() if module in OURS}
    assert not [name for name in ours if f"jobtail {name}" not in text]


def test_every_link_between_documents_leads_somewhere() -> None:
    broken = []
    for path in DOCUMENTS:
        text = re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
        for target in re.findall(r"\]\(([^)#\s]*(?:#[^)\s]*)?)\)", text):
            if re.match(r"[a-z]+:", target):
                continue
            name, _, part = target.partition("#")
            there = (path.parent / name) if name else path
            if not there.exists() or (part and there.suffix == ".md" and part not in anchors(there)):
                broken.append(f"{path.name}: {target}")
    assert not broken


def anchors(path: Path) -> set[str]:
    """Of the headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


OURS = {
    "jobs", "status", "logs", "tail", "wait", "cancel", "exec_time", "config", "share", "search", "forget", "open_page",
    "completion",
}  # fmt: skip
