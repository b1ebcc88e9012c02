"""Pages from `templates/`: escaped by default, never cached, under the strict policy of `PRIVATE_HEADERS`."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import Response

from ..access.headers import PRIVATE_HEADERS
from ..access.place import prefix_of
from ..settings import assets
from .static import version


@lru_cache(maxsize=1)
def environment() -> Environment:
    """A template is read once: to look whether it has changed would wait for the disk at every page."""
    return Environment(
        loader=FileSystemLoader(assets("templates")),
        autoescape=True,
        auto_reload=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def load() -> None:
    """Reads all that pages are made of, before the first one is asked for."""
    for name in environment().list_templates():
        environment().get_template(name)
    version()


def render(
    request: Request, template: str, *, status: int = 200, headers: dict[str, str] | None = None, **context: Any
) -> Response:
    """A page as a response. What a template needs and `context` lacks raises jinja2.UndefinedError. Templates have
    `root`, which stands before every path of ours, and `static`, the folder of our files."""
    root = prefix_of(request.scope)
    context |= {"root": root, "static": f"{root}/static/{version()}"}
    body = environment().get_template(template).render(context)
    return Response(body, status, {**PRIVATE_HEADERS, **(headers or {})}, media_type="text/html; charset=utf-8")
