"""A service that puts into every string what a terminal obeys: no command passes any of it on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from webapp.cli.main import COMMANDS, run

from ..client.stub import Asked, Stub, http
from .terminal import obeyed, on_terminal

EVIL = "x\x1b]52;c;aGFjaw==\x07\x1b[2J\x9b2J\x9d0;t\x9c\u202ekcab\u2066\x07\x7f\r\x08\x1bcend"
STATUS = {
    "job_id": EVIL, "job_name": EVIL, "instance_id": EVIL, "instance_type": EVIL, "status": EVIL, "detail": EVIL,
    "job_status": EVIL, "terminal_status": True, "finished_job_status": True, "exit_code": EVIL, "creation_date": EVIL,
    "job_status_date": EVIL, "last_heartbeat": EVIL, "total_tasks": EVIL, "finished_tasks": EVIL,
}  # fmt: skip
LINE = {"id": "e-1", "line": 1, "timestamp": EVIL, "message": EVIL, "level": EVIL, "stream": EVIL, "cut": True}
SHARE = {"id": EVIL, "url": EVIL, "note": EVIL, "warning": EVIL, "expires_at": EVIL, "can_cancel": EVIL}


def sse(kind: str, data: Any, cursor: str = "") -> str:
    return f"event: {kind}\ndata: {json.dumps(data)}\n{f'id: {cursor}' if cursor else ''}\n\n"


def answers(asked: Asked) -> bytes:
    path = asked.path.partition("?")[0]
    if path.endswith("/events"):
        omitted = {"count": 3, "levels": {EVIL: 3}, "first": EVIL, "last": EVIL}
        events = [
            sse("status", STATUS), sse("omitted", omitted), sse("gap", {"reason": EVIL, "count": EVIL, "after": EVIL}),
            sse("lines", [LINE], "e-1"), sse("reset", {"reason": EVIL}),
            sse("upstream", {"state": EVIL, "detail": EVIL}),
            sse("done", {"reason": "finished", "complete": False, "status": STATUS}, "e-1.done"),
        ]  # fmt: skip
        return http(200, "".join(events).encode(), "text/event-stream")
    if path.endswith("/logs"):
        body = "" if "after=" in asked.path else json.dumps(LINE) + "\n"
        return http(200, body.encode(), "application/x-ndjson")
    if path == "/api/jobs":
        rows = [{**STATUS, "id": name} for name in (EVIL, "odd;touch${IFS}x", "job-1")]
        return http(200, json.dumps({"jobs": rows}).encode())
    if path.endswith("/search"):
        return http(200, json.dumps({"lines": [LINE], "count": 1, "scanned_to": EVIL, "complete": True}).encode())
    if path.endswith("/exec-time"):
        return http(200, json.dumps({"seconds": 1.5, "in_progress": True, "first": EVIL, "last": EVIL}).encode())
    if path.endswith("/shares"):
        made = SHARE if asked.method == "POST" else [SHARE]
        return http(200, json.dumps(made).encode())
    if path.endswith(("config", "steps-config")):
        return http(200, json.dumps({"name": EVIL, EVIL: [EVIL], "steps": [{"type": EVIL}]}).encode())
    return http(200, json.dumps(STATUS).encode())


def refuses(asked: Asked) -> bytes:
    status = {"job-404": 404, "job-409": 409}.get(asked.path.partition("/api/jobs/")[2].partition("/")[0][:7], 503)
    return http(status, json.dumps({"detail": EVIL, "title": EVIL}).encode(), "application/problem+json")


COMMAND_LINES = {
    "jobs": (), "status": ("job-1",), "logs": ("job-1",), "tail": ("job-1",), "wait": ("job-1",), "cancel": ("job-1",),
    "exec-time": ("job-1",), "config": ("job-1",), "share": ("job-1",), "search": ("job-1", "x"),
    "forget": ("job-1", "-y"), "open": ("job-1",),
}  # fmt: skip
MORE = [
    ("logs", "job-1", "--timestamps"), ("logs", "job-1", "-f"), ("tail", "job-1", "job-2"),
    ("share", "job-1", "--list"),
    ("config", "job-1", "--steps"), ("search", "job-1", "x", "--timestamps"),
]  # fmt: skip


def test_every_command_that_asks_a_service_is_tried() -> None:
    ours = {name for name, (module, _) in COMMANDS.items() if module in ASKING}
    assert ours <= set(COMMAND_LINES)


ASKING = {
    "jobs", "status", "logs", "tail", "wait", "cancel", "exec_time", "config", "share", "search", "forget", "open_page",
}  # fmt: skip


@pytest.mark.parametrize(
    "arguments", [*((name, *rest) for name, rest in COMMAND_LINES.items()), *MORE], ids=lambda given: " ".join(given)
)
@pytest.mark.parametrize("form", ["words", "json"])
def test_nothing_that_a_service_says_is_obeyed_by_a_terminal(arguments: tuple[str, ...], form: str) -> None:
    with Stub(answers) as stub:
        more = ("--json",) if form == "json" else ()
        code, shown = on_terminal(*arguments, *more, settings={"url": stub.url}, variables={"BROWSER": "true"})
    assert "Traceback" not in shown and code in (0, 1), shown
    assert obeyed(shown) == "" and shown


@pytest.mark.parametrize("name", COMMAND_LINES)
def test_nor_are_its_errors(name: str) -> None:
    with Stub(refuses) as stub:
        rest = ("job-404", *COMMAND_LINES[name][1:]) if COMMAND_LINES[name] else ()
        code, shown = on_terminal(name, *rest, settings={"url": stub.url})
    assert "Traceback" not in shown and code in (2, 69), shown
    assert obeyed(shown) == "" and "kcab" in shown


def test_nor_is_what_somebody_typed() -> None:
    for arguments in (
        ("status", EVIL),
        ("jobs", "--status", EVIL, "--url", EVIL),
        (EVIL,),
        ("logs", "x", "--since", EVIL),
    ):
        arguments = tuple(part.replace("\x00", "") for part in arguments)
        code, shown = on_terminal(*arguments, settings={})
        assert code == 2 and obeyed(shown) == ""


SHAPES: list[Any] = [[], {}, 7, None, "x", [7], {"lines": 7, "jobs": 7, "count": "x", "url": 7, "seconds": []}]


@pytest.mark.parametrize("odd", SHAPES)
@pytest.mark.parametrize("name", sorted(set(COMMAND_LINES) - {"logs", "tail"}))
def test_an_answer_of_another_shape_is_met_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, name: str, odd: Any
) -> None:
    monkeypatch.setenv("BROWSER", "true")
    with Stub(lambda asked: http(200, json.dumps(odd).encode())) as stub:
        arguments = [name, *COMMAND_LINES[name], "--url", stub.url]
        for more in ([], ["--count"] if name == "search" else ["--list"] if name == "share" else []):
            assert run([*arguments, *more]) in (0, 1, 2, 69)


def test_json_says_the_same_however_odd_it_is() -> None:
    from ..served import jobtail

    with Stub(answers) as stub:
        done = jobtail("status", "job-1", "--json", settings={"url": stub.url})
        assert json.loads(done.stdout) == STATUS
        done = jobtail("logs", "job-1", "--json", settings={"url": stub.url}, encoding="latin-1")
        assert json.loads(done.stdout) == LINE
