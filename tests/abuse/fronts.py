"""HAProxy and nginx as `docs/proxies.md` configures them, but for TLS, which is none of an attack."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.proxies.front import BLOCKS, program
from tests.security.test_nginx import answers
from tests.served import until

from ..postgres import free_port

_NGINX = """
daemon off; pid {folder}/pid; error_log {folder}/log; worker_processes 1;
events {{ worker_connections 4096; }}
http {{
  access_log off; client_body_temp_path {folder}/1; proxy_temp_path {folder}/2; fastcgi_temp_path {folder}/3;
  uwsgi_temp_path {folder}/4; scgi_temp_path {folder}/5;
  {site}
}}
"""


def configuration(name: str, port: int, behind: int, folder: Path) -> str:
    """The documented one."""
    site = BLOCKS[name].replace("127.0.0.1:8484", f"127.0.0.1:{behind}")
    if name == "haproxy":
        return re.sub(r"bind .*", f"bind 127.0.0.1:{port}", site)
    site = re.sub(r"listen .*;", f"listen 127.0.0.1:{port};", site)
    return _NGINX.format(folder=folder, site=re.sub(r" *ssl_.*\n", "", site))


@contextmanager
def front(name: str, folder: Path, behind: int) -> Iterator[str]:
    """The address of one in front of that port."""
    path = program(name)
    if path is None:
        pytest.skip(f"{name} is not installed")
    port, config = free_port(), folder / "conf"
    config.write_text(configuration(name, port, behind, folder))
    said = folder / "said"
    command = [path, "-db", "-f", str(config)] if name == "haproxy" else [path, "-p", str(folder), "-c", str(config)]
    with said.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, cwd=folder)
    try:
        until(lambda: answers(port) or process.poll() is not None, f"{name} to start")
        assert process.poll() is None, said.read_text()
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)
