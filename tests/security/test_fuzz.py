"""The API under requests that its own description allows, and many that it does not: no fault of ours, and no answer
that is not described."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.served import Served
from webapp.web.operations import OPERATIONS

from .house import TOKEN

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]

# What takes nothing cannot be asked wrongly.
CASES = [
    (method, path, mode)
    for (method, path), takes in OPERATIONS.items()
    for mode in GenerationMode
    if mode is GenerationMode.POSITIVE or "{" in path or "parameters" in takes
]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Where a service answers, and a finished job of it."""
    served = Served({"data_dir": tmp_path_factory.mktemp("fuzz") / "data", "access_token": TOKEN})
    served.start()
    try:
        job = served.run(sys.executable, "-c", "for n in range(50): print('INFO line', n)")
        yield served.url, job
    finally:
        served.stop()


@pytest.mark.parametrize(("method", "path", "mode"), CASES, ids=[" ".join(case) for case in CASES])
def test_every_answer_is_described(service: tuple[str, str], method: str, path: str, mode: GenerationMode) -> None:
    url, job = service
    operation = schemathesis.openapi.from_url(f"{url}/api/openapi.json")[path][method]

    @settings(max_examples=15, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        if "job" in case.path_parameters and len(str(case.path_parameters["job"])) % 3:
            case.path_parameters["job"] = job  # mostly one that there is
        for name in ("timeout", "follow"):
            if name in (case.query or {}):
                case.query[name] = 0
        headers = {**dict(case.headers or {}), "Authorization": f"Bearer {TOKEN}"}
        case.call_and_validate(base_url=url, headers=headers, checks=CHECKS, timeout=30)

    ask()
