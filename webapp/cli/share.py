from __future__ import annotations

from typing import Any

import click

from ..client.api import Client
from .options import job_argument, json_option, with_client_to_change
from .out import complain, say, show_json
from .words import local


@click.command("share")
@job_argument
@click.option("--expires", default="7d", show_default=True, metavar="TIME", help="How long it holds: 30m, 12h, 7d.")
@click.option("--can-cancel", is_flag=True, help="Whoever has the link may cancel the job.")
@click.option("--note", default="", metavar="TEXT", help="Whom the link is for, so that you find it again.")
@click.option("--lines", metavar="A-B", help="Only these lines.")
@click.option("--list", "listed", is_flag=True, help="List the job's links instead.")
@click.option("--revoke", metavar="LINK", help="End a link, by the id that --list shows.")
@json_option
@with_client_to_change
def command(
    client: Client,
    job: str,
    expires: str,
    can_cancel: bool,
    note: str,
    lines: str | None,
    listed: bool,
    revoke: str | None,
    as_json: bool,
) -> None:
    """Make a link to one job, which ends and can be revoked. Whoever has it needs no account.

    \b
    Examples:
      jobtail share JOB
      jobtail share JOB --expires 12h --can-cancel --note "for the night shift"
      jobtail share JOB --list
      jobtail share JOB --revoke ID
    """
    if revoke is not None:
        client.revoke(job, revoke)
        if as_json:
            show_json({"id": revoke, "revoked": True})
    elif listed:
        _list(client.shares(job), as_json)
    else:
        made = client.share(job, expires_in=expires, can_cancel=can_cancel, note=note, lines=_range(lines))
        if as_json:
            show_json(made)
        else:
            say(made.get("url"))
        if made.get("warning"):
            complain(made["warning"])


def _list(shares: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        show_json(shares)
        return
    for share in shares:
        ends = "revoked" if share.get("revoked") else f"ends {local(share.get('expires_at'))}"
        rights = "may cancel" if share.get("can_cancel") else "may read"
        say(share.get("id"), "  ", ends, "  ", rights, "  ", share.get("note") or "")


def _range(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    first, dash, last = text.partition("-")
    if not (dash and first.isdigit() and last.isdigit() and 1 <= int(first) <= int(last)):
        raise click.BadParameter(f"{text!r} is not a range: it takes one such as 120-140", param_hint="--lines")
    return int(first), int(last)
