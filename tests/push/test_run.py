"""Jobs on other machines: real runners, a real service, and a network between them that does what networks do."""

from __future__ import annotations

import os
import shutil
import signal
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from ..client.cutter import Cutter
from ..served import Served, jobtail, spawn, until
from .reported import OWNER, RUN, check, count, elsewhere, job_of, lines, status


def test_a_command_elsewhere_is_a_job_here(service: Served, tmp_path: Path) -> None:
    done = jobtail("run", "--name", "train", "--", *count(50, code=3), settings=elsewhere(tmp_path, service.url))
    assert done.returncode == 3
    assert done.stdout.split() == [str(k) for k in range(50)]
    job = job_of(done.stderr)
    assert done.stderr.splitlines()[0] == f"jobtail: {service.url}/jobs/{job}"
    check(service, job, 50)
    told = status(service, job)
    assert (told["job_status"], told["exit_code"], told["job_name"]) == ("Failed", 3, "train")
    assert told["user"].endswith("(ci)")
    assert not list((tmp_path / "elsewhere" / "outbox").glob("*/*"))


def test_nobody_there_costs_the_command_nothing_and_push_brings_it(service: Served, tmp_path: Path) -> None:
    service.stop()
    settings = elsewhere(tmp_path, service.url)
    done = jobtail("run", "--linger", "0.5", "--", *count(20, code=7), settings=settings)
    assert done.returncode == 7 and done.stdout.split() == [str(k) for k in range(20)]
    assert "40 lines stay in" in done.stderr and "jobtail push" in done.stderr
    service.start()
    job = job_of(done.stderr)
    pushed = jobtail("push", settings=settings)
    assert pushed.returncode == 0, pushed.stderr
    check(service, job, 20)
    assert status(service, job)["exit_code"] == 7
    assert jobtail("push", settings=settings).stderr == ""


def test_a_service_that_is_killed_twice_misses_nothing(service: Served, tmp_path: Path) -> None:
    runner = spawn(
        "run", "--", *count(300, pause=0.01), settings=elsewhere(tmp_path, service.url), stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )  # fmt: skip
    assert runner.stderr is not None
    job = job_of(runner.stderr.readline().decode())
    for least in (20, 200):
        until(lambda least=least: len(lines(service, job)) > least)  # type: ignore[misc]
        service.kill()
        service.start()
    runner.stderr.read()
    assert runner.wait(60) == 0
    check(service, job, 300)


def test_a_runner_that_is_killed_is_lost_and_its_lines_are_pushed_later(service: Served, tmp_path: Path) -> None:
    settings = elsewhere(tmp_path, service.url)
    runner = spawn(
        "run", "--", *count(5000, pause=0.005), settings=settings, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        start_new_session=True,
    )  # fmt: skip
    assert runner.stderr is not None
    job = job_of(runner.stderr.readline().decode())
    until(lambda: len(lines(service, job)) > 10)
    service.stop()
    until(lambda: list((tmp_path / "elsewhere" / "outbox" / job).glob("*.ndjson")))
    os.killpg(runner.pid, signal.SIGKILL)
    runner.wait()
    service.start()
    pushed = jobtail("push", settings=settings)
    assert pushed.returncode == 0, pushed.stderr
    found = [line["message"] for line in lines(service, job) if line["stream"] == "stdout"]
    assert found == [str(k) for k in range(len(found))] and len(found) > 5
    assert status(service, job)["job_status"] == "Failed"


def test_it_is_cancelled_from_the_page(service: Served, tmp_path: Path) -> None:
    runner = spawn(
        "run", "--", "sleep", "60", settings=elsewhere(tmp_path, service.url), stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )  # fmt: skip
    assert runner.stderr is not None
    job = job_of(runner.stderr.readline().decode())
    until(lambda: service.get(f"/api/jobs/{job}", headers=OWNER).status_code == 200)
    assert service.post(f"/api/jobs/{job}/cancel", headers=OWNER).status_code == 202
    assert runner.wait(30) == 128 + signal.SIGTERM
    until(lambda: status(service, job)["job_status"] == "Canceled")


def test_a_wrong_token_is_said_once_and_the_command_runs(service: Served, tmp_path: Path) -> None:
    settings = elsewhere(tmp_path, service.url) | {"token": "wrong"}
    done = jobtail("run", "--", *count(3), settings=settings)
    assert done.returncode == 0 and done.stdout.split() == ["0", "1", "2"]
    assert done.stderr.count("refuses it") == 1 and "6 lines stay" in done.stderr
    assert jobtail("push", settings=settings | {"token": RUN}).returncode == 0
    check(service, job_of(done.stderr), 3)


def test_the_runner_of_the_documentation_works(service: Served) -> None:
    text = (Path(__file__).parent.parent.parent / "docs" / "push.md").read_text()
    code = text.split("```python\n", 1)[1].split("```", 1)[0]
    scope: dict[str, Any] = {}
    exec(code, scope)
    job = scope["report"](service.url, RUN, [f"line {n}" for n in range(250)], 2)
    assert [line["message"] for line in lines(service, job)] == [f"line {n}" for n in range(250)]
    assert status(service, job)["exit_code"] == 2


@pytest.mark.parametrize("cancelled", [False, True])
def test_the_script_of_the_documentation_works(service: Served, tmp_path: Path, cancelled: bool) -> None:
    if shutil.which("curl") is None or shutil.which("jq") is None:
        pytest.skip("curl or jq is not here")
    text = (Path(__file__).parent.parent.parent / "docs" / "push.md").read_text()
    (tmp_path / "report.sh").write_text(text.split("#!/bin/bash\n", 1)[1].split("```", 1)[0])
    command = ["echo one; echo 'two \"quoted\"'; exec sleep 60"] if cancelled else ["seq 1200; exit 3"]
    script = subprocess.Popen(
        ["bash", "report.sh", service.url, RUN, "sh", "-c", *command], cwd=tmp_path, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, env=os.environ | {"TMPDIR": str(tmp_path)},
    )  # fmt: skip
    assert script.stdout is not None
    job = job_of(script.stdout.readline())
    if cancelled:
        until(lambda: [line["message"] for line in lines(service, job)] == ["one", 'two "quoted"'])
        assert service.post(f"/api/jobs/{job}/cancel", headers=OWNER).status_code == 202
    _, err = script.communicate(timeout=60)
    told = status(service, job)
    if cancelled:
        assert (told["job_status"], script.returncode) == ("Canceled", 143), (told, err)
        return
    assert (told["job_status"], told["exit_code"], script.returncode) == ("Failed", 3, 3), (told, err)
    assert [line["message"] for line in lines(service, job)] == [str(n) for n in range(1, 1201)]


def test_a_network_that_cuts_answers_off_loses_and_doubles_nothing(service: Served, tmp_path: Path) -> None:
    with Cutter(service.port, 2500) as proxy:
        done = jobtail("run", "--", *count(150, pause=0.02), settings=elsewhere(tmp_path, proxy.url))
        assert done.returncode == 0 and proxy.cuts > 1
    check(service, job_of(done.stderr), 150)


def test_a_command_line_that_no_request_could_hold_is_reported_all_the_same(service: Served, tmp_path: Path) -> None:
    arguments = [f"argument-{n}" for n in range(15_000)]
    settings = elsewhere(tmp_path, service.url)
    done = jobtail("run", "--linger", "20", "--", "sh", "-c", "echo $#; exit 3", *arguments, settings=settings)
    assert (done.returncode, done.stdout) == (3, "14999\n") and "stay" not in done.stderr
    job = job_of(done.stderr)
    assert [line["message"] for line in lines(service, job)] == ["14999"]
    command = service.get(f"/api/jobs/{job}/config", headers=OWNER).json()["command"]
    assert command[:4] == ["sh", "-c", "echo $#; exit 3", "argument-0"] and command[-1].startswith("… and ")
    lost = jobtail("run", "--linger", "20", "--", "/nowhere/" + "x" * 200 + "/y" * 800, settings=settings)
    assert lost.returncode == 127
    assert status(service, job_of(lost.stderr))["job_status"] == "Failed"


@pytest.mark.parametrize(
    ("code", "headers", "body", "says"),
    [
        (200, {"Content-Type": "text/html"}, b"<html>sign in to this network", "something else than jobtail"),
        (502, {"Content-Type": "text/html"}, b"<html>bad gateway", "something else than jobtail"),
        (200, {"Content-Type": "application/json"}, b'{"job": ', "something else than jobtail"),
        (200, {"Content-Type": "application/json"}, b"[1]", "something else than jobtail"),
        (302, {"Location": "http://127.0.0.1:1/login"}, b"", "leads elsewhere"),
        (301, {"Location": "https://logs.example/"}, b"", "leads elsewhere"),
        (404, {"Content-Type": "application/problem+json"}, b'{"detail": "Not Found"}', "too old"),
        (405, {"Content-Type": "application/problem+json"}, b'{"detail": "Method Not Allowed"}', "too old"),
        (401, {"Content-Type": "application/problem+json"}, b'{"detail": "a token is needed"}', "refuses it"),
        (503, {"Content-Type": "application/problem+json"}, b'{"detail": "it starts"}', "it starts"),
    ],
)
def test_whoever_else_answers_costs_the_command_nothing(
    tmp_path: Path, code: int, headers: dict[str, str], body: bytes, says: str
) -> None:
    class Other(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(code)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Other) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        unused(tmp_path, f"http://127.0.0.1:{server.server_address[1]}", says)
        server.shutdown()


def unused(tmp_path: Path, url: str, says: str, **settings: object) -> None:
    """The command ends as it would, and one sentence says why nothing was reported."""
    runner = spawn(
        "run", "--linger", "0", "--", "sh", "-c", "echo hello; read x; exit 4",
        settings=elsewhere(tmp_path, url) | settings,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert runner.stderr is not None
    said = ""
    while says not in said:
        line = runner.stderr.readline().decode()
        assert line, said
        said += line
    out, err = runner.communicate(b"\n", timeout=60)
    said += err.decode()
    assert (runner.returncode, out) == (4, b"hello\n"), said
    assert said.count(says) == 1 and "1 lines stay" in said and "Traceback" not in said, said


def test_a_reason_that_comes_after_another_is_said_too_and_each_once(tmp_path: Path) -> None:
    """As on a train: first nothing answers, then a page that wants somebody to sign in."""
    answers = 0

    class Other(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            nonlocal answers
            answers += 1
            self.rfile.read(int(self.headers["Content-Length"]))
            if answers % 2:  # the connection ends without an answer
                return
            self.send_response(302)
            self.send_header("Location", "http://127.0.0.1:1/login")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Other) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        runner = spawn(
            "run", "--linger", "0", "--", "sh", "-c", "read x",
            settings=elsewhere(tmp_path, f"http://127.0.0.1:{server.server_address[1]}"),
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
        until(lambda: answers >= 5)
        _, err = runner.communicate(b"\n", timeout=60)
        server.shutdown()
    said = err.decode()
    assert (said.count("leads elsewhere"), said.count("broke")) == (1, 1), said


def test_a_certificate_that_is_not_trusted_is_named(tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not here to make a certificate")
    command = "openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=localhost"
    subprocess.run(command.split(), cwd=tmp_path, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        unused(tmp_path, f"https://localhost:{server.server_address[1]}", "not trusted")
        server.shutdown()


@pytest.mark.parametrize(
    ("token", "says"),
    [("", "refuses it"), ("of-another-service", "refuses it"), ("ünïcode", "no header may hold")],
)
def test_a_token_that_opens_nothing_costs_the_command_nothing(
    service: Served, tmp_path: Path, token: str, says: str
) -> None:
    unused(tmp_path, service.url, says, token=token)
