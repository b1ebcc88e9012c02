"""`make demo`: the service and a real job to watch, until Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from webapp.engine.link import NEAR_SECONDS, NOBODY, base, unserved
from webapp.errors import SettingsError
from webapp.settings import load_settings

HERE = Path(__file__).resolve().parent
JOBTAIL = (sys.executable, "-m", "webapp")
TAKEN = ("JOBTAIL_PORT", "JOBTAIL_DATA_DIR")
START_SECONDS = 30.0
NAME = "Code written twice"


def prepare() -> None:
    """The demo is the same for everybody: of the caller's settings it takes port and data folder, and nothing from a
    `.env`. What is meant for a client, or for another service, would lead it astray."""
    if folder := os.environ.get("JOBTAIL_DATA_DIR"):
        os.environ["JOBTAIL_DATA_DIR"] = os.path.abspath(folder)
    for name in [name for name in os.environ if name.upper().startswith("JOBTAIL_")]:
        if name.upper() not in TAKEN:
            del os.environ[name]
    os.environ["JOBTAIL_LOG_LEVEL"] = "warning"  # a line a request would push the link out of sight
    os.chdir(HERE)


def main() -> int:
    prepare()
    try:
        settings = load_settings()
    except SettingsError as error:
        return fail(str(error))
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    url = base(settings)
    if unserved(url, NEAR_SECONDS) != NOBODY:
        return fail(f"something listens at {url} already: stop it, or choose another port: JOBTAIL_PORT=8485 make demo")
    service = subprocess.Popen([*JOBTAIL, "serve"], stdout=subprocess.DEVNULL)
    job = None
    try:
        if not wait(url, service):
            return service.wait() or 1
        job = subprocess.Popen(
            [*JOBTAIL, "run", "--quiet", "--name", NAME, "--", sys.executable, str(HERE / "demo_job.py")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        say(
            f"jobtail serves on    {url}",
            f"A job runs there:    {link(url)}",
            "Start one yourself:  .venv/bin/jobtail run -- CMD",
            "Stop:                Ctrl-C",
        )
        return service.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        for process in (job, service):
            if process is not None and process.poll() is None:
                process.terminate()
                process.wait()


def wait(url: str, service: subprocess.Popen[bytes]) -> bool:
    """False where the service ended instead of answering."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and service.poll() is None:
        if unserved(url, NEAR_SECONDS) != NOBODY:
            return True
        time.sleep(0.05)
    return False


def link(url: str) -> str:
    """Of the newest job, as soon as there is one."""
    from webapp.client.api import Client

    with Client(url) as client:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            for job in client.job_list(1)["jobs"]:
                if job.get("job_name") == NAME and job.get("job_status") == "Running":
                    return client.link(job["id"])
            time.sleep(0.1)
    return url


def say(*lines: str) -> None:
    print("", *lines, "", sep="\n", flush=True)


def fail(message: str) -> int:
    print(f"jobtail: {message}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
