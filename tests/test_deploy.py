"""The files in `deploy/` are well-formed and name what exists, as far as that can be known without an engine."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from webapp.settings import Settings

from .postgres import free_port

DEPLOY = Path(__file__).parent.parent / "deploy"
VARIABLES = {f"JOBTAIL_{name.upper()}" for name in Settings.model_fields}


@pytest.mark.parametrize("path", sorted(DEPLOY.iterdir()), ids=lambda path: path.name)
def test_every_setting_that_is_named_exists(path: Path) -> None:
    named = set(re.findall(r"JOBTAIL_[A-Z_]+", path.read_text(encoding="utf-8")))
    assert named <= VARIABLES, named - VARIABLES


@pytest.mark.parametrize("name", ["compose.yaml", "compose-postgres.yaml"])
def test_services_run_without_rights_on_a_read_only_file_system(name: str) -> None:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / name).read_text(encoding="utf-8"))
    ours = [service for service in found["services"].values() if "build" in service]
    assert ours and all(service["read_only"] and service["cap_drop"] == ["ALL"] for service in ours)
    for service in ours:
        assert (DEPLOY / service["build"]["context"] / service["build"]["dockerfile"]).resolve().exists()


def test_the_deployment_is_probed_and_replaced_one_by_one() -> None:
    text = (DEPLOY / "kubernetes.yaml").read_text(encoding="utf-8")
    kinds = {each["kind"]: each for each in yaml.safe_load_all(text)}
    spec = kinds["Deployment"]["spec"]
    assert spec["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    (container,) = spec["template"]["spec"]["containers"]
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert kinds["Service"]["spec"]["selector"] == spec["selector"]["matchLabels"]


def test_what_the_image_copies_and_runs_is_there() -> None:
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    for line in re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE):
        for name in line.split()[:-1]:
            assert (DEPLOY.parent / name).exists(), name
    extras = re.search(r"'\.\[(\w+)\]'", text)
    project = (DEPLOY.parent / "pyproject.toml").read_text(encoding="utf-8")
    assert extras and f"\n{extras[1]} = [" in project
    assert re.search(r"^USER (?!root)\w+$", text, re.MULTILINE) and "HEALTHCHECK" in text


def test_the_unit_is_one_for_systemd() -> None:
    checker = shutil.which("systemd-analyze")
    if checker is None:
        pytest.skip("systemd-analyze is not here")
    done = subprocess.run([checker, "verify", DEPLOY / "jobtail.service"], capture_output=True, text=True, timeout=30)
    wrong = [line for line in done.stderr.splitlines() if "jobtail" in line and "not executable" not in line]
    assert not [line for line in wrong if "Unknown" in line or "Failed to parse" in line], wrong


def test_nginx_takes_its_configuration(tmp_path: Path) -> None:
    nginx = shutil.which("nginx") or "/usr/sbin/nginx"
    if not Path(nginx).exists():
        pytest.skip("nginx is not here: sudo apt install nginx")
    inner = (DEPLOY / "nginx-replicas.conf").read_text(encoding="utf-8").replace("one:", "127.0.0.1:")
    inner = inner.replace("two:", "127.0.0.2:").replace("listen 8484", f"listen 127.0.0.1:{free_port()}")
    whole = tmp_path / "nginx.conf"
    whole.write_text(f"pid {tmp_path}/pid;\nerror_log {tmp_path}/error.log;\nevents {{}}\nhttp {{\n{inner}\n}}\n")
    done = subprocess.run([nginx, "-t", "-c", whole, "-p", tmp_path], capture_output=True, text=True, timeout=30)
    assert "syntax is ok" in done.stderr, done.stderr
