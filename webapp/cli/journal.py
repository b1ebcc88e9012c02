from __future__ import annotations

import json
from typing import Any

import click

from ..durations import duration
from .options import json_option
from .out import complain, say, show_json


@click.group("journal", invoke_without_command=True)
@json_option
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> int | None:
    """List, check and prune the journals, where the service's data is.

    \b
    Examples:
      jobtail journal                     every journal: lines, size, age
      jobtail journal verify              look for damage
      jobtail journal prune --days 3      forget what is older
    """
    return _list(as_json) if ctx.invoked_subcommand is None else None


def _list(as_json: bool) -> int:
    from .local import opened

    with opened() as store:
        held = list(store.journals.all())
    if as_json:
        names = ("job", "lines", "bytes", "age", "finished", "written")
        show_json([{name: getattr(each, name) for name in names} for each in held])
        return 0
    for each in held:
        state = "being written" if each.written else "finished" if each.finished else ""
        say(f"{each.lines:>12,} lines {each.bytes:>15,} bytes  {duration(each.age):>12} ago  ", each.job, f"  {state}")
    complain(f"{len(held)} journals, {sum(each.bytes for each in held):,} bytes")
    return 0


@command.command("verify")
def verify() -> int:
    """Look at every journal: exit code 1 where one is damaged. Nothing is changed."""
    from .local import opened

    problems = 0
    with opened() as store:
        for job, wrong in store.journals.check():
            problems += 1
            say(job, ": ", wrong)
        for held in store.journals.all():
            for wrong in _wrong(store.journals.open(held.job)):
                problems += 1
                say(held.job, ": ", wrong)
            store.journals.release(held.job)
    complain(f"{problems} problems" if problems else "every journal is whole")
    return 1 if problems else 0


def _wrong(journal: Any) -> list[str]:
    """Lines that are missing or wrong."""
    state = journal.state()
    at, found = state.trimmed_to, []
    while batches := journal.read(at, upto=state.last_line):
        for batch in batches:
            if batch.first != at + 1:
                found.append(f"lines {at + 1} to {batch.first - 1} are missing")
            for number, line in enumerate(batch.split(), batch.first):
                if json.loads(line)["line"] != number:
                    found.append(f"line {number} has another number")
            at = batch.last
    if at < state.last_line:
        found.append(f"lines {at + 1} to {state.last_line} are missing")
    return found


@command.command("prune")
@click.option("--days", type=click.FloatRange(0.01), help="Forget journals that had no new line for so many days.")
@click.option("--bytes", "most", type=click.IntRange(1 << 20), help="Forget the oldest until the rest take no more.")
def prune(days: float | None, most: int | None) -> int:
    """Apply the bounds of age and size now: those of the settings, or the given ones. Journals that are written or
    watched, or were written within the last minute, stay."""
    from ..settings import load_settings
    from .local import opened

    settings = load_settings(retention_days=days, journal_max_bytes=most)
    with opened(settings) as store:
        gone = store.journals.sweep()
        store.catalog.forget(gone)
    for job in gone:
        say(job)
    complain(f"{len(gone)} journals were forgotten")
    return 0
