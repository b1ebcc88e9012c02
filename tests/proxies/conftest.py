"""Real proxies before real services: TLS and HTTP/2 outside, with the configuration that `docs/proxies.md` gives."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.served import Served

from .front import PROXIES, WAYS, Front, program

TOKEN = "sesame-4c1be90d75f2a386"


@dataclass
class Behind:
    """A service with a job that has ended and one that runs until the test ends, whose lines the test writes."""

    served: Served
    ended: str
    long: str  # its log is a megabyte
    running: str
    runner: subprocess.Popen[bytes]
    count: int = field(default=0)

    def write(self) -> str:
        """A new line of the running job."""
        assert self.runner.stdin is not None
        self.count += 1
        line = f"fresh {self.count}"
        self.runner.stdin.write(f"{line}\n".encode())
        self.runner.stdin.flush()
        return line


def behind(folder: Path, **settings: object) -> Behind:
    folder.mkdir()
    trusted = {"trusted_proxies": "127.0.0.1", "trusted_user_header": "X-User"}
    served = Served({"data_dir": folder / "data", "access_token": TOKEN, **trusted, **settings}).start()
    ended = served.run("sh", "-c", "echo hello; echo world")
    long = served.run("seq", "160000")
    running, runner = served.begin("cat", stdin=subprocess.PIPE)
    return Behind(served, ended, long, running, runner)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `ca.pem`, and `site.pem` and `site.key` that it signed, for localhost."""
    if program("openssl") is None:
        pytest.skip("openssl is not here to make a certificate")
    folder = tmp_path_factory.mktemp("certificate")
    (folder / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1")
    key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
    for command in (
        f"req -x509 {key} -keyout ca.key -out ca.pem -days 2 -subj /CN=tests",
        f"req {key} -keyout site.key -out site.csr -subj /CN=localhost",
        "x509 -req -in site.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out site.crt",
    ):
        subprocess.run(["openssl", *command.split()], cwd=folder, check=True, capture_output=True)
    # HAProxy wants both in one file; the others take the certificate from it.
    (folder / "site.pem").write_text((folder / "site.crt").read_text() + (folder / "site.key").read_text())
    return folder


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Behind]]:
    """One at the root of its host, and one that is told its public address, under a path."""
    if program("curl") is None:
        pytest.skip("curl is not installed")
    folder = tmp_path_factory.mktemp("services")
    root = behind(folder / "root")
    path = behind(folder / "path", public_url="https://localhost/logs")
    yield {"": root, "/logs": path}
    for one in (root, path):
        one.runner.communicate(timeout=30)  # the end of its input ends the job
        one.served.stop()


@pytest.fixture(scope="module", params=PROXIES)
def proxy(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, certificate: Path,
    services: dict[str, Behind],
) -> Iterator[dict[str, Front]]:  # fmt: skip
    """One process of this proxy with three sites, by how they treat the path."""
    name = request.param
    if program(name) is None:
        pytest.skip(f"{name} is not installed")
    ports = {prefix: one.served.port for prefix, one in services.items()}
    with Front.started(name, tmp_path_factory.mktemp(name), certificate, ports) as sites:
        yield sites


@pytest.fixture(params=WAYS)
def site(request: pytest.FixtureRequest, proxy: dict[str, Front]) -> Front:
    return proxy[request.param]


@pytest.fixture
def service(site: Front, services: dict[str, Behind]) -> Behind:
    return services[site.prefix]
