"""Upstream, service and viewers fail at once; every viewer ends with exactly the upstream's lines."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.torture import Plan, in_folder, pausing, restoring, start, torture
from tests.upstream import upstream

PLANS = (Plan(seed=1), Plan(seed=2, services=2, seconds=5), Plan(seed=3, kill_every=0, chaos=0.3, viewers=10))


@pytest.mark.parametrize("plan", PLANS, ids=["killed", "two services", "faults alone"])
def test_every_viewer_ends_with_exactly_the_upstreams_lines(data_dir: Path, plan: Plan) -> None:
    with upstream() as server:
        services = start(data_dir, server, plan.services)
        try:
            outcome = torture(plan, in_folder(data_dir), server, services)
        finally:
            for service in services:
                service.stop()
    assert outcome.problems == []
    assert outcome.lines > 500
    assert sum(count for fault, count in outcome.faults.items() if fault.startswith("logs:")) > 5


def test_services_that_are_stopped_and_continued_and_copies_that_are_put_back_lose_and_double_nothing(
    data_dir: Path,
) -> None:
    faults: Counter[str] = Counter()
    with upstream() as server:
        services = start(data_dir, server, 2)
        try:
            others = [pausing(services, 4, faults), restoring(data_dir, server, 4, faults)]
            plan = Plan(seed=4, seconds=5, kill_every=0, chaos=0.05)
            outcome = torture(plan, in_folder(data_dir), server, services, disturbances=others)
        finally:
            for service in services:
                service.stop()
    assert outcome.problems == []
    assert faults["services stopped and continued"] and faults["journals put back from a copy"]
