"""The torture test for as long as one likes: python -m bench.soak --minutes 30

Two services on one data folder are killed, stopped and continued while viewers follow jobs of an upstream that
misbehaves, and journals are put back from older copies. Prints its seed first, every problem with the seed of its turn
when it is found, and at the end how often each fault was injected. Exit code 1 where a line was lost in silence or
doubled, or a viewer had no end.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.paced import Paced
from tests.torture import Disturbance, Plan, in_folder, pausing, restoring, start, torture
from tests.upstream import Upstream, upstream


def plan_of(seed: int) -> Plan:
    chance = random.Random(seed)
    return Plan(
        seed,
        seconds=chance.choice((3, 6, 12)),
        jobs=chance.choice((1, 2, 3)),
        viewers=chance.choice((2, 4, 8)),
        rate=chance.choice((20, 100, 300)),
        chaos=chance.choice((0.0, 0.1, 0.25, 0.4)),
        kill_every=chance.choice((0, 1.5, 4)),
        services=2,
    )


def disturbances(
    seed: int, data: Path, server: Upstream, services: list[Paced], faults: Counter[str]
) -> list[Disturbance]:
    chance = random.Random(-seed)
    found: list[Disturbance] = []
    if chance.random() < 0.4:
        found.append(pausing(services, seed, faults))
    if chance.random() < 0.4:
        found.append(restoring(data, server, seed, faults))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 30))
    parser.add_argument("--turns", type=int, default=0, help="so many turns and no more; 1 runs a seed again")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    faults: Counter[str] = Counter()
    turns = lines = viewers = problems = 0
    until = time.monotonic() + options.minutes * 60
    with tempfile.TemporaryDirectory() as folder, upstream() as server:
        data = Path(folder) / "data"
        services = start(data, server, 2)
        try:
            while time.monotonic() < until and (not options.turns or turns < options.turns):
                plan = plan_of(options.seed + turns)
                others = disturbances(plan.seed, data, server, services, faults)
                outcome = torture(plan, in_folder(data), server, services, disturbances=others)
                turns, lines, viewers = turns + 1, lines + outcome.lines, viewers + outcome.viewers
                faults.update(outcome.faults)
                problems += len(outcome.problems)
                for problem in outcome.problems:
                    print(f"PROBLEM --seed {plan.seed}: {problem}", flush=True)
                if outcome.problems:
                    print(f"  {plan}", flush=True)
        finally:
            for service in services:
                service.stop()
    print(json.dumps({"turns": turns, "lines": lines, "viewers": viewers, "problems": problems}))
    for fault, count in sorted(faults.items()):
        print(f"{count:8}  {fault}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
