"""Starts one of the proxies, and asks through it with curl over HTTP/2."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.served import until

PROXIES = ("nginx", "caddy", "haproxy", "apache2")
# How the site treats the path: it has none; `/logs` is passed on; `/logs` is taken away.
WAYS = ("root", "kept", "stripped")
DOCS = (Path(__file__).parent.parent.parent / "docs" / "proxies.md").read_text()
BLOCKS = {name: text for name, text in re.findall(r"```(\w+)\n(.*?)```", DOCS, re.DOTALL) if name in PROXIES}

# What a site under a path has instead of the first text, which the documentation has.
_PATHS = {
    "nginx": ("location / {", "location /logs/ {"),
    "caddy": ("reverse_proxy", "handle /logs/* { \n reverse_proxy"),
    "haproxy": ("default_backend jobtail", "use_backend jobtail if { path_beg /logs/ }"),
    "apache2": ("ProxyPass / http://127.0.0.1:8484/", "ProxyPass /logs/ http://127.0.0.1:8484/logs/"),
}
# And what differs where the proxy takes the path away.
_STRIPS = {
    "nginx": ("http://127.0.0.1:8484", "http://127.0.0.1:8484/"),
    "caddy": ("handle /logs/*", "handle_path /logs/*"),
    "haproxy": ("    server jobtail", "    http-request replace-path /logs(/.*) \\1\n    server jobtail"),
    "apache2": ("http://127.0.0.1:8484/logs/", "http://127.0.0.1:8484/"),
}
_MODULES = (
    "mpm_event", "authz_core", "ssl", "http2", "proxy", "proxy_http", "headers", "filter", "deflate", "socache_shmcb",
)  # fmt: skip
# What stands around the sites: everything else is as the proxy has it by default, and it compresses what it may.
_AROUND = {
    "nginx": """
daemon off; pid {folder}/pid; error_log {folder}/log; worker_processes 1;
events {{ worker_connections 128; }}
http {{
  access_log off; gzip on; gzip_proxied any; gzip_min_length 1; gzip_types *;
  client_body_temp_path {folder}/1; proxy_temp_path {folder}/2; fastcgi_temp_path {folder}/3;
  uwsgi_temp_path {folder}/4; scgi_temp_path {folder}/5;
{sites} }}
""",
    "caddy": "{{\n admin off\n auto_https disable_redirects\n storage file_system {folder}\n}}\n{sites}",
    "haproxy": "{sites}",
    "apache2": """
ServerRoot {folder}
ServerName localhost
PidFile {folder}/pid
ErrorLog {folder}/log
{modules}
AddOutputFilterByType DEFLATE text/html text/plain application/json application/x-ndjson text/event-stream
{listens}
{sites}
""",
}


def program(name: str) -> str | None:
    return shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin:/opt/homebrew/bin")


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def site_block(name: str, way: str, port: int, behind: int, certificate: Path) -> str:
    """The documented block for this port, service and certificate, and under a path where `way` says so."""
    text = BLOCKS[name]
    if way != "root":
        old, new = _PATHS[name]
        assert old in text
        text = text.replace(old, new)
    if way == "stripped":
        text = text.replace(*_STRIPS[name])
    if name == "caddy":
        tls = f"tls {certificate}/site.pem {certificate}/site.key\n encode gzip\n"
        text = text.replace("logs.example {", f"https://localhost:{port} {{\n {tls}")
        text = text.replace("127.0.0.1:8484", "127.0.0.1:8484\n }" if way != "root" else "127.0.0.1:8484")
    if name == "haproxy":
        text = re.sub(r"^((?:frontend|backend) \w+)", rf"\1_{port}", text, flags=re.MULTILINE)
        text = re.sub(r"(_backend jobtail)", rf"\1_{port}", text)
        text = text.replace("default_backend", "compression algo gzip\n    default_backend")
    text = re.sub(r"\b443\b", str(port), text.replace(":443 ssl", "127.0.0.1:443 ssl"))
    text = text.replace("/etc/ssl/logs.example", f"{certificate}/site").replace("logs.example", "localhost")
    return text.replace("127.0.0.1:8484", f"127.0.0.1:{behind}")


@dataclass(frozen=True)
class Answer:
    status: int
    version: str
    headers: dict[str, str]
    body: str


@dataclass(frozen=True)
class Front:
    """A site of a proxy: its port, the path that it is under, and the authority that signed its certificate."""

    port: int
    prefix: str
    authority: Path

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}{self.prefix}"

    @property
    def public(self) -> str:
        """As browsers know it."""
        return f"https://localhost{self.prefix}"

    def command(self, address: str, *options: str) -> list[str]:
        """curl, which takes the public address for that of this site."""
        there = f"localhost:443:127.0.0.1:{self.port}"
        if address.startswith("/"):
            address = self.public + address
        fixed = ("--cacert", str(self.authority), "--http2", "--compressed", "--connect-to", there, "--noproxy", "*")
        return [program("curl") or "curl", "-sS", "-N", "-m", "60", *fixed, *options, address]

    def ask(self, address: str, *options: str) -> Answer:
        done = subprocess.run(self.command(address, "-i", *options), capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{address}: {done.stderr}"
        head, _, body = done.stdout.partition("\n\n")
        first, *lines = head.splitlines()
        version, status = first.split()[:2]
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        return Answer(int(status), version, headers, body)

    @contextmanager
    def stream(self, address: str, *options: str) -> Iterator[Iterator[str]]:
        """The lines of an answer that stays open, as they come; they end after a minute at the latest."""
        process = subprocess.Popen(self.command(address, *options), stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            yield iter(process.stdout)
        finally:
            process.terminate()
            process.wait(10)

    @staticmethod
    @contextmanager
    def started(name: str, folder: Path, certificate: Path, services: dict[str, int]) -> Iterator[dict[str, Front]]:
        """The proxy with a site for each of WAYS. `services`: ports by the prefix that they are told. Once more where
        another program has taken one of the ports since it was free."""
        for last in (False, False, True):
            with Front._started(name, folder, certificate, services) as sites:
                if sites or last:
                    assert sites, (folder / "said").read_text()
                    yield sites
                    return

    @staticmethod
    @contextmanager
    def _started(
        name: str, folder: Path, certificate: Path, services: dict[str, int]
    ) -> Iterator[dict[str, Front]]:
        """No sites where it ended at once."""
        sites = {way: Front(free_port(), "" if way == "root" else "/logs", certificate / "ca.pem") for way in WAYS}
        blocks = [site_block(name, way, site.port, services[site.prefix], certificate) for way, site in sites.items()]
        modules = "\n".join(f"LoadModule {one}_module /usr/lib/apache2/modules/mod_{one}.so" for one in _MODULES)
        listens = "\n".join(f"Listen 127.0.0.1:{site.port}" for site in sites.values())
        around = _AROUND[name].format(folder=folder, sites="\n".join(blocks), modules=modules, listens=listens)
        (folder / "conf").write_text(around)
        with (folder / "said").open("wb") as said:
            process = subprocess.Popen(_command(name, folder), stdout=said, stderr=said, cwd=folder)
        try:
            for site in sites.values():
                until(lambda port=site.port: _listens(port) or process.poll() is not None, f"{name} to start")  # type: ignore[misc]
            yield sites if process.poll() is None else {}
        finally:
            process.terminate()
            process.wait(20)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _command(name: str, folder: Path) -> list[str]:
    path, config = program(name) or name, str(folder / "conf")
    return {
        "nginx": [path, "-p", str(folder), "-c", config, "-e", str(folder / "log")],
        "caddy": [path, "run", "--config", config, "--adapter", "caddyfile"],
        "haproxy": [path, "-db", "-f", config],
        "apache2": [path, "-DFOREGROUND", "-f", config],
    }[name]
