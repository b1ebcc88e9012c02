"""Two hundred runners at once: a few of them real, the rest as the wire describes them."""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path

import httpx

from ..served import Served
from .reported import OWNER, RUN, begin, check, count, messages

RUNNERS, BATCHES, LINES, REAL = 200, 2, 25, 3


async def report(client: httpx.AsyncClient, number: int) -> str:
    job = f"many-{uuid.uuid4().hex}"
    headers = {"Producer-Id": f"runner-{number}", "Producer-Epoch": "0"}

    async def ask(method: str, path: str, body: object, token: str, **more: str) -> httpx.Response:
        while True:
            named = {**headers, **more, "Authorization": f"Bearer {token}"}
            try:
                answer = await client.request(method, f"/api/jobs/{job}{path}", json=body, headers=named)
            except httpx.TransportError:  # as a runner does: the same again, which is written once
                await asyncio.sleep(0.5)
                continue
            if answer.status_code not in (429, 503):
                assert answer.is_success, answer.text
                return answer
            await asyncio.sleep(float(answer.headers["Retry-After"]))

    grant = (await ask("PUT", "", {"name": f"runner {number}"}, RUN)).json()["grant"]
    for seq in range(BATCHES):
        lines = [
            {"timestamp": 1_700_000_000_000 + k, "message": str(k), "stream": "stdout"}
            for k in range(seq * LINES, (seq + 1) * LINES)
        ]
        await ask("POST", "/lines", {"lines": lines}, grant, **{"Producer-Seq": str(seq)})
    await ask("POST", "/heartbeat", {}, grant)
    await ask("POST", "/end", {"exit_code": 0}, grant)
    return job


async def report_all(url: str) -> list[str]:
    limits = httpx.Limits(max_connections=RUNNERS)
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=60, limits=limits) as client:
        return await asyncio.gather(*(report(client, number) for number in range(RUNNERS)))


def test_two_hundred_runners_at_once_bring_every_line_once(service: Served, tmp_path: Path) -> None:
    real = [begin(tmp_path, service.url, *count(100)) for _ in range(REAL)]
    jobs = asyncio.run(report_all(service.url))
    for _, runner in real:
        _, err = runner.communicate(timeout=60)
        assert runner.returncode == 0, err
    for job, _ in real:
        check(service, job, 100)
    for job in jobs[::5]:
        assert messages(service, job) == [str(k) for k in range(BATCHES * LINES)]
    assert len(service.get("/api/jobs?n=500", headers=OWNER).json()["jobs"]) == RUNNERS + REAL
