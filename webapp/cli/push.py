from __future__ import annotations

import os

import click


@click.command("push")
@click.option("--timeout", type=click.FloatRange(0), default=600.0, metavar="S", help="For each job [600].")
def command(timeout: float) -> int:
    """Send what `jobtail run --to` could not send before it ended.

    Each job goes to the service that it was reported to, with the grant that it had or with JOBTAIL_TOKEN.

    \b
    Examples:
      jobtail push
    """
    from ..push.left import push
    from ..settings import load_settings_for_a_command

    def say(message: str) -> None:
        click.echo(f"jobtail: {message}", err=True)

    settings = load_settings_for_a_command(say)
    return 0 if push(settings, os.environ.get("JOBTAIL_TOKEN", "").strip(), timeout, say) else 1
