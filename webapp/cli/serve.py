from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

# Each setting that has a flag: what it means, for `--help`. The defaults are those of `webapp.settings`.
FLAGS = {
    "host": "Address to listen on [127.0.0.1].",
    "port": "Port to listen on [8484].",
    "log_format": "The service's own log: text, or json for programs [text].",
    "log_level": "debug, info, warning or error [info].",
    "run_jobs_a_minute": "Jobs that one token may begin a minute [600].",
    "run_lines_a_minute": "Lines that one token's jobs may bring a minute [6000000].",
    "run_bytes_a_minute": "Bytes that one token's jobs may bring a minute [1 GiB].",
    "run_open_jobs": "Jobs that one token may have running [1000].",
    "workers": "Processes that share the socket [1].",
    "data_dir": "Where the journal, jobs and links are kept [the platform's data folder].",
    "upstream_url": "Base of the Fused wire [empty: the embedded engine].",
    "upstream_auth_scheme": "Scheme of the upstream's credential [Bearer].",
    "public_url": "Base of the links it prints [from the request].",
    "trusted_user_header": "Header in which a sign-in proxy names the user.",
    "trusted_proxies": "Addresses that may send it, by commas.",
    "allowed_origins": "Other sites whose pages may read the API with a token, by commas.",
    "refresh_seconds": "Slowest beat of polling a running job that is watched [1].",
    "late_window_seconds": "How late an entry may turn up and be found within seconds [10].",
    "retention_days": "Days that the journal keeps a job [14].",
    "journal_max_bytes": "Bytes that all journals may take [10 GiB].",
    "disk_reserve_bytes": "Bytes of the disk that are to stay free [512 MiB, or 5 % of a small disk].",
    "max_viewers": "Viewers at once [5000].",
    "max_viewers_per_job": "Viewers of one job at once [2000].",
    "max_line_bytes": "A stream cuts a line that is longer [65536].",
}
# What must not stand in a command line, where every user of the machine can read it, or does not fit into one.
ENVIRONMENT = {
    "metrics_token": "Reads /metrics and nothing else.",
    "run_token": "Begins jobs on other machines (jobtail run --to) and nothing else; several with commas, name=token.",
    "access_token": "What people and programs sign in with; needed to listen on other addresses.",
    "upstream_token": "The service's own credential at the upstream.",
    "secret_key": "Signs links and cookies [made once, kept in the data folder].",
    "database_url": "postgresql://...: everything that lasts stands there, and any number of replicas share it.",
    "redact": "Expressions (RE2, one a line) blanked in every line [common credentials].",
}


def variable(setting: str) -> str:
    return f"JOBTAIL_{setting.upper()}"


def flags(command: F) -> F:
    for setting, text in reversed(FLAGS.items()):
        flag = f"--{setting.replace('_', '-')}"
        command = click.option(flag, setting, metavar="X", help=f"{text} {variable(setting)}")(command)
    return command


def epilog() -> str:
    only = "\n".join(f"  {variable(setting)}\n      {text}" for setting, text in ENVIRONMENT.items())
    return (
        "\b\nBy environment variable or .env file alone:\n" + only + "\n\n"
        "A flag wins over the environment, which wins over a .env file in the current folder.\n\n"
        "\b\nExamples:\n"
        "  jobtail serve\n"
        "  jobtail serve --port 9000 --data-dir /var/lib/jobtail\n"
        "  JOBTAIL_ACCESS_TOKEN=... jobtail serve --host 0.0.0.0"
    )


@click.command("serve", epilog=epilog())
@flags
def command(**given: str | None) -> int:
    """Run the service: live pages, the API, and the Fused wire under /server/v1.

    Stops cleanly on SIGTERM and Ctrl-C, telling every viewer first. Several may use one data folder.
    """
    from ..settings import load_settings
    from ..web.server import run

    return run(load_settings(**given))
