"""A credential is put into every place where one can be, and then looked for in everything that comes out: answers,
what the service says, its files, and what a crash shows."""

from __future__ import annotations

import base64
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.served import jobtail, until
from tests.sse import EventStream
from tests.upstream import Fault, now_ms
from webapp.access.signer import make_signer
from webapp.settings import Settings

from .house import KEY, OWNER, TOKEN, UPSTREAM_TOKEN, House

CANARY = "ghp_CanaryCanaryCanaryCanaryCanaryCanary0"
OTHERS = ("AKIACANARYCANARY1234", "glpat-CanaryCanaryCanary00", "xoxb-1234567890-canarycanary")
JOB = "canary-job"


def traces(secret: str) -> list[bytes]:
    """The secret as it is and as it may hide: in base64, in hex, reversed by nobody."""
    plain = secret.encode()
    return [plain, base64.b64encode(plain).rstrip(b"=")[:-1], plain.hex().encode()]


def assert_without(where: str, text: bytes, secrets: tuple[str, ...] = (CANARY, *OTHERS)) -> None:
    for secret in (*secrets, TOKEN, UPSTREAM_TOKEN, KEY):
        for trace in traces(secret):
            assert trace not in text, f"{secret} is in {where}: …{text[max(0, text.find(trace) - 80) :][:200]!r}…"


def fill(house: House) -> None:
    """The upstream's side: lines, other keys of entries, names, the status, the configuration, the list."""
    job = house.upstream.job(
        JOB,
        status={
            "job_name": f"nightly {CANARY}", "instance_id": CANARY, "error": f"failed with {CANARY}",
            "nested": {"deep": [CANARY, {"password": "Tr0ub4dor&3"}]},
        },
        config={
            "name": f"config {CANARY}",
            "steps": [{"type": "udf", "name": CANARY, "arguments": {"key": CANARY, "password": "Tr0ub4dor&3"}}],
            "metadata": {"token": CANARY},
        },
    )  # fmt: skip
    row = dict.fromkeys(("user_id", "job_name", "detail", "instance_id", "execution_environment_id"), f"of {CANARY}")
    house.upstream.rows.append({"id": "row-job", "job_status": "Running", **row})
    start = now_ms() - 60_000
    for offset, text in enumerate((CANARY, *OTHERS, f"a line with {CANARY} within", "password=Tr0ub4dor&3", "plain")):
        job.log(text + "\n", start + offset)
    job.log(f"\x1b[31m{CANARY}\x1b[0m\r{CANARY}", start + 10)
    job.log("x" * 70_000 + " " + CANARY, start + 11)
    job.log("with keys", start + 12, user=CANARY, nested={"a": [CANARY]}, **{CANARY: 1}, id=CANARY, level=CANARY)
    job.log(f"level {CANARY}", "not a time")


def everything_asked(house: House, cookies: dict[str, dict[str, str]]) -> Iterator[tuple[str, bytes]]:
    """Every route, as everybody, in every form; and every way to be wrong with a secret in it."""
    base = f"/api/jobs/{JOB}"
    paths = [
        "/", f"/?text={CANARY}", f"/jobs/{JOB}", "/login", f"/login?next=/{CANARY}", f"/s/{CANARY}",
        "/api/jobs", f"{base}", f"{base}/logs", f"{base}/logs?format=ndjson", f"{base}/logs?format=text",
        f"{base}/logs?format=text&download=true", f"{base}/search?q=line", f"{base}/search?q={CANARY}",
        f"{base}/search?q=%28{CANARY}&regex=true", f"{base}/exec-time", f"{base}/overview", f"{base}/wait?timeout=0",
        f"{base}/config", f"{base}/steps-config", f"{base}/shares", "/server/v1/job/self", f"/server/v1/logs/{JOB}",
        f"/server/v1/run/by-id/{JOB}", f"/server/v1/job/by-id/{JOB}/config", f"/server/v1/config/{CANARY}",
        f"{base}/logs?limit={CANARY}", f"{base}/logs?after={CANARY}", f"{base}/logs?level={CANARY}",
        f"{base}/events?last_event_id={CANARY}", f"/api/jobs/{CANARY}%20", f"/{CANARY}", f"{base}/logs?{CANARY}=1",
        "/healthz", "/readyz", "/api/openapi.json",
    ]  # fmt: skip
    for name, headers in cookies.items():
        for path in paths:
            for accept in ("text/html", "application/json"):
                answer = house.ask("GET", path, {**headers, "Accept": accept})
                # What somebody asked for may come back to them, in a page's own form or as where to go on to.
                asked = CANARY in path and (accept == "text/html" or answer.status_code < 400)
                yield f"{name}: GET {path}", b"" if asked else str(answer.headers).encode() + answer.content
        for form in ("line", "batch"):
            url = f"{house.url}{base}/events?format={form}&sample_logs=false&timeout=1"
            with EventStream(url, headers={**headers, "Last-Event-ID": CANARY}) as events:
                yield f"{name}: events {form}", events.body()


def wrong_requests(house: House) -> Iterator[tuple[str, bytes]]:
    for headers in (
        {"Authorization": f"Bearer {CANARY}"}, {"Cookie": f"jobtail_session={CANARY}"}, {"X-Api-Key": CANARY},
        {"Host": CANARY}, {"Origin": f"https://{CANARY}.example"}, {"Last-Event-ID": CANARY}, {"User-Agent": CANARY},
    ):  # fmt: skip
        answer = house.ask("GET", "/api/jobs", headers)
        yield f"{headers}", str(answer.headers).encode() + answer.content
    for path, body in (
        ("/login", f"token={CANARY}&next=/"), (f"/api/jobs/{JOB}/shares", f'{{"note": "{CANARY}"}}'),
        (f"/api/jobs/{JOB}/shares", f'{{"{CANARY}": 1}}'), (f"/api/jobs/{JOB}/shares", f'{{"expires_in": "{CANARY}"}}'),
    ):  # fmt: skip
        kind = "application/x-www-form-urlencoded" if path == "/login" else "application/json"
        answer = house.ask("POST", path, {**OWNER, "Content-Type": kind}, content=body)
        yield f"POST {path} {body}", str(answer.headers).encode() + answer.content


def fail_with_secrets(house: House) -> Iterator[tuple[str, bytes]]:
    """The upstream's own errors, in body and headers."""
    house.upstream.job("failing-job").log("a line")
    until(lambda: house.owner("GET", "/api/jobs/failing-job/logs").json(), "its line")
    body = f'{{"detail": "bad credential {CANARY} of {UPSTREAM_TOKEN}"}}'.encode()
    for code in (500, 403, 422, 404):
        for route in ("status", "logs", "config", "cancel", "list"):
            house.upstream.always[route] = Fault("status", code, {"x-token": CANARY, "server": CANARY}, body)
        for job in ("failing-job", "unseen-job"):
            for method, path in (("GET", ""), ("GET", "/logs"), ("GET", "/config"), ("POST", "/cancel")):
                answer = house.owner(method, f"/api/jobs/{job}{path}")
                yield f"{code}: {method} {path}", str(answer.headers).encode() + answer.content
        answer = house.owner("GET", "/")
        yield f"{code}: /", answer.content
        with EventStream(f"{house.url}/api/jobs/failing-job/events?timeout=2", headers=OWNER) as events:
            yield f"{code}: events", events.body()
    house.upstream.always.clear()


@pytest.mark.timeout(400)  # a few hundred requests, some of which wait for an upstream that fails
def test_no_secret_comes_out_anywhere(house: House) -> None:
    fill(house)
    until(lambda: len(house.owner("GET", f"/api/jobs/{JOB}/logs").json()) >= 11, "all lines")
    _, whole = house.share(JOB, note=f"for {CANARY}")
    _, part = house.share(JOB, lines=[1, 5])
    for where, text in everything_asked(house, {"owner": OWNER, "link": whole, "link to lines": part, "stranger": {}}):
        assert_without(where, text)
    for where, text in wrong_requests(house):
        assert_without(where, text)
    for where, text in fail_with_secrets(house):
        assert_without(where, text)
    assert_without("what the service says", house.served.output.encode())
    files = [path for path in house.served.data_dir.rglob("*") if path.is_file()]
    assert len(files) > 3
    for path in files:
        assert_without(path.name, path.read_bytes())
    lines = house.owner("GET", f"/api/jobs/{JOB}/logs").json()
    assert any(line["message"] == "a line with *** within" for line in lines), "blanked, and nothing else"


def test_an_embedded_jobs_command_is_blanked(tmp_path: Path) -> None:
    settings = {"data_dir": tmp_path / "data"}
    done = jobtail("run", "--name", f"deploy {CANARY}", "--", "echo", "--token", CANARY, settings=settings)
    assert done.returncode == 0 and CANARY in done.stdout, "its own output passes through as it is"
    assert CANARY not in done.stderr
    for path in (path for path in settings["data_dir"].rglob("*") if path.is_file()):
        assert CANARY.encode() not in path.read_bytes(), path.name


def test_settings_show_no_secret(tmp_path: Path) -> None:
    settings = Settings(
        data_dir=tmp_path, access_token=TOKEN, upstream_token=UPSTREAM_TOKEN, secret_key=KEY,  # type: ignore[arg-type]
    )  # fmt: skip
    for text in (repr(settings), str(settings), f"{settings.__dict__}", settings.model_dump_json()):
        for secret in (TOKEN, UPSTREAM_TOKEN, KEY):
            assert secret not in text


def test_a_wrong_setting_does_not_print_the_secret_beside_it(tmp_path: Path) -> None:
    hidden = {"access_token": TOKEN, "secret_key": KEY, "upstream_url": f"https://ada:{CANARY}@up.example"}
    done = jobtail("serve", settings={"data_dir": tmp_path, "port": "nowhere", **hidden})
    assert done.returncode == 2 and "JOBTAIL_PORT" in done.stderr and "JOBTAIL_UPSTREAM_URL" in done.stderr
    for secret in (TOKEN, KEY, CANARY):
        assert secret not in done.stdout + done.stderr


def test_a_traceback_shows_no_token(tmp_path: Path) -> None:
    signer = make_signer(Settings(data_dir=tmp_path, access_token=TOKEN, secret_key=KEY), str)  # type: ignore[arg-type]
    try:
        signer.sign("no such purpose", {"x": CANARY}, 0)  # type: ignore[arg-type]
    except KeyError:
        shown = traceback.format_exc()
    assert TOKEN not in shown and KEY not in shown and TOKEN not in repr(signer)


@pytest.mark.parametrize("variable", ["JOBTAIL_ACCESS_TOKEN", "JOBTAIL_UPSTREAM_TOKEN", "JOBTAIL_SECRET_KEY"])
def test_a_jobs_command_does_not_inherit_our_secrets(tmp_path: Path, variable: str) -> None:
    settings = {"data_dir": tmp_path / "data", variable.removeprefix("JOBTAIL_").lower(): "a-secret-value-of-ours"}
    done = jobtail("run", "--", "env", settings=settings)
    assert done.returncode == 0 and "a-secret-value-of-ours" not in done.stdout
