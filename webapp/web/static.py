"""Our own files as they travel: compressed once, and kept by browsers for good under a name that changes with them."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import lru_cache

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ..settings import assets
from .lean import lean, lean_style
from .packed import takes_gzip

_TYPES = {"js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8", "svg": "image/svg+xml"}
_LEAN = {".js": lean, ".css": lean_style}
_FOR_GOOD = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class File:
    media: str
    plain: bytes
    compressed: bytes


@lru_cache(maxsize=1)
def files() -> dict[str, File]:
    """All of them, by name."""
    found = {}
    for path in sorted(assets("static").iterdir()):
        media = _TYPES.get(path.suffix[1:])
        if media:
            text = path.read_text()
            data = _LEAN.get(path.suffix, str)(text).encode()
            found[path.name] = File(media, data, gzip.compress(data, 9, mtime=0))
    return found


@lru_cache(maxsize=1)
def version() -> str:
    """Changes with any file, since modules name each other without one: it is a folder in their addresses."""
    digest = hashlib.sha256()
    for name, file in files().items():
        digest.update(name.encode() + file.plain)
    return digest.hexdigest()[:12]


class Static:
    """`/VERSION/NAME` and `/NAME`, below where it is mounted. A page that was loaded before an update asks for its old
    version: it gets the new file, which is then not cached."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in ("GET", "HEAD"):
            raise HTTPException(405)
        path = scope["path"].removeprefix(scope.get("root_path", "")).removeprefix("/")
        folder, _, name = path.rpartition("/")
        file = files().get(name)
        if file is None or "/" in folder:
            raise HTTPException(404)
        await _answer(file, Request(scope).headers, folder == version())(scope, receive, send)


def _answer(file: File, asked: Headers, for_good: bool) -> Response:
    small = takes_gzip(asked.get("accept-encoding", ""))
    tag = f'W/"{version()}"'  # weak: compressed or not it is one file
    headers = {"Vary": "Accept-Encoding", "Cache-Control": _FOR_GOOD if for_good else "no-cache", "ETag": tag}
    if tag in asked.get("if-none-match", ""):
        return Response(None, 304, headers)
    if small:
        headers["Content-Encoding"] = "gzip"
    return Response(file.compressed if small else file.plain, 200, headers, media_type=file.media)
