from __future__ import annotations

from pathlib import Path

import click

from .out import say


@click.command("backup")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Replace FILE where it exists.")
def command(file: Path, force: bool) -> None:
    """Write everything in the data folder into FILE, while the service runs.

    FILE is a tar archive that only you can read: it holds the key that signs links. To restore, stop the service and
    unpack it into an empty data folder (tar -xf FILE -C FOLDER). There the lines keep their numbers and get new ids,
    because ids that were given after the backup must not stand for other lines. What was revoked since works again
    there: see Backup in docs/operations.md.

    \b
    Examples:
      jobtail backup /var/backups/jobtail-$(date +%F).tar
    """
    from .local import opened

    if file.exists() and not force:
        raise click.UsageError(f"{file} is there already: choose another name, or --force")
    with opened() as store:
        store.backup(file)
    say(f"{file}: {file.stat().st_size:,} bytes")
