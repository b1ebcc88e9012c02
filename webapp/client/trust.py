"""Whose certificates are believed: a file or folder named by the environment, else this machine's and Mozilla's."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping

from .errors import UsageError

# As curl, requests and OpenSSL name them; the first that is set counts.
FILES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
FOLDER = "SSL_CERT_DIR"


def trusted(environment: Mapping[str, str] = os.environ) -> ssl.SSLContext:
    """UsageError where the environment names something that holds no certificates."""
    for name in (*FILES, FOLDER):
        if path := environment.get(name, ""):
            return _only(name, path)
    import certifi

    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


def _only(name: str, path: str) -> ssl.SSLContext:
    try:
        if os.path.isdir(path):
            return ssl.create_default_context(capath=path)
        return ssl.create_default_context(cafile=path)
    except OSError as error:
        raise UsageError(f"{name} holds {path!r}, which holds no certificates that can be read: {error}") from None


def distrust(error: BaseException) -> str | None:
    """Why a certificate was refused, if that is what lies behind an error."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError):
            return str(seen.verify_message or seen.reason or seen)
        seen = seen.__cause__ or seen.__context__
    return None
