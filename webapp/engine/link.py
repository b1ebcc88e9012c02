"""Where a job can be watched."""

from __future__ import annotations

import os
import socket
from urllib.parse import urlsplit

from ..settings import Settings


def base(settings: Settings) -> str:
    """Of the links we print: JOBTAIL_PUBLIC_URL, JOBTAIL_URL, or where `serve` would listen."""
    url = settings.public_url or os.environ.get("JOBTAIL_URL", "").rstrip("/")
    if url:
        return url
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::", "") else settings.host
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"


def answers(url: str, seconds: float = 0.5) -> bool:
    """True when somebody listens there."""
    parts = urlsplit(url)
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
        with socket.create_connection((parts.hostname or "", port), seconds):
            return True
    except (OSError, ValueError):
        return False
