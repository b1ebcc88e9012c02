"""The wheel runs where no checkout is: page, static files and all."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import httpx
import pytest

from .served import until

ROOT = Path(__file__).parent.parent
NEEDED = ("webapp", "templates", "static", "pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the commands of an environment that holds the wheel and what it depends on, and no more."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in NEEDED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif (ROOT / name).exists():
            shutil.copy(ROOT / name, source)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    built = [*pip, "wheel", "--no-deps", "--wheel-dir", str(folder), str(source)]
    subprocess.run(built, check=True, capture_output=True, text=True, timeout=300)
    (wheel,) = folder.glob("jobtail-*.whl")
    venv.create(folder / "venv", with_pip=False)
    python = folder / "venv" / "bin" / "python"
    subprocess.run([*pip, "--python", str(python), "install", str(wheel)], check=True, capture_output=True, timeout=300)
    return python.parent


@pytest.mark.timeout(600)
def test_an_installed_wheel_serves_its_page_and_runs_jobs(installed: Path, tmp_path: Path) -> None:
    env = {"PATH": f"{installed}:{os.environ['PATH']}", "HOME": str(tmp_path), "JOBTAIL_PORT": "0"}
    with subprocess.Popen(["jobtail", "serve"], cwd=tmp_path, env=env, stdout=subprocess.PIPE, text=True) as service:
        assert service.stdout is not None
        try:
            url = service.stdout.readline().removeprefix("jobtail serves on ").strip()
            command = ["jobtail", "run", "--quiet", "--", "echo", "from a wheel"]
            done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60)
            assert (done.returncode, done.stdout, done.stderr) == (0, "from a wheel\n", "")
            with httpx.Client(base_url=url, trust_env=False) as http:
                job = until(lambda: http.get("/api/jobs").json()["jobs"], "the job")[0]["id"]
                page = http.get(f"/jobs/{job}")
                assert page.status_code == 200 and "from a wheel" in page.text
                linked = re.findall(r'(?:src|href)="(/static/[^"]+)', page.text)
                assert linked
                for path in linked:
                    assert http.get(path).status_code == 200, path
        finally:
            service.terminate()
            assert service.wait(30) == 0


@pytest.mark.timeout(600)
def test_an_installed_wheel_puts_a_job_on_another_machines_page(installed: Path, tmp_path: Path) -> None:
    """As in a fresh container: an empty home, another folder, one command, and nothing set but where to and by whom."""
    folders = [tmp_path / name for name in ("service", "home", "elsewhere")]
    for folder in folders:
        folder.mkdir()
    service_home, home, elsewhere = folders
    path = f"{installed}:{os.environ['PATH']}"
    access, run = "sesame-0f6b1c7e9a5d4832", "run-8f3b2a7c9d1e4f60"
    env = {"PATH": path, "HOME": str(service_home), "JOBTAIL_PORT": "0", "JOBTAIL_ACCESS_TOKEN": access}
    env["JOBTAIL_RUN_TOKEN"] = f"ci={run}"
    with subprocess.Popen(["jobtail", "serve"], cwd=tmp_path, env=env, stdout=subprocess.PIPE, text=True) as service:
        assert service.stdout is not None
        try:
            url = service.stdout.readline().removeprefix("jobtail serves on ").strip()
            done = subprocess.run(
                ["jobtail", "run", "--to", url, "--", "sh", "-c", "echo from elsewhere; exit 3"], cwd=elsewhere,
                env={"PATH": path, "HOME": str(home), "JOBTAIL_TOKEN": run}, capture_output=True, text=True, timeout=60,
            )  # fmt: skip
            assert (done.returncode, done.stdout) == (3, "from elsewhere\n"), done.stderr
            link = done.stderr.removeprefix("jobtail: ").strip()
            assert link.startswith(f"{url}/jobs/"), done.stderr
            page = httpx.get(link, headers={"Authorization": f"Bearer {access}"}, trust_env=False)
            assert page.status_code == 200 and "from elsewhere" in page.text and "exit code 3" in page.text
        finally:
            service.terminate()
            assert service.wait(30) == 0
