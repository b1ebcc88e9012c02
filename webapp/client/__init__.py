"""The objects in Python. `api.Client` is the plain-JSON half, without them; see docs/python.md.

Loaded when first asked for, so that the command line does not pay for what it does not use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .aio import AsyncClient
    from .api import Client
    from .async_objects import AsyncConnection, AsyncJobResponse, AsyncRunResponse
    from .connection import Connection, connect
    from .errors import ClientError
    from .follow import Event
    from .line import Line
    from .objects import JobResponse, Jobs, RunResponse
    from .share import Share

__all__ = [
    "AsyncClient",
    "AsyncConnection",
    "AsyncJobResponse",
    "AsyncRunResponse",
    "Client",
    "ClientError",
    "Connection",
    "Event",
    "JobResponse",
    "Jobs",
    "Line",
    "RunResponse",
    "Share",
    "connect",
]

_HOME = {
    "AsyncClient": "aio",
    "AsyncConnection": "async_objects",
    "AsyncJobResponse": "async_objects",
    "AsyncRunResponse": "async_objects",
    "Client": "api",
    "ClientError": "errors",
    "Connection": "connection",
    "Event": "follow",
    "JobResponse": "objects",
    "Jobs": "objects",
    "Line": "line",
    "RunResponse": "objects",
    "Share": "share",
    "connect": "connection",
}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f".{_HOME[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
