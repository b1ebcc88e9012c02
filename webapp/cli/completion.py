from __future__ import annotations

import click
from click.shell_completion import CompletionItem, get_completion_class


def complete_path(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Files and folders, as the shell completes them by itself."""
    return [CompletionItem(incomplete, type="file")]


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
    from .main import cli

    completion = get_completion_class(shell)
    if completion is not None:
        click.echo(completion(cli, {}, "jobtail", "_JOBTAIL_COMPLETE").source())
