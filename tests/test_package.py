"""What is published: a source distribution that is whole, and archives that are built alike each time."""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

import webapp

from .served import until

ROOT = Path(__file__).parent.parent
# What a checkout holds beside the project: its history, and what belongs to one machine.
NO_PART = (".git", ".ci")


def build(folder: Path, kind: str) -> Path:
    code = f"import sys; from hatchling.build import build_{kind}; print(build_{kind}(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)], cwd=ROOT, capture_output=True, text=True, check=True, timeout=120
    )
    return folder / done.stdout.split()[-1]


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("sdist"), "sdist")


@pytest.mark.parametrize("kind", ["sdist", "wheel"])
def test_an_archive_is_the_same_whenever_it_is_built(tmp_path: Path, kind: str) -> None:
    digests = set()
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        digests.add(hashlib.sha256(build(tmp_path / name, kind).read_bytes()).hexdigest())
    assert len(digests) == 1


def test_the_source_distribution_holds_every_file_of_the_project(sdist: Path) -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("this is no checkout: there is no list of files to compare with")
    wanted = {name for name in listed.stdout.split("\n") if name and not name.startswith(NO_PART)}
    with tarfile.open(sdist) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    assert wanted <= held, sorted(wanted - held)
    assert not {name for name in held if "__pycache__" in name or name.startswith(".venv")}


def test_both_commands_of_the_readme_work_in_the_unpacked_source(sdist: Path, tmp_path: Path) -> None:
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    (source,) = tmp_path.iterdir()
    # The environment is the one of these tests: that an empty one is filled is what every run in a new checkout shows.
    (source / ".venv").symlink_to(Path(sys.prefix))
    env = os.environ | {"HOME": str(tmp_path), "PYTHONPATH": str(source)}
    tests = ["make", "test", "TESTS=tests/test_layers.py tests/test_settings.py"]
    done = subprocess.run(tests, cwd=source, env=env, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0 and " passed" in done.stdout, done.stdout + done.stderr
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env |= {"JOBTAIL_PORT": str(port), "JOBTAIL_DATA_DIR": str(tmp_path / "data")}
    with subprocess.Popen(
        ["make", "demo"], cwd=source, env=env, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as demo:
        assert demo.stdout is not None
        said: list[str] = []
        until(lambda: said.append(demo.stdout.readline()) or "Ctrl-C" in said[-1], "the demo to say all")
        assert any("/jobs/" in line for line in said)
        os.killpg(demo.pid, signal.SIGINT)
        demo.wait(60)


def test_the_version_stands_in_one_place() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert 'dynamic = ["version"]' in text and f'version = "{webapp.__version__}"' not in text
