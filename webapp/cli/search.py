from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import click

from ..client.api import Client
from ..client.line import Line
from .options import job_argument, json_option, with_client
from .out import say, show_json
from .printer import JsonPrinter, LogPrinter
from .words import count_of

PAGE = 1000


@click.command("search")
@job_argument
@click.argument("text")
@click.option("--regex", is_flag=True, help="TEXT is an expression (RE2).")
@click.option("--level", metavar="LEVEL", help="Only this level: error, warning, info, debug (several: a,b).")
@click.option("-n", "--limit", type=click.IntRange(1), metavar="N", help="The first N matches.")
@click.option("--count", is_flag=True, help="Print only how many lines match.")
@click.option("--timestamps", is_flag=True, help="The time before each line.")
@json_option
@with_client
def command(client: Client, job: str, text: str, regex: bool, level: str | None, limit: int | None, count: bool,
            timestamps: bool, as_json: bool) -> None:  # fmt: skip
    """Find lines of a job's whole log; the service looks, and sends the matches alone.

    A text is found in either case unless it holds a capital letter. Each line comes with its number, which a link to
    the page takes: JOB's page and #L120.

    \b
    Examples:
      jobtail search JOB 'disk full'
      jobtail search JOB --regex 'took [0-9]{4,} ms' -n 20
      jobtail search JOB --count --level error ''
    """
    wanted = {"q": text, "regex": regex, "level": level}
    if count:
        total = sum(count_of(part.get("count")) for part in _parts(client, job, wanted, 0))
        show_json({"count": total}) if as_json else say(total)
        return
    printer = JsonPrinter(sys.stdout) if as_json else Numbered(sys.stdout, timestamps=timestamps)
    for line in _matches(client, job, wanted, limit):
        printer.line(line)
        if printer.full:
            printer.flush()
    printer.end()


class Numbered(LogPrinter):
    """Each line after its number; each is shown by itself."""

    def _show(self, line: Line, message: str) -> None:
        super()._show(line, f"{line.line}: {message}")


def _matches(client: Client, job: str, wanted: dict[str, Any], limit: int | None) -> Iterator[Line]:
    left = limit
    for part in _parts(client, job, wanted, PAGE if left is None else min(PAGE, left)):
        lines = part.get("lines")
        for found in lines if isinstance(lines, list) else ():
            if left == 0:
                return
            if isinstance(found, dict):
                left = None if left is None else left - 1
                yield Line(found)
        if left == 0:
            return


def _parts(client: Client, job: str, wanted: dict[str, Any], size: int) -> Iterator[dict[str, Any]]:
    """The log, a part an answer: a service looks for half a second at most."""
    after: str | None = None
    while True:
        part = client.search(job, **wanted, limit=size, after=after)
        yield part
        if part.get("complete") is not False or part.get("scanned_to") in (None, after):
            return
        after = str(part["scanned_to"])
