"""The description is true to the code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette

from webapp import stream
from webapp.journal.line import OURS
from webapp.settings import Settings
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


@pytest.mark.parametrize("path", ["logs", "events", "search"])
def test_whoever_reads_lines_filters_in_the_same_ways(app: Starlette, path: str) -> None:
    described = document(app.routes)["paths"][f"/api/jobs/{{job}}/{path}"]["get"]["parameters"]
    filters = {"since_ms", "until_ms", "level", "q", "regex", "case", "exclude", "max_line_bytes", "after", "tail"}
    assert filters <= {parameter["name"] for parameter in described}


def test_every_parameter_says_what_it_is_for_and_what_it_takes(app: Starlette) -> None:
    for path, methods in document(app.routes)["paths"].items():
        for operation in methods.values():
            for parameter in operation["parameters"]:
                if parameter["in"] == "query":
                    schema = parameter["schema"]
                    assert parameter["description"], (path, parameter)
                    assert (
                        schema["type"] == "boolean"
                        or {"minimum", "maximum"} <= schema.keys()
                        or ({"maxLength", "enum", "pattern"} & schema.keys())
                    ), (path, parameter)


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
