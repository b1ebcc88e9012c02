"""Where a job can be watched."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from ..settings import Settings, loopback

NEAR_SECONDS = 0.5
FAR_SECONDS = 3.0
ANOTHER = "the jobtail that answers there has another data folder: see JOBTAIL_DATA_DIR"
NOBODY = "start jobtail serve to see it"
ELSE = "something else answers there: set JOBTAIL_PORT to a free port, for this and for jobtail serve"


def base(settings: Settings) -> str:
    """Of the links we print: JOBTAIL_PUBLIC_URL, or where `serve` would listen."""
    if settings.public_url:
        return settings.public_url
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::", "") else settings.host
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"


def announcement(settings: Settings, job: str, say: Callable[[str], None]) -> None:
    """Prints the link at once, and what keeps it from working: with it where that is known quickly, else later."""
    url = base(settings)
    link = f"{url}/jobs/{job}"
    if loopback(urlsplit(url).hostname or ""):
        trouble = unserved(url, NEAR_SECONDS, job)
        say(f"{link}  ({trouble})" if trouble else link)
        return
    say(link)

    def ask() -> None:
        trouble = unserved(url, FAR_SECONDS, job)
        if trouble:
            say(f"{url}: {trouble}")

    threading.Thread(target=ask, daemon=True).start()


def unserved(url: str, seconds: float, job: str = "") -> str:
    """What keeps a link to this address from working. Empty: a jobtail answers there, and does not deny that it knows
    the job."""
    try:
        status, kind = _asked(url, f"/api/jobs/{job or 'none'}", seconds)
    except TimeoutError:
        return ""  # somebody listens and is busy
    except (HTTPException, ValueError, ConnectionResetError):
        return ELSE
    except OSError:
        return NOBODY
    if kind != ("application/json" if status == 200 else "application/problem+json"):
        return ELSE
    return ANOTHER if status == 404 and job else ""


def _asked(url: str, path: str, seconds: float) -> tuple[int, str]:
    """Status and media type of the answer."""
    parts = urlsplit(url)
    connect = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = connect(parts.hostname or "", parts.port, timeout=seconds)
    try:
        connection.request("GET", parts.path + path, headers={"Accept": "application/json"})
        answer = connection.getresponse()
        return answer.status, (answer.getheader("content-type") or "").partition(";")[0]
    finally:
        connection.close()
