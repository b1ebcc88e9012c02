"""An upstream that attacks whoever asks it, in a process of its own; it tells one honest job's lines as well."""

from __future__ import annotations

import asyncio
import gzip
import json
from typing import Any

from tests.upstream import Asked, Job, Raw, Reply, Upstream

LIVE = "live"
BOMB = "bomb"
EVIL = "evil"
# What a terminal obeys: the clipboard, the screen, C1, the title, bidi, a link, backspaces.
SEQUENCES = (
    "x\x1b]52;c;aGFjaw==\x07\x1b[2J\x9b2J\x9d0;t\x9c\u202ekcab\u2066\x07\x7f\r\x08\x1bcend"
    "\x1b]8;;javascript:alert(1)\x07click\x1b]8;;\x07"
)
BAD_IDS = ["a;touch${IFS}x", "http://evil.example/x", "../../etc", "x\x1b[2J", "a b", "\u202ex", "a\n", "", None, {}]
MIB = b"x" * (1 << 20)


def twice(start: bytes, mib: int = 300) -> bytes:
    """Some hundred MiB as a few KB: gzip within gzip."""
    inner = gzip.compress(start + MIB * mib, 1)
    return gzip.compress(inner)


class Hostile(Upstream):
    def __init__(self) -> None:
        super().__init__()
        once = gzip.compress(b'[{"timestamp": 1, "message": "' + MIB * 300, 1)
        self.bombs = [
            Reply(200, twice(b'[{"timestamp": 1, "message": "'), {"content-encoding": "gzip, gzip"}),
            Reply(200, once, {"content-encoding": "gzip"}),
            Reply(500, once, {"content-encoding": "gzip"}),
            Reply(200, once[:-100], {"content-encoding": "deflate"}),
            Reply(200, once, {"content-encoding": "gzip, br, gzip, identity, deflate"}),
        ]
        self.sent = 0
        self.rows = [Raw(json.dumps({"id": id, "job_status": SEQUENCES, "user_id": SEQUENCES})) for id in BAD_IDS]
        self.list_bomb = False

    def _reply(self, asked: Asked) -> Reply:
        if asked.job.startswith(BOMB) or (asked.route == "list" and self.list_bomb):
            self.sent += 1
            return self.bombs[self.sent % len(self.bombs)]
        return super()._reply(asked)

    def evil(self) -> Job:
        """Every string of it is made for a terminal."""
        names = ("job_name", "instance_id", "instance_type", "status", "detail", "job_status", "exit_code")
        job = self.job(EVIL, status={**dict.fromkeys(names, SEQUENCES), "job_id": SEQUENCES})
        job.config = {"name": SEQUENCES, "steps": [{"type": SEQUENCES, "name": SEQUENCES}], SEQUENCES: [SEQUENCES]}
        job.log(SEQUENCES, level=SEQUENCES, stream=SEQUENCES, host=SEQUENCES)
        job.log("plain")
        job.status["finished_job_status"] = job.status["terminal_status"] = True
        return job


async def upstream(options: dict[str, Any], told: Any) -> None:
    """Answers until the end; says at which address."""
    server = Hostile()
    live = server.job(LIVE)
    server.evil()
    await asyncio.to_thread(server.start)
    told.begin(server.url)
    while True:
        live.log("tick")
        told.counts["bombs"] = server.sent
        server.list_bomb = server.requests["list"] % 3 == 2
        await asyncio.sleep(0.25)
