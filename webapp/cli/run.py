from __future__ import annotations

import click

from .completion import complete_path


@click.command("run", context_settings={"allow_interspersed_args": False})
@click.option("--name", default="", metavar="NAME", help="What the job is called; else its command line.")
@click.option("--quiet", is_flag=True, help="Nothing of ours on standard error but errors.")
@click.option(
    "--timeout",
    type=click.FloatRange(0, min_open=True),
    metavar="S",
    help="End it after so many seconds, with exit code 124.",
)
@click.option("--tty", is_flag=True, help="Give it a terminal: for commands that draw or hold output back.")
@click.argument(
    "cmd", metavar="-- CMD [ARG ...]", nargs=-1, required=True, type=click.UNPROCESSED, shell_complete=complete_path
)
def command(name: str, quiet: bool, timeout: float | None, tty: bool, cmd: tuple[str, ...]) -> int:
    """Run a command of this machine as a job that can be watched.

    Prints the job's link on standard error, passes the command's output through unchanged, and exits with the
    command's own code (128 + signal; 127 not found; 126 not executable; 124 its time was up). Ctrl-C cancels
    the job. Needs no server: `jobtail serve` shows the job whenever it is started.

    \b
    Examples:
      jobtail run -- make -j8
      jobtail run --name nightly --timeout 3600 -- python -u etl.py --day 2026-01-02
      jobtail run --tty -- ./deploy.sh
    """
    from ..engine.runner import Options, run
    from ..settings import load_settings_for_a_command
    from .main import CLOSED

    settings = load_settings_for_a_command(lambda message: click.echo(f"jobtail: {message}", err=True))
    options = Options(name=name, quiet=quiet, timeout=timeout, tty=tty, alone=True, closed_input=0 in CLOSED)
    return run(cmd, options, settings)
