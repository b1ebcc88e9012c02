"""The service as people run it: a process, a socket, an upstream; and requests written by hand."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.served import Served
from tests.upstream import Upstream, upstream
from webapp.access.cookies import link_cookie
from webapp.access.shares import Shares, new_id, now_ms
from webapp.access.signer import Purpose, Signer
from webapp.journal.redact import Redactor
from webapp.store.share import Link
from webapp.store.sqlite.store import SqliteStore

TOKEN = "sesame-0f6b1c7e9a5d4832"
UPSTREAM_TOKEN = "upstream-5d1f8a7703c94e26"
KEY = "signing-key-8e21f0b7d6c54a39"
OWNER = {"Authorization": f"Bearer {TOKEN}"}


@dataclass(slots=True)
class House:
    served: Served
    upstream: Upstream
    client: httpx.Client

    @classmethod
    @contextlib.contextmanager
    def opened(cls, folder: Path, *, kind: type[Served] = Served, **settings: object) -> Iterator[House]:
        """`kind`: what is run."""
        with upstream(token=UPSTREAM_TOKEN) as behind:
            served = kind(
                {
                    "data_dir": folder / "data", "access_token": TOKEN, "secret_key": KEY,
                    "upstream_url": behind.url, "upstream_token": UPSTREAM_TOKEN, **settings,
                }
            )  # fmt: skip
            served.start()
            try:
                with httpx.Client(timeout=30, trust_env=False) as client:
                    yield cls(served, behind, client)
            finally:
                served.stop()

    @property
    def url(self) -> str:
        return self.served.url

    def ask(self, method: str, path: str, headers: dict[str, str] | None = None, **how: Any) -> httpx.Response:
        """As a stranger. One client for all, since each new one reads every certificate of the machine."""
        self.client.cookies.clear()
        answer = self.client.request(method, self.url + path, headers=headers, **how)
        self.client.cookies.clear()
        return answer

    def owner(self, method: str, path: str, headers: dict[str, str] | None = None, **how: Any) -> httpx.Response:
        return self.ask(method, path, {**OWNER, **(headers or {})}, **how)

    def share(self, job: str, **terms: Any) -> tuple[str, dict[str, str]]:
        """A new link's id, and the headers of a browser that has opened it."""
        made = self.owner("POST", f"/api/jobs/{job}/shares", json=terms)
        assert made.status_code == 201, made.text
        opened = self.ask("GET", "/s/" + made.json()["url"].rpartition("/s/")[2])
        return made.json()["id"], {"Cookie": opened.headers["set-cookie"].partition(";")[0]}

    def short_link(self, job: str, seconds: float, **more: Any) -> dict[str, str]:
        """The cookie of a link that ends sooner than one may ask for."""
        link = Link(new_id(), job, now_ms() + int(seconds * 1000), **more)
        store = SqliteStore(self.served.data_dir, Redactor(()))
        Shares(store).add(link, "", "ada")
        store.close()
        cookie = Signer([KEY], TOKEN).sign(Purpose.LINK_COOKIE, link.payload(), link.ends_ms)
        return {"Cookie": f"{link_cookie(job)}={cookie}"}

    def raw(self, request: bytes, seconds: float = 10) -> bytes:
        """What comes back for bytes that no client of HTTP would send."""
        with socket.create_connection(("127.0.0.1", self.served.port), seconds) as connection:
            connection.sendall(request)
            answer = b""
            with contextlib.suppress(TimeoutError, ConnectionError):
                while piece := connection.recv(65536):
                    answer += piece
            return answer

    def line(self, method: str, target: str) -> int:
        """The status of a request whose target is sent as it is."""
        request = f"{method} {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {TOKEN}\r\n"
        answer = self.raw(f"{request}Content-Length: 0\r\nConnection: close\r\n\r\n".encode())
        return int(answer.split(b" ")[1])
