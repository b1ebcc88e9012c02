"""An attacker, in a process of its own."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

from tests.served import environment


class Attack:
    """`told`: what the attacker says of itself in the end; empty until then. `ready`: what it said when it began."""

    def __init__(self, kind: str, **options: Any) -> None:
        self.told: dict[str, Any] = {}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.abuse.attackers", kind],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment({}), text=True,
        )  # fmt: skip
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(options) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"the attacker {kind} did not begin"
        self.ready: Any = json.loads(line)

    @property
    def over(self) -> bool:
        """Whether it has done all that it wanted."""
        return self._process.poll() is not None

    def say(self, text: str) -> Any:
        """Tells it to do something, and gives its answer."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(text + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def stop(self) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        late = threading.Timer(60, self._process.kill)
        late.start()
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        rest = self._process.stdout.read()
        self._process.stdout.close()
        self._process.wait()
        late.cancel()
        self.told = json.loads(rest)


@contextlib.contextmanager
def attack(kind: str, **options: Any) -> Iterator[Attack]:
    """One of `attackers.KINDS` under way, from when it says that it has begun. It ends with the block."""
    attacker = Attack(kind, **options)
    try:
        yield attacker
    finally:
        attacker.stop()
