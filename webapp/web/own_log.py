"""The service's own log: lines for people, or JSON for programs, blanked as lines of jobs are."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

import orjson

from ..journal.redact import Redactor
from ..settings import Settings

# Where a record holds more than its message, under this name.
FIELDS = "jobtail_fields"


def configure(settings: Settings) -> None:
    """For the whole process, on standard error."""
    handler = logging.StreamHandler(sys.stderr)
    redactor = Redactor(settings.redact, settings.credentials())
    handler.setFormatter(JsonFormatter(redactor) if settings.log_format == "json" else TextFormatter(redactor))
    logging.basicConfig(level=settings.log_level.upper(), handlers=[handler], force=True)
    for noisy in ("httpx", "httpcore", "uvicorn", "sse_starlette", "psycopg"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # It warns of every request that is not HTTP: anybody could fill a disk with that.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    # The pool logs each attempt to connect; what matters of that is logged where the pool is used.
    logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)


class TextFormatter(logging.Formatter):
    def __init__(self, redactor: Redactor) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, Any] = getattr(record, FIELDS, {})
        more = "".join(f" {name}={word(value)}" for name, value in fields.items() if value not in ("", None))
        return self._redactor.text(super().format(record) + more)


def word(value: object) -> str:
    """A value that whoever asks may have chosen, so that it neither looks like another field nor moves a terminal."""
    text = str(value)
    return text if text.isprintable() and " " not in text else json.dumps(text)


class JsonFormatter(logging.Formatter):
    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        value: dict[str, Any] = {
            "time": time, "level": record.levelname.lower(), "logger": record.name, "message": record.getMessage(),
        }  # fmt: skip
        if record.exc_info:
            value["exception"] = self.formatException(record.exc_info)
        value |= getattr(record, FIELDS, {})
        return orjson.dumps(self._redactor.value(value), default=str).decode()
