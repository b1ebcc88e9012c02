"""A page from a template: escaped, and with the headers of what is private."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from jinja2 import Environment, FileSystemLoader
from starlette.responses import Response

from . import __version__
from .settings import assets


@cache
def environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(assets("templates")), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    made.globals["version"] = __version__
    return made


def page(
    template: str, context: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    text = environment().get_template(template).render(**context)
    return Response(text, status, dict(headers or {}), media_type="text/html")
