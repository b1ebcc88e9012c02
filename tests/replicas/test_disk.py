"""The same as `tests/web/test_disk.py` for a service that keeps everything in PostgreSQL."""

from __future__ import annotations

from pathlib import Path

from tests.audited import Audited
from tests.web.test_disk import TOKENS, ask_everything


def test_no_request_waits_for_the_database_on_the_event_loop(data_dir: Path, database: str) -> None:
    served = Audited({"data_dir": data_dir, "database_url": database, "refresh_seconds": 0.1, **TOKENS})
    served.start()
    try:
        served.forget()
        ask_everything(served)
    finally:
        served.stop()
