"""The service as an app in this process: real journal, catalog, links; no sockets. Streams need a real server."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from starlette.applications import Starlette
from starlette.testclient import TestClient

from webapp.access.cookies import link_cookie
from webapp.access.shares import new_id
from webapp.access.signer import Purpose
from webapp.engine.job import DONE, Job, now_ms, status_of
from webapp.journal.line import Entry
from webapp.service import Service
from webapp.settings import Settings
from webapp.store.share import Link
from webapp.web.app import create_app

from ..written import Written

TOKEN = "sesame-0f6b1c7e9a5d4832"
BASE = "http://127.0.0.1:8484"
JOB = "20231114-221320-abcdefghjk"
START_MS = 1_700_000_000_000
LINES = 20


@dataclass(slots=True)
class Site:
    app: Starlette
    client: TestClient

    @classmethod
    @contextlib.contextmanager
    def opened(cls, data_dir: Path, **settings: Any) -> Iterator[Site]:
        app = create_app(Settings(**{"data_dir": data_dir, "access_token": TOKEN, **settings}))  # type: ignore[arg-type]
        with TestClient(app, base_url=BASE, raise_server_exceptions=False, follow_redirects=False) as client:
            site = cls(app, client)
            if site.service.catalog.get(JOB) is None:
                site.add_job(JOB, [f"line {number} of the job" for number in range(1, LINES + 1)])
            yield site

    @property
    def service(self) -> Service:
        service: Service = self.app.state.service
        return service

    def add_job(
        self, job: str, messages: list[str], *, name: str = "nightly", command: tuple[str, ...] = ("sh", "nightly.sh"),
        extra: dict[str, Any] | None = None, ended: bool = True,
    ) -> None:  # fmt: skip
        """A job of the embedded engine as its runner leaves it."""
        at = now_ms()
        row = Job(job, name, command, "/srv", "host", "ada", "3.12", 1, START_MS, at, DONE if ended else "Running", at)
        self.service.catalog.put(row)
        journal = Written(self.service.store.journals.open(job))
        journal.append([Entry(START_MS + index, text, extra) for index, text in enumerate(messages)])
        journal.set_status(status_of(row).model_dump(mode="json"))
        if ended:
            journal.finish(True)
        journal.release()

    def ask(self, method: str, path: str, headers: dict[str, str] | None = None, **how: Any) -> httpx2.Response:
        """As a stranger, with nothing kept from one request to the next."""
        self.client.cookies.clear()
        response: httpx2.Response = self.client.request(method, path, headers=headers, **how)
        self.client.cookies.clear()
        return response

    def owner(self, method: str, path: str, headers: dict[str, str] | None = None, **how: Any) -> httpx2.Response:
        return self.ask(method, path, {"Authorization": f"Bearer {TOKEN}", **(headers or {})}, **how)

    def share(self, job: str = JOB, **terms: Any) -> dict[str, Any]:
        """A new link, as its maker sees it."""
        made = self.owner("POST", f"/api/jobs/{job}/shares", json=terms)
        assert made.status_code == 201, made.text
        answer: dict[str, Any] = made.json()
        return answer

    def token(self, job: str = JOB, **terms: Any) -> str:
        return str(self.share(job, **terms)["url"].rpartition("/s/")[2])

    def enter(self, token: str) -> dict[str, str]:
        """The headers of a browser that has opened the link."""
        answer = self.ask("GET", f"/s/{token}")
        assert answer.status_code == 200, answer.text
        return {"Cookie": answer.headers["set-cookie"].partition(";")[0]}

    def ended_link(self) -> dict[str, str]:
        """The headers of a browser whose link, which was real, has ended a second ago."""
        link = Link(new_id(), JOB, now_ms() - 1000, True)
        self.service.shares.add(link, "", "ada")
        cookie = self.service.access.signer.sign(Purpose.LINK_COOKIE, link.payload(), link.ends_ms)
        return {"Cookie": f"{link_cookie(JOB)}={cookie}"}

    def sign_in(self, token: str = TOKEN, **headers: str) -> httpx2.Response:
        return self.ask("POST", "/login", headers, data={"token": token, "next": "/"})
