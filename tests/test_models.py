"""Objects of the wire are read field by field: an odd value costs neither its object nor any other."""

from __future__ import annotations

import json
from typing import Any

import pytest

from webapp.models import JobConfig, JobRecord, RunStatus

GOOD = {"job_id": "j", "status": "terminated", "terminal_status": True, "finished_job_status": True, "total_tasks": 3}
ODD_VALUES: list[Any] = ["", "soon", [], {}, -1, 1e300, 2**80, "9" * 5000, float("nan"), float("inf"), "a\ud800", True]


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("field", [*(name for name in RunStatus.model_fields if name != "finished_job_status"), "new"])
@pytest.mark.parametrize("value", [*ODD_VALUES, None, nested(900)], ids=lambda value: repr(value)[:12])
def test_an_odd_field_costs_no_other(field: str, value: Any) -> None:
    status = RunStatus.read({**GOOD, field: value}, job_id="j")
    assert status.finished
    assert all(getattr(status, name) == kept for name, kept in GOOD.items() if name != field)
    text = json.dumps(status.model_dump(mode="json"), allow_nan=False)
    assert RunStatus.model_validate_json(text) == status


@pytest.mark.parametrize(
    ("fields", "altered"),
    [
        ({"last_heartbeat": ""}, ["last_heartbeat"]),
        ({"total_tasks": None}, None),
        ({"job_name": 12}, None),
        ({"progress": float("nan"), "total_tasks": "many"}, ["progress", "total_tasks"]),
        ({"job_id": None}, None),
        ({"job_id": [1]}, ["job_id"]),
    ],
)
def test_what_could_not_be_read_is_named(fields: dict[str, Any], altered: list[str] | None) -> None:
    assert (RunStatus.read({**GOOD, **fields}, job_id="j").model_extra or {}).get("altered") == altered


def test_numbers_that_stand_for_names_are_names() -> None:
    record = JobRecord.read({"id": 7, "user_id": 12, "creation_date": "", "seed": 2**70})
    assert (record.id, record.user_id, record.creation_date) == ("7", "12", None)
    assert record.model_extra == {"seed": str(2**70), "altered": ["creation_date"]}


def test_a_step_that_cannot_be_read_costs_no_other() -> None:
    config = JobConfig.read({"name": 5, "steps": [{"type": "udf", "x": 1}, 5, {"name": []}, {}], "metadata": "none"})
    assert [step.type for step in config.steps] == ["udf", "", ""]
    assert (config.name, config.metadata, config.steps[0].model_extra) == ("5", None, {"x": 1})


@pytest.mark.parametrize("value", [None, [], "text", 5, {}, {"id": None}, {"id": []}])
def test_what_is_no_row_is_an_error(value: Any) -> None:
    with pytest.raises(ValueError):
        JobRecord.read(value)
