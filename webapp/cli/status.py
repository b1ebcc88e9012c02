from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from ..client.api import Client
from .options import job_argument, json_option, with_client
from .out import say, show_json
from .words import count_of, local, reason, state, took_of


@click.command("status")
@job_argument
@json_option
@with_client
def command(client: Client, job: str, as_json: bool) -> None:
    """Show how a job stands.

    \b
    Examples:
      jobtail status 20260102-030405-abcdefghij
      jobtail status @last
      jobtail status JOB --json | jq -r .job_status
    """
    status = client.status(job)
    if as_json:
        show_json(status)
        return
    for name, *value in rows(status):
        say(f"{name:<10} ", *value)
    say(f"{'page':<10} ", client.link(job))


def rows(status: dict[str, Any]) -> list[tuple[object, ...]]:
    """What a person wants to know, in this order; what is not known is left out."""
    why, total = reason(status), count_of(status.get("total_tasks"))
    machine = " ".join(str(status[key]) for key in ("instance_type", "instance_id") if status.get(key))
    known: list[tuple[str, Any]] = [
        ("job", status.get("job_id")),
        ("name", status.get("job_name")),
        ("tasks", f"{count_of(status.get('finished_tasks'))} of {total}" if total > 1 else None),
        ("started", status.get("creation_date") and local(status["creation_date"])),
        ("since", status.get("job_status_date") and local(status["job_status_date"])),
        ("took", took_of(status, datetime.now(UTC))),
        ("heartbeat", status.get("last_heartbeat") and local(status["last_heartbeat"])),
        ("exit code", status.get("exit_code")),
        ("on", machine),
    ]
    found: list[tuple[object, ...]] = [(name, value) for name, value in known if value not in (None, "")]
    place = sum(name in ("job", "name") for name, *_ in found)
    return [*found[:place], ("status", state(status), f" ({why})" if why else ""), *found[place:]]
