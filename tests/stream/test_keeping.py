"""The bounds of the journals are kept beside everything else."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio
import pytest

from webapp.journal.redact import Redactor
from webapp.room import Room
from webapp.store.sqlite.store import SqliteStore
from webapp.stream.hub import Hub


@pytest.mark.anyio
async def test_a_disk_that_hangs_when_it_is_asked_for_its_room_holds_up_no_beat(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SqliteStore(tmp_path, Redactor(()))
    asked, answers, beats = threading.Event(), threading.Event(), 0

    def room() -> Room:
        asked.set()
        answers.wait(60)
        return Room(1, 0)

    def beat(now: float) -> None:
        nonlocal beats
        beats += asked.is_set()

    monkeypatch.setattr(store.journals, "room", room)
    never: Any = None
    hub = Hub(
        store.journals, store.presence, never, never,
        forgotten=lambda jobs: None, max_viewers=1, max_viewers_per_job=1,
    )  # fmt: skip
    wanted = SimpleNamespace(last_wanted=time.monotonic() + 3600)
    channel: Any = SimpleNamespace(job="a-job", idle=True, watching=0, tick=beat, upkeep=wanted)
    hub.channels["a-job"] = channel
    hub.start()
    try:
        with anyio.fail_after(60):
            while beats < 2:
                await anyio.sleep(0.05)
    finally:
        answers.set()
        hub.channels.clear()
        await hub.close()
        store.close()
