"""A service with few descriptors, of which strangers take all that they get: the owner gets in all the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.security.house import OWNER, House
from tests.served import Served, until
from tests.sse import EventStream

from . import figures
from .attack import attack
from .bounds import Bounds, taken
from .conftest import LIVE, ticking
from .limited import DESCRIPTORS
from .owner import Owner

FORMS = ["all", "bodies"]
WAIT_SECONDS = 30


class Limited(Served):
    module = "tests.abuse.limited"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with House.opened(tmp_path, kind=Limited) as house, ticking(house):
        yield house


@pytest.mark.parametrize("form", FORMS)
def test_who_holds_every_connection_keeps_no_owner_out(house: House, form: str) -> None:
    jobs = [f"opened-under-{form}-{n}" for n in range(6)]
    for job in jobs:
        house.upstream.job(job).log("a line")

    def reads(job: str) -> bool:
        """Somebody who tries again, as every client and page does."""
        try:
            return house.owner("GET", f"/api/jobs/{job}/logs").status_code == 200
        except httpx.TransportError:
            return False

    with (
        Bounds(house.served.process.pid) as bounds,
        Owner(house.url, LIVE) as owner,
        attack("holds", door=house.url, count=150, form=form) as attacker,
    ):
        until(lambda: taken(house.served.process.pid).files > DESCRIPTORS - 48, "descriptors to run short")
        for job in jobs:
            until(lambda job=job: reads(job), f"{job} to be read", 30)  # type: ignore[misc]
        until(lambda: _streams(house), "another stream of the owner's", 30)
        owner.watches(2)
    figures.write(f"all of {DESCRIPTORS} descriptors, {form}", "the service", owner.delays, bounds)
    # At times a request to the upstream finds no descriptor and is sent again.
    assert max(owner.delays) < WAIT_SECONDS, owner.delays
    assert attacker.told["opened"] > 150
    # What is left are the journals of seven jobs, of some ten descriptors each.
    until(lambda: taken(house.served.process.pid).files < DESCRIPTORS - 10, "the connections to be closed")
    assert house.ask("GET", "/readyz").status_code == 200


def _streams(house: House) -> bool:
    """Whether a new stream gives a line."""
    try:
        with EventStream(f"{house.url}/api/jobs/{LIVE}/events", headers=OWNER) as events:
            return any(event.name == "" for event in events)
    except (OSError, ValueError, IndexError):
        return False
