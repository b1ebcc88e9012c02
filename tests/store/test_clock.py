"""Leases by a clock that nobody can set: what kills, clocks put back and forward, and restarts do to them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from webapp.errors import LeaseHeld, LeaseLost
from webapp.journal.redact import Redactor
from webapp.store.sqlite.clock import SYSTEM, Clock, StoredLease, system_clock
from webapp.store.sqlite.journal import SqliteJournal

from .contract.lines import entries


def journal(folder: Path, clock: Clock) -> SqliteJournal:
    return SqliteJournal(folder / "job.sqlite3", "job", Redactor(()), 1000, clock)


def clock(boot: str = "a", seconds: float = 1000.0, wall_ms: int = 1_800_000_000_000) -> Clock:
    return Clock(boot, lambda: seconds, lambda: wall_ms)


@pytest.mark.parametrize("hours", [-0.5, -1000.0, 0.5, 1000.0])
def test_the_time_of_day_may_be_set_to_anything(tmp_path: Path, hours: float) -> None:
    held = journal(tmp_path, clock()).claim(5)
    shifted = clock(wall_ms=1_800_000_000_000 + int(hours * 3_600_000))
    with pytest.raises(LeaseHeld):
        journal(tmp_path, shifted).claim(5)
    journal(tmp_path, replace(shifted, seconds=lambda: 1005.1)).claim(5)
    with pytest.raises(LeaseLost):
        held.append(entries(0, 1))


def test_after_a_restart_of_the_machine_no_holder_lives(tmp_path: Path) -> None:
    journal(tmp_path, clock(seconds=900_000)).claim(5)
    journal(tmp_path, clock("b", seconds=12)).claim(5)


@pytest.mark.parametrize("hours", [-0.5, -1000.0, 0.5, 1000.0])
def test_where_the_time_of_day_has_to_do_a_dead_holder_keeps_nobody_out_and_a_living_one_does_no_harm(
    tmp_path: Path, hours: float
) -> None:
    held = journal(tmp_path, clock("", seconds=2e9)).claim(5)
    heir = journal(tmp_path, clock("", seconds=2e9 + hours * 3600)).claim(5)
    with pytest.raises(LeaseLost):
        held.append(entries(0, 1))
    heir.append(entries(0, 1))


@pytest.mark.parametrize(
    ("lease", "left"),
    [
        (StoredLease("me", "a", 1003.0, 5.0), 3.0),
        (StoredLease("me", "a", 1000.0, 5.0), 0.0),
        (StoredLease("me", "a", 1006.0, 5.0), 0.0),  # further ahead than it can be
        (StoredLease("me", "b", 1003.0, 5.0), 0.0),
        (StoredLease("", "a", 0.0, 0.0), 0.0),
    ],
)
def test_how_long_a_lease_has_left(lease: StoredLease, left: float) -> None:
    assert lease.left(clock()) == left


def test_the_systems_clock_goes_on_and_names_its_start() -> None:
    first, again = system_clock(), system_clock()
    assert first.boot == again.boot == SYSTEM.boot
    assert first.seconds() <= again.seconds() and first.wall_ms() > 1_600_000_000_000
