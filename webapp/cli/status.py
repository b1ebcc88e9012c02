from __future__ import annotations

from typing import Any

import click

from ..client.api import Client
from .options import job_argument, json_option, with_client
from .words import local, painted, printable, show_json, state_of


@click.command("status")
@job_argument
@json_option
@with_client
def command(client: Client, job: str, as_json: bool) -> None:
    """Show how a job stands.

    \b
    Examples:
      jobtail status 20260102-030405-abcdefghij
      jobtail status JOB --json | jq -r .job_status
    """
    status = client.status(job)
    if as_json:
        show_json(status)
        return
    for name, value in rows(status):
        click.echo(f"{name:<10} {value}")
    click.echo(f"{'page':<10} {client.link(job)}")


def rows(status: dict[str, Any]) -> list[tuple[str, str]]:
    """What a person wants to know, in this order; what is not known is left out."""
    state = painted(printable(state_of(status)))
    detail = status.get("detail")
    found = [
        ("job", printable(str(status.get("job_id") or ""))),
        ("name", printable(str(status.get("job_name") or ""))),
        ("status", f"{state} ({printable(str(detail))})" if detail else state),
    ]
    if status.get("total_tasks", 0) > 1:
        found.append(("tasks", f"{status.get('finished_tasks', 0)} of {status['total_tasks']}"))
    for name, key in (("started", "creation_date"), ("since", "job_status_date"), ("heartbeat", "last_heartbeat")):
        if status.get(key):
            found.append((name, local(status[key])))
    if status.get("exit_code") is not None:
        found.append(("exit code", str(status["exit_code"])))
    machine = " ".join(str(status[key]) for key in ("instance_type", "instance_id") if status.get(key))
    found.append(("on", printable(machine)))
    return [(name, value) for name, value in found if value]
