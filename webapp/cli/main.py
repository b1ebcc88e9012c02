"""`jobtail`: the command itself. Each subcommand is a module that is loaded when it is asked for, so that the
command line answers at once.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from contextlib import suppress
from importlib import import_module

import click

from .. import __version__

# Name: where it is, and what `jobtail --help` says of it.
COMMANDS = {
    "serve": ("serve", "Run the service: live pages and the API."),
    "run": ("run", "Run a command of this machine as a job that can be watched."),
    "push": ("push", "Send what run --to could not send."),
    "jobs": ("jobs", "List the newest jobs."),
    "status": ("status", "Show how a job stands."),
    "logs": ("logs", "Print a job's log so far."),
    "tail": ("tail", "Print a job's log, and follow it until the job ends."),
    "wait": ("wait", "Wait until a job has ended."),
    "search": ("search", "Find lines of a job's whole log."),
    "open": ("open_page", "Open a job's page in the browser."),
    "cancel": ("cancel", "Ask a job to end."),
    "forget": ("forget", "Throw a job's lines away."),
    "exec-time": ("exec_time", "Show the time from a job's first line to its last."),
    "config": ("config", "Show what a job runs."),
    "share": ("share", "Make a link to one job, which ends and can be revoked."),
    "doctor": ("doctor", "Look at what is wrong, and say what to do."),
    "backup": ("backup", "Write everything in the data folder into one file."),
    "journal": ("journal", "List, check and prune the journals."),
    "completion": ("completion", "Print the completion script of a shell."),
}
EXAMPLES = """\b
Examples:
  jobtail serve                            the service, on http://127.0.0.1:8484
  jobtail run -- make -j8                  a command as a job, with a link on top
  jobtail tail 20260102-030405-abcdefghij  follow a job, by its id or its link
  jobtail wait JOB && ./deploy             go on only if it succeeded

\b
JOB is an id, the start of one, a name, @last for the newest, or a link to a job.
Exit codes: 0; 1 the job failed or was cancelled; 2 usage; 124 timed out; 69 the service can't be reached.
"""
INTERRUPTED = 130
BROKEN_PIPE = 141
CLOSED: set[int] = set()  # those of the standard files that were not open at the start
CANNOT_WRITE = 74  # EX_IOERR of sysexits.h


class OutputFailed(Exception):
    """Standard output or error takes no more: nobody reads it (`gone`), or its disk is full."""

    def __init__(self, error: OSError) -> None:
        super().__init__(str(error.strerror or error))
        self.gone = isinstance(error, BrokenPipeError)


class CommandGroup(click.Group):
    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except OSError as error:
            # click would exit with 1, which here says that the job failed
            if _of_output(error):
                raise OutputFailed(error) from None
            raise

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f".{COMMANDS[cmd_name][0]}", __package__)
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.command(cls=CommandGroup, context_settings={"help_option_names": ["-h", "--help"]}, epilog=EXAMPLES)
@click.version_option(__version__, prog_name="jobtail")
def cli() -> None:
    """The live log page for batch jobs that a team can share."""


def main() -> None:
    open_standard_files()
    sys.exit(run(sys.argv[1:]))


def open_standard_files() -> None:
    """Where a standard file is closed, the next file that we open would take its number, and get what is printed."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
            CLOSED.add(number)
    sys.stdout = sys.stdout or open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", closefd=False)  # noqa: SIM115
    for file in (sys.stdout, sys.stderr):
        if isinstance(file, io.TextIOWrapper):
            file.reconfigure(errors="backslashreplace")  # a character that the locale lacks does not end the command


def run(arguments: list[str]) -> int:
    """Runs the command line and returns its exit code. What goes wrong is one sentence on standard error."""
    try:
        try:
            code = _run(arguments)
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
        return code
    except OSError as error:
        if not _of_output(error):
            raise
        return _output_failed(OutputFailed(error))
    except OutputFailed as failed:
        return _output_failed(failed)


def _run(arguments: list[str]) -> int:
    try:
        code = cli.main(arguments, prog_name="jobtail", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        return _wrong_usage(error)
    except (KeyboardInterrupt, click.Abort):
        return INTERRUPTED
    except OutputFailed:
        raise
    except Exception as error:
        if isinstance(error, OSError) and _of_output(error):
            raise
        return _failed(error)


def _of_output(error: OSError) -> bool:
    """Whether it comes from writing what we print. Any other failure names its file, or is an error in this program."""
    return error.filename is None and error.errno in (errno.EPIPE, errno.ENOSPC, errno.EIO, errno.EFBIG, errno.EDQUOT)


def _output_failed(failed: OutputFailed) -> int:
    """What is still to be flushed is thrown away silently."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    if failed.gone:
        os.dup2(nowhere, sys.stderr.fileno())
        return BROKEN_PIPE
    with suppress(OSError):
        sys.stderr.write(f"jobtail: what was printed could not be written: {failed}\n")
        sys.stderr.flush()
    os.dup2(nowhere, sys.stderr.fileno())  # where that failed too, Python's own flush at the exit would end with 120
    return CANNOT_WRITE


def _wrong_usage(error: click.ClickException) -> int:
    """As click says it, but without what a terminal would obey: an argument may come from anywhere."""
    from .out import complain_as

    context = getattr(error, "ctx", None)
    usage = [] if context is None else [*context.get_usage().splitlines()]
    if context is not None and context.command.get_help_option(context) is not None:
        usage += [f"Try '{context.command_path} --help' for help.", ""]
    complain_as(*usage, f"Error: {error.format_message()}")
    return error.exit_code


def _failed(error: Exception) -> int:
    from .failure import exit_code
    from .out import complain

    code = exit_code(error)
    if code is None:
        raise error
    complain(error)
    return code
