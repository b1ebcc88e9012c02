"""The servers: jobtail itself, nginx with nchan as the yardstick, and the upstream."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any

from process import LOAD_CPU, SERVER_CPU, cpu_seconds, free_port, memory_bytes, pinned, stop, until

ROOT = Path(__file__).resolve().parent.parent
JOBTAIL = str(Path(sys.executable).with_name("jobtail"))


class Server:
    """A process that listens on a port of the loopback address."""

    port: int
    process: subprocess.Popen[str]
    pid: int

    def request(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            connection.request(method, path, body)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def json(self, path: str, method: str = "GET") -> Any:
        status, body = self.request(method, path)
        if status >= 300:
            raise RuntimeError(f"{method} {path}: {status} {body[:300]!r}")
        return json.loads(body)

    def answers(self, path: str) -> bool:
        try:
            return self.request("GET", path)[0] < 500
        except OSError:
            return False

    def cpu(self) -> float:
        return cpu_seconds(self.pid)

    def memory(self, kind: str = "Pss") -> int:
        return memory_bytes(self.pid, kind)

    def close(self) -> None:
        stop(self.process)

    def __enter__(self) -> Any:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class Upstream(Server):
    def __init__(self) -> None:
        command = [sys.executable, str(ROOT / "bench" / "generator.py"), "0", str(LOAD_CPU)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.pid = self.process.pid
        assert self.process.stdout
        self.port = json.loads(self.process.stdout.readline())["port"]

    def control(self, what: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.json(f"/control/{what}", "POST")
        return answer


class Jobtail(Server):
    """`jobtail serve` on core 0, with a data folder of its own unless one is given."""

    def __init__(self, upstream: Upstream | None, data: Path | None = None, **settings: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="jobtail-bench-")) if data is None else data
        self.kept = data is not None
        self.port = free_port()
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("JOBTAIL_")},
            "JOBTAIL_DATA_DIR": str(self.folder),
            "JOBTAIL_UPSTREAM_URL": f"http://127.0.0.1:{upstream.port}" if upstream else "",
            "JOBTAIL_MAX_VIEWERS": "20000",
            "JOBTAIL_MAX_VIEWERS_PER_JOB": "20000",
            **{f"JOBTAIL_{name.upper()}": value for name, value in settings.items()},
        }
        self.environment = environment
        self.log = (self.folder / "serve.log").open("w")
        self.process = subprocess.Popen(
            pinned(SERVER_CPU, [JOBTAIL, "serve", "--port", str(self.port)]),
            env=environment, cwd=self.folder, stdout=self.log, stderr=self.log, text=True,
        )  # fmt: skip
        self.pid = self.process.pid
        until(self._up, "jobtail serve answers", 30)

    def _up(self) -> bool:
        if self.process.poll() is not None:
            raise RuntimeError((self.folder / "serve.log").read_text()[-2000:])
        return self.answers("/healthz")

    def close(self) -> None:
        super().close()
        self.log.close()
        if not self.kept:
            shutil.rmtree(self.folder, ignore_errors=True)


NGINX = """
load_module {module};
daemon off; worker_processes 1; worker_rlimit_nofile 30000; worker_cpu_affinity {affinity};
pid {folder}/nginx.pid; error_log {folder}/error.log crit;
events {{ worker_connections 20000; }}
http {{
  access_log off; client_body_temp_path {folder}/body; client_max_body_size 64m; client_body_buffer_size 64m;
  proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  nchan_shared_memory_size 2048m;
  server {{
    listen 127.0.0.1:{port};
    location = /pub {{
      nchan_publisher; nchan_channel_id bench; nchan_message_buffer_length {kept}; nchan_message_timeout 600s;
    }}
    location = /sub {{
      nchan_subscriber eventsource; nchan_channel_id bench; nchan_subscriber_first_message {first};
    }}
  }}
}}
"""


class Nchan(Server):
    """nginx with nchan, one worker on core 0. `kept`: messages it remembers."""

    def __init__(self, first: str = "newest", kept: int = 10) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="jobtail-nchan-"))
        self.folder.chmod(0o755)
        self.port = free_port()
        modules = ("/usr/lib/nginx/modules", "/usr/share/nginx/modules", "/usr/lib64/nginx/modules")
        module = next((str(file) for at in modules for file in Path(at).glob("ngx_nchan_module.so")), None)
        if module is None or shutil.which("nginx") is None:
            raise RuntimeError("nginx with nchan is missing: apt-get install nginx libnginx-mod-nchan")
        affinity = format(1 << SERVER_CPU, f"0{os.cpu_count()}b")
        settings = NGINX.format(
            module=module, folder=self.folder, port=self.port, first=first, kept=kept, affinity=affinity
        )
        (self.folder / "nginx.conf").write_text(settings)
        self.process = subprocess.Popen(
            ["nginx", "-c", str(self.folder / "nginx.conf"), "-p", str(self.folder)], text=True, stderr=subprocess.PIPE
        )
        until(lambda: self.process.poll() is not None or self.answers("/pub"), "nginx answers", 20)
        if self.process.poll() is not None:
            raise RuntimeError(f"nginx: {self.process.stderr.read() if self.process.stderr else ''}")
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        self.pid = int(children[0])
        self.publisher = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def publish(self, body: bytes) -> None:
        self.publisher.request("POST", "/pub", body)
        answer = self.publisher.getresponse()
        answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"nchan answers {answer.status}")

    def close(self) -> None:
        self.publisher.close()
        super().close()
        shutil.rmtree(self.folder, ignore_errors=True)
