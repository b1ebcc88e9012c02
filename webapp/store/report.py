"""Who reports a job that runs elsewhere, as it is kept."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Report:
    """`producer`: who may write the job's lines, with what it signed in with; `epoch`: its newest run, which alone
    may. `begun_by`: the name to show."""

    job: str
    producer: str
    epoch: int
    begun_by: str = ""
