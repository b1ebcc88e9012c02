"""Every class, method, parameter, default and field of the reference: who uses it replaces the import alone."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import webapp

from . import reference

KEPT: dict[str, Any] = json.loads((reference.HERE / "reference.json").read_text())
MARKDOWN = Path(__file__).parents[3] / "shared" / "seed-job-models.md"
METHODS = [(kind, name) for kind, described in KEPT.items() for name in described["methods"]]


@pytest.mark.skipif(not MARKDOWN.exists(), reason="the reference itself is not beside this checkout")
def test_the_copy_of_the_reference_says_what_the_reference_says() -> None:
    assert reference.parse(MARKDOWN.read_text()) == KEPT


def test_the_copy_is_whole() -> None:
    assert {kind: len(described["methods"]) for kind, described in KEPT.items()} == {
        "RunResponse": 9,
        "JobResponse": 9,
        "Jobs": 1,
    }


@pytest.mark.parametrize(("kind", "name"), METHODS)
def test_a_method_takes_what_the_reference_says(kind: str, name: str) -> None:
    described = KEPT[kind]["methods"][name]
    method = getattr(getattr(webapp, kind), name)
    assert inspect.ismethod(method) is described["classmethod"]
    parameters = [p for p in inspect.signature(method).parameters.values() if p.name != "self"]
    found = [[p.name, None if p.default is p.empty else repr(p.default)] for p in parameters]
    assert found == described["parameters"]
    assert all(p.kind is p.POSITIONAL_OR_KEYWORD for p in parameters)
    assert method.__doc__


@pytest.mark.parametrize("kind", KEPT)
def test_the_fields_of_the_reference_are_there(kind: str) -> None:
    assert set(KEPT[kind]["fields"]) <= set(getattr(webapp, kind).model_fields)


def test_importing_the_objects_loads_no_network_code() -> None:
    code = "import sys, webapp\nfrom webapp import RunResponse, JobResponse, Jobs, connect\nconnect()\n"
    code += "unwanted = ('httpx', 'starlette', 'asyncio', 'sqlite3', 'jinja2', 'click')\n"
    code += "print([name for name in unwanted if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
