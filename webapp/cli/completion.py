from __future__ import annotations

import click


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the completion script of a shell.

    \b
    Examples:
      eval "$(jobtail completion bash)"        in ~/.bashrc
      eval "$(jobtail completion zsh)"         in ~/.zshrc
      jobtail completion fish | source         in config.fish
    """
    from click.shell_completion import get_completion_class

    from .main import cli

    completion = get_completion_class(shell)
    if completion is not None:
        click.echo(completion(cli, {}, "jobtail", "_JOBTAIL_COMPLETE").source())
