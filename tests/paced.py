"""`jobtail serve` with the times of the rule at a fraction, for tests that can't wait for minutes.

`python -m tests.paced serve` is run by `Paced`; `PACE` is the fraction.
"""

from __future__ import annotations

import os
from dataclasses import replace
from functools import partial

from tests.served import Served
from webapp.poller.pace import Pace

SCALE = 0.05


class Paced(Served):
    """A service on a scripted upstream."""

    module = "tests.paced"


def scaled(factor: float) -> Pace:
    """Every time of the rule multiplied; reaches, shares and the lease stay: they are not waited for."""
    pace = Pace()
    return replace(
        pace,
        late_every=pace.late_every * factor,
        sweep_every=pace.sweep_every * factor,
        drain_least=pace.drain_least * factor,
        deep_every=pace.deep_every * factor,
        drain_most=pace.drain_most * factor,
        drain_empty=pace.drain_empty * factor,
        drain_unseen=pace.drain_unseen * factor,
        looks=tuple(look * factor for look in pace.looks),
        idle_beat_most=pace.idle_beat_most * factor,
        idle_stop=pace.idle_stop * factor,
        grace=pace.grace * factor,
        backoff_first=pace.backoff_first * factor,
        backoff_most=pace.backoff_most * factor,
        loading_every=pace.loading_every * factor,
    )


def main() -> None:
    from webapp.cli.main import main as command
    from webapp.poller import poller
    from webapp.source import fused

    scale = float(os.environ.get("PACE", SCALE))
    # A drain is given up no sooner than in earnest: faults that tests inject do not last as long as real ones, but
    # come as often.
    pace = replace(scaled(scale), lease=1.0, lease_renew=0.2, drain_most=60.0)
    poller.Poller = partial(poller.Poller, pace=pace)  # type: ignore[assignment, misc]
    timeouts = fused.Timeouts(connect=1, read=1, pool=5)
    fused.FusedSource = partial(fused.FusedSource, timeouts=timeouts)  # type: ignore[assignment, misc]
    command()


if __name__ == "__main__":
    main()
