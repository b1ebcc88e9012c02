"""A real nginx in front, with the configuration that `docs/proxies.md` gives, and with none of it."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.served import Served, until
from tests.sse import EventStream

from .house import OWNER, TOKEN

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/bin")
pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")

CONFIG = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; worker_processes 1;
events {{ worker_connections 64; }}
http {{
  access_log {folder}/access.log;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://127.0.0.1:{behind};
      {more}
    }}
  }}
}}
"""
DOCS = Path(__file__).parent.parent.parent / "docs" / "proxies.md"
_LINES = DOCS.read_text().partition("```nginx\n")[2].partition("```")[0].splitlines()
DOCUMENTED = "\n".join(line for line in _LINES if "proxy_" in line and "proxy_pass" not in line)


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[Callable[..., str]]:
    """`nginx(port, more)`: the address of one in front of that port."""
    running: list[subprocess.Popen[bytes]] = []

    def start(behind: int, more: str = "") -> str:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        folder = tmp_path / f"nginx-{port}"
        folder.mkdir()
        (folder / "nginx.conf").write_text(CONFIG.format(folder=folder, port=port, behind=behind, more=more))
        command = [str(NGINX), "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]
        running.append(subprocess.Popen(command, stderr=subprocess.DEVNULL))
        until(lambda: answers(port), "nginx to start")
        return f"http://127.0.0.1:{port}"

    yield start
    for process in running:
        process.terminate()
        process.wait(10)


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def get(url: str, path: str, **headers: str) -> httpx.Response:
    return httpx.get(url + path, headers=headers, timeout=20, trust_env=False)


@pytest.mark.parametrize("header", ["X-Forwarded-For $remote_addr", "Forwarded for=$remote_addr", "Via nginx"])
def test_without_a_token_a_proxy_that_names_itself_is_refused(
    serve: Callable[..., Served], nginx: Callable[..., str], header: str
) -> None:
    served = serve()
    front = nginx(served.port, f"proxy_set_header Host 127.0.0.1; proxy_set_header {header};")
    answer = get(front, "/api/jobs")
    assert answer.status_code == 403 and "JOBTAIL_ACCESS_TOKEN" in answer.json()["detail"]
    assert served.get("/api/jobs").status_code == 200


def test_without_a_token_a_name_that_is_not_loopback_is_refused_through_a_proxy(
    serve: Callable[..., Served], nginx: Callable[..., str]
) -> None:
    front = nginx(serve().port, "proxy_set_header Host $http_host;")
    assert get(front, "/api/jobs", Host="logs.example").status_code == 403


def test_with_a_token_lines_come_through_unbuffered(serve: Callable[..., Served], nginx: Callable[..., str]) -> None:
    served = serve(access_token=TOKEN, trusted_proxies="127.0.0.1")
    front = nginx(served.port, DOCUMENTED)
    assert get(front, "/api/jobs").status_code == 401
    script = "import time\nfor n in range(600):\n    print('line', n, flush=True)\n    time.sleep(0.1)"
    job, runner = served.begin(sys.executable, "-c", script)
    try:
        with EventStream(f"{front}/api/jobs/{job}/events?sample_logs=false", headers=OWNER) as events:
            assert events.status == 200
            lags = []
            for event in events:
                if event.name == "":
                    lags.append(time.time() * 1000 - event.data["timestamp"])
                if len(lags) >= 30:
                    break
        # A proxy that holds back gives nothing for minutes, then all of it: the newest lines would be seconds old.
        assert min(lags[10:]) < 5000
    finally:
        runner.terminate()
        runner.wait(20)


def test_a_shared_link_works_through_it_and_stays_out_of_our_log(
    serve: Callable[..., Served], nginx: Callable[..., str]
) -> None:
    served = serve(access_token=TOKEN, trusted_proxies="127.0.0.1")
    front = nginx(served.port, DOCUMENTED)
    job = served.run("echo", "hello")
    made = httpx.post(f"{front}/api/jobs/{job}/shares", headers=OWNER, trust_env=False).json()
    assert made["url"].startswith(front)
    opened = httpx.get(made["url"], trust_env=False)
    assert opened.status_code == 200
    cookie = opened.headers["set-cookie"].partition(";")[0]
    assert get(front, f"/api/jobs/{job}/logs", Cookie=cookie).json()[0]["message"] == "hello"
    assert made["url"].rpartition("/")[2] not in served.output


def test_who_is_behind_a_configured_proxy_is_counted_by_address(
    serve: Callable[..., Served], nginx: Callable[..., str]
) -> None:
    served = serve(access_token=TOKEN, trusted_proxies="127.0.0.1")
    front = nginx(served.port, "proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $http_x_test;")
    guess = {"data": {"token": "x", "next": "/"}, "trust_env": False}
    codes = [httpx.post(f"{front}/login", headers={"X-Test": "198.51.100.1"}, **guess).status_code for _ in range(11)]
    assert codes == [401] * 10 + [429]
    assert httpx.post(f"{front}/login", headers={"X-Test": "198.51.100.2"}, **guess).status_code == 401
