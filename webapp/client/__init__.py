"""The objects in Python. `api.Client` is the plain-JSON half, without them; see docs/python.md.

Loaded when first asked for, so that the command line does not pay for what it does not use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .api import Client
    from .connection import Connection, connect
    from .errors import ClientError
    from .follow import Event
    from .line import Line
    from .objects import JobResponse, Jobs, RunResponse

__all__ = [
    "Client",
    "ClientError",
    "Connection",
    "Event",
    "JobResponse",
    "Jobs",
    "Line",
    "RunResponse",
    "connect",
]

_HOME = {
    "Client": "api",
    "ClientError": "errors",
    "Connection": "connection",
    "Event": "follow",
    "JobResponse": "objects",
    "Jobs": "objects",
    "Line": "line",
    "RunResponse": "objects",
    "connect": "connection",
}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f".{_HOME[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
