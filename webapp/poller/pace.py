"""How often, how far and how long a log is followed (docs/exactness.md), in seconds. Tests pass smaller figures."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """`late_every`, `sweep_every`: how often the late window and `sweep_reach` are read again. `sweep_share`: the part
    of the time that sweeps may take. `deep_*`: how often the whole log is read again for what came later than any sweep
    reaches, `deep_share` as `sweep_share`. `drain_*`: how a job's end is waited for, `drain_empty` where there is no
    line, and at most where they are known to come late; `drain_unseen`: how old the newest line of a job has to be that
    nobody looked at while it ran. `looks`: when to look again after it.
    `idle_*`: polling that nobody waits for. `grace`: how long a job may be unknown before it is called so."""

    late_every: float = 5.0
    sweep_every: float = 30.0
    sweep_reach: float = 600.0
    sweep_share: float = 0.1
    deep_every: float = 60.0
    deep_share: float = 0.02
    window_most: float = 120.0
    drain_least: float = 5.0
    drain_rounds: int = 2
    drain_most: float = 60.0
    drain_empty: float = 45.0
    drain_unseen: float = 15.0
    looks: tuple[float, ...] = (60.0, 300.0)
    idle_beat_most: float = 5.0
    idle_stop: float = 30.0
    grace: float = 5.0
    backoff_first: float = 0.5
    backoff_most: float = 30.0
    lease: float = 5.0
    lease_renew: float = 1.0
    loading_every: float = 0.5
