"""Pages from `templates/`: escaped by default, never cached, under the strict policy of `PRIVATE_HEADERS`."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import Response

from ..access.headers import PRIVATE_HEADERS
from ..settings import assets
from .static import version


@lru_cache(maxsize=1)
def environment() -> Environment:
    loader = FileSystemLoader(assets("templates"))
    env = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    env.globals["static"] = f"/static/{version()}"
    return env


def render(template: str, *, status: int = 200, headers: dict[str, str] | None = None, **context: Any) -> Response:
    """A page as a response. What a template needs and `context` lacks raises jinja2.UndefinedError."""
    body = environment().get_template(template).render(context)
    return Response(body, status, {**PRIVATE_HEADERS, **(headers or {})}, media_type="text/html; charset=utf-8")
