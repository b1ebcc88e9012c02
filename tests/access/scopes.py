"""Requests as ASGI scopes, for what decides on headers alone."""

from typing import Any


def scope(method: str = "GET", path: str = "/", peer: str | None = "127.0.0.1", **headers: str) -> dict[str, Any]:
    """`headers`: with `_` for `-`; `host` is given unless it is named."""
    named = {"host": "127.0.0.1:8484", **headers}
    return {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "scheme": "http",
        "client": (peer, 1) if peer is not None else None,
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in named.items() if value],
    }
