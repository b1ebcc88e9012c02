from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import click

from ..client.api import Client
from .options import json_option, with_client
from .out import clear, complain, say, show_json
from .resolve import rows
from .words import local, state, took_of


@click.command("jobs")
@click.option("-n", default=20, show_default=True, type=click.IntRange(1, 1000), help="How many.")
@click.option(
    "--skip", default=0, show_default=True, type=click.IntRange(0), help="How many of the newest to pass over."
)
@click.option(
    "--status", metavar="STATUS", help="Only those: running, pending, stopping, done, failed, canceled (several: a,b)."
)
@click.option("--name", "q", metavar="TEXT", help="Only those whose name holds this, or whose id begins with it.")
@click.option("-w", "--watch", is_flag=True, help="Print the list again whenever it has changed, until Ctrl-C.")
@click.option(
    "--every", default=2.0, show_default=True, type=click.FloatRange(0.2, 3600), metavar="S", help="With --watch."
)
@json_option
@with_client
def command(client: Client, n: int, skip: int, status: str | None, q: str | None, watch: bool, every: float,
            as_json: bool) -> None:  # fmt: skip
    """List the newest jobs, newest first.

    \b
    Examples:
      jobtail jobs
      jobtail jobs --status running --watch
      jobtail jobs -n 100 --status failed --json | jq -r '.jobs[].id'
    """
    if watch:
        for found in _changes(client, every, n, skip, q, status):
            _again(found, as_json)
        return
    found = client.job_list(n, skip, q=q, status=status)
    if as_json:
        show_json(found)
    elif not _table(found):
        complain("no such job" if q or status else "no jobs yet. Start one: jobtail run -- CMD")


def _changes(client: Client, every: float, n: int, skip: int, q: str | None, status: str | None) -> Iterator[Any]:
    """Prints the list, and again whenever it has changed; on a terminal every time, because durations grow."""
    printed = None
    while True:
        found = client.job_list(n, skip, q=q, status=status)
        text = json.dumps(found, sort_keys=True)
        if text != printed or sys.stdout.isatty():
            yield found
            printed = text
        time.sleep(every)


def _again(found: dict[str, Any], as_json: bool) -> None:
    if as_json:
        show_json(found, indent=None)
        sys.stdout.flush()
        return
    if sys.stdout.isatty():
        clear()
    if not _table(found):
        say("no jobs")
    say()


def _table(found: dict[str, Any]) -> bool:
    """Whether there was one to show. A row with an odd id is left out: no command could take it."""
    jobs, now = rows(found), datetime.now(UTC)
    width = max((len(job["id"]) for job in jobs), default=0)
    if jobs:
        say(f"{'JOB':<{width}}  {'STATUS':<9}  {'STARTED':<19}  {'TOOK':<12}  NAME")
    for job in jobs:
        took, name = took_of(job, now), job.get("job_name") or ""
        say(f"{job['id']:<{width}}  ", state(job, 9), f"  {local(job.get('creation_date')):<19}  {took:<12}  ", name)
    return bool(jobs)
