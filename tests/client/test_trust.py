"""Certificates: what is not trusted is said to be so, and the environment names what is."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from webapp.client import Client, errors

from .stub import Stub, http


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of our own for localhost, which signs itself; its key is beside it."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not here to make a certificate")
    folder = tmp_path_factory.mktemp("certificate")
    command = "openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=localhost"
    names = ["-addext", "subjectAltName=DNS:localhost"]
    subprocess.run([*command.split(), *names], cwd=folder, check=True, capture_output=True)
    return folder / "cert.pem"


@pytest.fixture
def secure(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    with Stub(lambda asked: http(200, b'{"job_id": "x"}'), tls=context) as stub:
        yield stub.url.replace("http://127.0.0.1", "https://localhost")


def test_a_certificate_that_is_not_trusted_is_said_so(secure: str) -> None:
    with pytest.raises(errors.Untrusted, match=r"not trusted: self.signed.*SSL_CERT_FILE") as raised:
        Client(secure, "").status("x")
    assert not isinstance(raised.value, errors.Unreachable) and not raised.value.transient
    with pytest.raises(errors.Untrusted):
        list(Client(secure, "").lines("x"))
    with pytest.raises(errors.Untrusted):
        list(Client(secure, "").stream("x"))


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_the_environment_names_what_is_trusted(
    secure: str, certificate: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, str(certificate))
    assert Client(secure, "").status("x") == {"job_id": "x"}


@pytest.mark.parametrize("path", ["/nowhere/at-all.pem", __file__])
def test_what_holds_no_certificates_is_named(secure: str, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", path)
    with pytest.raises(errors.UsageError, match=f"SSL_CERT_FILE holds '{path}'"):
        Client(secure, "").status("x")


def test_a_certificate_of_another_name_is_not_trusted(
    secure: str, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with pytest.raises(errors.Untrusted, match=r"127\.0\.0\.1"):
        Client(secure.replace("localhost", "127.0.0.1"), "").status("x")
