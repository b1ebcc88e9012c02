"""The description is true to the code."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette

from webapp import stream
from webapp.journal.line import OURS
from webapp.settings import Settings
from webapp.web import api, chosen, events, logs, search
from webapp.web.app import create_app
from webapp.web.openapi import document
from webapp.web.operations import OPERATIONS
from webapp.web.route import GuardedRoute


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Starlette]:
    app = create_app(Settings(data_dir=tmp_path))
    yield app
    app.state.service.store.close()


def operations(described: dict[str, Any]) -> set[tuple[str, str]]:
    return {(method.upper(), path) for path, methods in described["paths"].items() for method in methods}


def test_every_route_of_the_api_is_described(app: Starlette) -> None:
    there = {
        (method, route.path)
        for route in app.routes
        if isinstance(route, GuardedRoute) and route.path.startswith("/api/")
        for method in (route.methods or set()) - {"HEAD"}
    }
    assert there <= operations(document(app.routes))


def test_nothing_is_described_that_is_not_there(app: Starlette) -> None:
    assert operations(document(app.routes)) == set(OPERATIONS)


def test_every_reference_leads_somewhere(app: Starlette) -> None:
    described = document(app.routes)
    for name in re.findall(r"'\$ref': '#/components/schemas/(\w+)'", str(described)):
        assert name in described["components"]["schemas"], name


def test_names_of_operations_are_their_own(app: Starlette) -> None:
    names = [
        operation["operationId"] for methods in document(app.routes)["paths"].values() for operation in methods.values()
    ]
    assert len(names) == len(set(names))


READS = {  # which code reads the parameters of which route
    "/api/jobs": [api.jobs, chosen.chosen],
    "/api/jobs/{job}/logs": [logs],
    "/api/jobs/{job}/events": [events],
    "/api/jobs/{job}/search": [search, logs.either_case, logs.excluded],
    "/api/jobs/{job}/overview": [api.overview],
    "/api/jobs/{job}/wait": [api.wait],
}


def read_names(code: Any) -> set[str]:
    """The names of the parameters that some code reads."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(code)))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    readers = {"text", "choice", "flag", "integer", "seconds", "cursor"}
    first = [call.args[0] for call in calls if call.func.attr in readers and call.args]  # type: ignore[attr-defined]
    named = {node.value for node in first if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    lines = [call.args[1] for call in ast.walk(tree) if isinstance(call, ast.Call) and len(call.args) > 1]
    return named | {
        node.value for node in lines if isinstance(node, ast.Constant) and node.value in ("after", "before")
    }


@pytest.mark.parametrize("path", list(READS))
def test_the_parameters_are_those_that_the_code_reads(app: Starlette, path: str) -> None:
    described = {
        parameter["name"]
        for parameter in document(app.routes)["paths"][path]["get"]["parameters"]
        if parameter["in"] == "query"
    }
    assert described == set().union(*(read_names(code) for code in READS[path]))


def test_what_we_add_to_lines_and_statuses_is_described(app: Starlette) -> None:
    described = document(app.routes)["components"]["schemas"]
    assert set(described["Line"]["properties"]) >= OURS | {"partial", "stream"}
    assert set(described["RunResponse"]["properties"]) >= {"altered", "stale", "as_of"}
    for name in ("JobResponse", "JobConfig", "JobStepConfig"):
        assert "altered" in described[name]["properties"]


def test_every_event_that_is_sent_is_described(app: Starlette) -> None:
    code = "".join(path.read_text() for path in Path(stream.__file__).parent.glob("*.py"))
    sent = set(re.findall(r"""\bevent\(\s*"(\w+)\"""", code))
    assert {"partial", "done", "gap"} <= sent
    described = document(app.routes)["components"]["schemas"]["Event"]["properties"]["event"]["enum"]
    assert sent <= set(described)
