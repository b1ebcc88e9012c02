"""Readers that pause are kept, those that are gone are not, and neither holds up the end of the service."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import struct
from collections.abc import Callable, Iterator

import pytest

from tests.served import Served, until
from webapp.web.listening import listen
from webapp.web.sockets import DEAD_MS, dead, end_dead


def info(*, retransmits: int = 0, probes: int = 0, silent_ms: int = 0) -> bytes:
    words = [0] * 12 + [silent_ms] + [0] * 11
    return struct.pack("=8B24I", 1, 0, retransmits, probes, 0, 0, 0, 0, *words)


@pytest.mark.parametrize(
    ("counts", "gone"),
    [
        ({}, False),
        ({"silent_ms": 10**6}, False),  # nothing was sent that could have been acknowledged
        ({"retransmits": 1, "silent_ms": 50}, False),
        ({"retransmits": 4, "silent_ms": DEAD_MS}, True),
        ({"probes": 1, "silent_ms": 120_000}, False),  # a reader that has paused for long: one probe is on its way
        ({"probes": 3, "silent_ms": 90_000}, True),
    ],
)
def test_who_is_gone_is_told_from_who_pauses(counts: dict[str, int], gone: bool) -> None:
    assert dead(info(**counts)) is gone


def test_an_answer_that_is_too_short_says_nothing() -> None:
    assert not dead(b"") and not dead(b"\x01" * 20)


def test_a_reader_with_a_closed_window_is_alive() -> None:
    """A real one, as the kernel counts it. That it is never cut by the kernel itself is the option that is not set."""
    listening = listen("127.0.0.1", 0)
    with contextlib.closing(listening), socket.socket() as reader:
        assert listening.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 0
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.connect(listening.getsockname())
        writer, _ = listening.accept()
        with writer:
            assert writer.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            writer.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                while True:
                    writer.send(b"x" * 65536)

            class Connection:
                aborted = False
                transport: Connection

                def get_extra_info(self, name: str) -> socket.socket:
                    return writer

                def abort(self) -> None:
                    self.aborted = True

            connection = Connection()
            connection.transport = connection
            end_dead([connection])
            assert not connection.aborted


@contextlib.contextmanager
def deaf(served: Served, path: str) -> Iterator[socket.socket]:
    """Asks, and reads nothing of a large answer."""
    with socket.socket() as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.connect(("127.0.0.1", served.port))
        reader.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        yield reader


def test_deaf_readers_and_followers_do_not_hold_up_the_end(serve: Callable[..., Served]) -> None:
    served = serve()
    job = served.run("sh", "-c", "head -c 30000000 /dev/zero | tr '\\0' 'x' | fold -w 1000")
    running, runner = served.begin("sh", "-c", "echo one; exec sleep 60")
    paths = [f"/api/jobs/{job}/logs?format=text", f"/api/jobs/{job}/events?sample_logs=false"]
    with contextlib.ExitStack() as stack:
        for path in paths:
            stack.enter_context(deaf(served, path)).recv(1)
        follower = stack.enter_context(deaf(served, f"/api/jobs/{running}/logs?format=ndjson&follow=true&end=true"))
        until(lambda: served.get(f"/api/jobs/{running}").headers["jobtail-viewers"] == "1", "the follower")
        served.process.send_signal(signal.SIGTERM)
        follower.settimeout(20)
        got = b""
        while piece := follower.recv(65536):
            got += piece
        served.process.wait(20)
    assert got.endswith(b"\r\n0\r\n\r\n")  # told, and ended in order
    assert [json.loads(line)["end"] for line in got.splitlines() if line.startswith(b'{"end"')] == ["bye"]
    assert "Traceback" not in served.output and "ERROR" not in served.output
    runner.terminate()
    runner.wait()


def test_the_second_signal_ends_at_once(serve: Callable[..., Served]) -> None:
    served = serve()
    job = served.run("sh", "-c", "head -c 30000000 /dev/zero | tr '\\0' 'x' | fold -w 1000")
    with deaf(served, f"/api/jobs/{job}/logs?format=text") as reader:
        reader.recv(1)
        served.process.send_signal(signal.SIGTERM)
        until(lambda: refused(served.port), "the first signal to be obeyed")
        served.process.send_signal(signal.SIGTERM)
        served.process.wait(20)
    assert "Traceback" not in served.output


def refused(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
