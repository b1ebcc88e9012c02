"""Printing where each flush is a message, and too many of them are dropped: a Jupyter notebook."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from webapp.client import Client, RunResponse
from webapp.client.show import NOTEBOOK_BYTES, Printer, pace

from ..served import environment
from .stub import Asked, Stub, http

LINES = 20_000


class OutStream(io.StringIO):
    """What a default Jupyter shows: of a second's messages the first 1,000, of their bytes the first million."""

    __module__ = "ipykernel.iostream"

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[str] = []
        self.flushes: list[tuple[float, int]] = []

    def flush(self) -> None:
        now, text = time.monotonic(), self.getvalue()
        self.seek(0)
        self.truncate()
        recent = [size for at, size in self.flushes if now - at < 3]
        self.flushes.append((now, len(text)))
        if len(recent) < 3_000 and sum(recent) < 3_000_000:
            self.shown.append(text)


def log(asked: Asked) -> bytes:
    lines = [{"id": f"e-{n}", "line": n, "timestamp": n, "message": f"line {n}"} for n in range(1, LINES + 1)]
    if "/events" in asked.path:
        events = [f"id: e-{part[-1]['line']}\nevent: lines\ndata: {json.dumps(part)}\n\n"
                  for part in (lines[at : at + 5] for at in range(0, LINES, 5))]  # fmt: skip
        done = f'id: e-{LINES}.done\nevent: done\ndata: {{"reason": "finished"}}\n\n'
        return http(200, "".join([*events, done]).encode(), "text/event-stream")
    body = "" if "after=" in asked.path else "".join(json.dumps(line) + "\n" for line in lines)
    return http(200, body.encode(), "application/x-ndjson")


@pytest.mark.parametrize("how", ["print_logs", "tail_logs"])
def test_a_notebook_shows_every_line(monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    out = OutStream()
    monkeypatch.setattr(sys, "stdout", out)
    with Stub(log) as stub:
        getattr(RunResponse.model_validate({"job_id": "x"}, context=Client(stub.url)), how)()
    monkeypatch.undo()
    assert "".join(out.shown).splitlines() == [f"line {n}" for n in range(1, LINES + 1)]
    assert len(out.flushes) < 200


def test_any_other_file_is_not_held_up() -> None:
    assert pace(OutStream()) is not None and pace(io.StringIO()) is None and pace(sys.__stdout__) is None
    for out, waits in ((OutStream(), True), (io.StringIO(), False)):
        printer = Printer(out)
        for _ in range(2):
            printer.write("x" * NOTEBOOK_BYTES)
            assert printer.full
            if not printer.wait():
                printer.flush()
        assert bool(printer.wait()) is waits


def test_a_real_kernel_gives_every_line_in_few_messages(tmp_path: Path) -> None:
    """The kernel's own messages, as a Jupyter server would count them before it passes them on."""
    pytest.importorskip("ipykernel", reason="ipykernel is not installed")
    script = tmp_path / "ask.py"
    script.write_text(ASK)
    with Stub(log) as stub:
        asked = [sys.executable, str(script), stub.url]
        done = subprocess.run(asked, capture_output=True, text=True, timeout=90, env=environment({}))
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["text"].splitlines() == [f"line {n}" for n in range(1, LINES + 1)]
    assert found["messages"] < 200


ASK = """
import json, sys
from jupyter_client.manager import start_new_kernel
manager, client = start_new_kernel(kernel_name="python3", startup_timeout=60)
texts = []
def hear(message):
    if message["msg_type"] == "stream":
        texts.append(message["content"]["text"])
    elif message["msg_type"] == "error":
        sys.exit("".join(message["content"]["traceback"]))
client.execute_interactive(
    f"from webapp import RunResponse, connect; c = connect({sys.argv[1]!r}, ''); "
    "RunResponse(job_id='x').print_logs()", output_hook=hear, timeout=80)
client.stop_channels()
manager.shutdown_kernel(now=True)
print(json.dumps({"text": "".join(texts), "messages": len(texts)}))
"""
