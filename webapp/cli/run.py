from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from .completion import complete_path

if TYPE_CHECKING:
    from ..engine.runner import Options


@click.command("run", context_settings={"allow_interspersed_args": False})
@click.option("--name", default="", metavar="NAME", help="The job's name, instead of its command line.")
@click.option("--quiet", is_flag=True, help="Print only errors of jobtail itself on standard error.")
@click.option(
    "--timeout",
    type=click.FloatRange(0, min_open=True),
    metavar="S",
    help="End it after so many seconds, with exit code 124.",
)
@click.option("--tty", is_flag=True, help="Give it a terminal: for commands that draw or hold output back.")
@click.option("--to", default="", metavar="URL", help="Report it to the service there [JOBTAIL_RUN_TO].")
@click.option(
    "--linger",
    type=click.FloatRange(0),
    default=60.0,
    metavar="S",
    help="With --to: for how many seconds the rest is still sent once the command has ended [60].",
)
@click.argument(
    "cmd", metavar="-- CMD [ARG ...]", nargs=-1, required=True, type=click.UNPROCESSED, shell_complete=complete_path
)
def command(
    name: str, quiet: bool, timeout: float | None, tty: bool, to: str, linger: float, cmd: tuple[str, ...]
) -> int:
    """Run a command of this machine as a job that can be watched.

    Prints the job's link on standard error, passes the command's output through unchanged, and exits with the
    command's own code (128 + signal; 127 not found; 126 not executable; 124 its time was up). Ctrl-C cancels
    the job. Needs no server: `jobtail serve` shows the job whenever it is started.

    With --to the job is reported to a service on another machine, with JOBTAIL_TOKEN. The command never waits for
    the network; what could not be sent by the end stays here, and `jobtail push` sends it.

    \b
    Examples:
      jobtail run -- make -j8
      jobtail run --name nightly --timeout 3600 -- python -u etl.py --day 2026-01-02
      jobtail run --tty -- ./deploy.sh
      jobtail run --to https://logs.example -- python train.py
    """
    from ..engine.runner import Options, run
    from ..settings import load_settings_for_a_command
    from .main import CLOSED

    settings = load_settings_for_a_command(lambda message: click.echo(f"jobtail: {message}", err=True))
    options = Options(name=name, quiet=quiet, timeout=timeout, tty=tty, alone=True, closed=frozenset(CLOSED))
    if url := to or os.environ.get("JOBTAIL_RUN_TO", ""):
        options = elsewhere(options, url, linger)
    return run(cmd, options, settings)


def elsewhere(options: Options, url: str, linger: float) -> Options:
    """The same, reported to a service on another machine. UsageError for an address that is not valid."""
    from dataclasses import replace

    from ..client.address import service_url
    from ..push.sink import PushSink

    url = service_url(url, "--to")
    token = os.environ.get("JOBTAIL_TOKEN", "").strip()
    return replace(
        options, url=url,
        sink=lambda settings, job, say: PushSink(settings, job, url, token, linger=linger, say=say),
    )  # fmt: skip
