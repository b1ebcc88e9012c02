"""The programs of docs/sse.md, taken from the document and run: broken off on the way, resumed, ended, sampled."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ..served import Served, until
from ..wire.published import ROOT, cache
from .cutter import Cutter

DOCUMENT = (ROOT / "docs" / "sse.md").read_text()
TOKEN = "the-access-token-of-this-test"
LINES = [str(n) for n in range(1, 2001)]
COUNT = re.compile(r"\.\.\. (\d+) lines left out")


def consumer(name: str) -> str:
    found = re.search(rf"<!-- consumer: {re.escape(name)} -->\n```\w+\n(.*?)```", DOCUMENT, re.DOTALL)
    assert found, f"docs/sse.md has no consumer {name}"
    return found[1]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served({"data_dir": tmp_path_factory.mktemp("sse") / "data", "access_token": TOKEN}).start()
    yield served
    served.stop()


@pytest.fixture(scope="module")
def job(served: Served) -> str:
    return served.run("seq", "2000")


def run(command: list[str], **how: Any) -> list[str]:
    environment = os.environ | {"JOBTAIL_TOKEN": TOKEN} | how.pop("env", {})
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, env=environment, **how)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def whole(printed: list[str]) -> None:
    """Every line once, those that were left out counted."""
    shown = [line for line in printed if not COUNT.fullmatch(line)]
    left_out = sum(int(found[1]) for line in printed if (found := COUNT.fullmatch(line)))
    assert len(shown) + left_out == len(LINES)
    assert len(set(shown)) == len(shown) and set(shown) <= set(LINES)
    assert shown[0] == LINES[0] and shown[-1] == LINES[-1]


def test_curl_reads_and_resumes(served: Served, job: str, tmp_path: Path) -> None:
    script = tmp_path / "tail.sh"
    script.write_text(consumer("tail.sh"))
    with Cutter(served.port, 90_000) as cutter:
        url = f"{cutter.url}/api/jobs/{job}/events?sample_logs=false"
        printed = run(["sh", str(script), url, str(tmp_path / "cursor")])
        assert cutter.cuts >= 2
    assert [re.search(r'"message":"(\d+)"', line)[1] for line in printed] == LINES  # type: ignore[index]
    assert (tmp_path / "cursor").read_text().endswith("-2000.done")
    assert run(["sh", str(script), url.replace(cutter.url, served.url), str(tmp_path / "cursor")]) == []


def test_curl_alone_looks(served: Served, job: str) -> None:
    found = re.search(r"## curl.*?```sh\n(curl .*?)\n```", DOCUMENT, re.DOTALL)
    assert found is not None
    command = found[1].replace("curl", f'curl -sS -H "Authorization: Anything {TOKEN}"', 1)
    printed = run(["sh", "-c", command], env={"JOBTAIL_URL": served.url, "JOB": job})
    assert (printed[-3].endswith("-2000.done") and printed[-2] == "") or "event: done" in printed


@pytest.mark.parametrize("sample", ["true", "false"])
def test_httpx_sse_reads_and_resumes(served: Served, job: str, tmp_path: Path, sample: str) -> None:
    script = tmp_path / "follow.py"
    script.write_text(consumer("follow.py"))
    with Cutter(served.port, 2_000 if sample == "true" else 90_000) as cutter:
        url = f"{cutter.url}/api/jobs/{job}/events?sample_logs={sample}"
        whole(run([sys.executable, str(script), url]))
        assert cutter.cuts >= (sample == "false")


def test_httpx_sse_needs_no_token_where_none_is_set_and_is_not_silent_about_a_wrong_one(
    served: Served, job: str, serve: Callable[..., Served], tmp_path: Path
) -> None:
    script = tmp_path / "follow.py"
    script.write_text(consumer("follow.py"))
    own = serve()
    url = f"{own.url}/api/jobs/{own.run('seq', '2000')}/events"
    for token in ("", None):
        env = {name: value for name, value in os.environ.items() if name != "JOBTAIL_TOKEN"}
        env |= {} if token is None else {"JOBTAIL_TOKEN": token}
        done = subprocess.run([sys.executable, str(script), url], capture_output=True, text=True, timeout=60, env=env)
        assert done.returncode == 0, done.stderr
        whole(done.stdout.splitlines())
    env = os.environ | {"JOBTAIL_TOKEN": "wrong"}
    asked = [sys.executable, str(script), f"{served.url}/api/jobs/{job}/events"]
    done = subprocess.run(asked, capture_output=True, text=True, timeout=60, env=env)
    assert done.returncode != 0 and "401" in done.stderr


def node() -> str:
    """Node 20 or newer, or the test is left out."""
    found = shutil.which("node")
    version = subprocess.run([found, "--version"], capture_output=True, text=True).stdout if found else ""
    if not found or not shutil.which("npm") or int(version.strip().lstrip("v").split(".")[0] or 0) < 20:
        pytest.skip("Node 20 and npm are not here")
    return found


@pytest.mark.parametrize("sample", ["true", "false"])
def test_eventsource_of_npm_reads_and_resumes(served: Served, job: str, tmp_path: Path, sample: str) -> None:
    program = node()
    home = cache() / "eventsource"
    if not (home / "node_modules" / "eventsource").is_dir():
        home.mkdir(exist_ok=True)
        (home / "package.json").write_text('{"private": true}')
        quiet = ["--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run(["npm", "install", *quiet, "eventsource@4"], cwd=home, check=True, capture_output=True)
    script = home / f"follow-{os.getpid()}.mjs"
    script.write_text(consumer("follow.mjs").replace("?last_event_id", f"?sample_logs={sample}&last_event_id"))
    try:
        with Cutter(served.port, 2_000 if sample == "true" else 90_000) as cutter:
            whole(run([program, str(script), f"{cutter.url}/api/jobs/{job}/events"]))
            assert cutter.cuts >= (sample == "false")
    finally:
        script.unlink()


def test_rust_reads_and_resumes(served: Served, job: str, tmp_path: Path) -> None:
    # There may be a rustc that has no compiler behind it for this user.
    if not shutil.which("rustc") or subprocess.run(["rustc", "--version"], capture_output=True).returncode:
        pytest.skip("rustc is not here")
    (tmp_path / "follow.rs").write_text(consumer("follow.rs"))
    built = subprocess.run(["rustc", "--edition", "2021", "follow.rs"], cwd=tmp_path, capture_output=True, text=True)
    assert built.returncode == 0 and "warning" not in built.stderr, built.stderr
    with Cutter(served.port, 90_000) as cutter:
        url = f"/api/jobs/{job}/events?sample_logs=false"
        printed = run([str(tmp_path / "follow"), cutter.url.removeprefix("http://"), url])
        assert cutter.cuts >= 2
    assert [json.loads(line)["message"] for line in printed] == LINES
    sampled = run([str(tmp_path / "follow"), served.url.removeprefix("http://"), f"/api/jobs/{job}/events"])
    found = [json.loads(line) for line in sampled]
    assert sum(one.get("count", 1) for one in found) == len(LINES)


@pytest.fixture
def page(served: Served) -> Iterator[Any]:
    """A page of the service's origin in a real browser, signed in."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        here = next((path for path in ("/usr/bin/chromium", "/usr/bin/chromium-browser") if Path(path).exists()), None)
        browser = playwright.chromium.launch(executable_path=here, args=["--no-sandbox"])
        yield browser.new_page(extra_http_headers={"Authorization": f"Bearer {TOKEN}"})
        browser.close()


def test_a_browser_reads_and_resumes(served: Served, job: str, page: Any) -> None:
    with Cutter(served.port, 90_000) as cutter:
        page.goto(f"{cutter.url}/healthz")
        found = page.evaluate(
            """async ([source, job]) => {
                const follow = new Function(source + "; return follow;")();
                const seen = { lines: [], omitted: 0, resets: 0 };
                seen.end = await new Promise((resolve) => follow(job, {
                    onLines: (lines) => seen.lines.push(...lines.map((line) => line.message)),
                    onOmitted: (omitted) => { seen.omitted += omitted.count; },
                    onReset: () => { seen.resets += 1; },
                    onEnd: resolve,
                }));
                return seen;
            }""",
            [consumer("follow.js"), job],
        )
    assert found["end"]["reason"] == "finished" and found["end"]["lines"] == 2000 and found["resets"] == 0
    assert len(found["lines"]) + found["omitted"] == 2000
    assert found["lines"][0] == "1" and found["lines"][-1] == "2000"


def test_a_browser_comes_back_after_a_restart(serve: Callable[..., Served], page: Any, tmp_path: Path) -> None:
    from .fed import Fed

    own = serve(access_token=TOKEN)
    fed = Fed(own, tmp_path)
    fed.say("one")
    page.goto(f"{own.url}/healthz")
    page.evaluate(
        """([source, job]) => {
            const follow = new Function(source + "; return follow;")();
            window.seen = [];
            follow(job, {
                onLines: (lines) => window.seen.push(...lines.map((line) => line.message)),
                onOmitted: (omitted) => window.seen.push(omitted.count),
                onReset: () => window.seen.push("reset"),
                onEnd: (done) => window.seen.push(done.reason),
            });
        }""",
        [consumer("follow.js"), fed.id],
    )
    seen = lambda: page.evaluate("window.seen")  # noqa: E731
    until(lambda: seen() == ["one"], "the first line")
    own.restart()
    fed.say("two")
    until(lambda: seen() == ["one", "two"], "the second line", 60)
    fed.end()
    until(lambda: seen() == ["one", "two", "finished"], "the end")


@pytest.mark.parametrize("name", ["tail.sh", "follow.py", "follow.mjs", "follow.rs"])
def test_each_works_where_no_token_is_set(serve: Callable[..., Served], tmp_path: Path, name: str) -> None:
    own = serve()
    job = own.run("seq", "3")
    script = tmp_path / name
    script.write_text(consumer(name))
    url = f"{own.url}/api/jobs/{job}/events?sample_logs=false"
    if name == "tail.sh":
        command = ["sh", str(script), url, str(tmp_path / "cursor")]
    elif name == "follow.py":
        command = [sys.executable, str(script), url]
    elif name == "follow.mjs":
        home = cache() / "eventsource"
        if not node() or not (home / "node_modules" / "eventsource").is_dir():
            pytest.skip("eventsource of npm is not here yet")
        script = home / f"plain-{os.getpid()}.mjs"
        script.write_text(consumer(name))
        command = [node(), str(script), url.partition("?")[0]]
    else:
        if not shutil.which("rustc") or subprocess.run(["rustc", "--version"], capture_output=True).returncode:
            pytest.skip("rustc is not here")
        subprocess.run(["rustc", "--edition", "2021", name], cwd=tmp_path, check=True, capture_output=True)
        command = [str(tmp_path / "follow"), own.url.removeprefix("http://"), url.removeprefix(own.url)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60,
        env={name: value for name, value in os.environ.items() if name != "JOBTAIL_TOKEN"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "3" in done.stdout.splitlines()[-1]
