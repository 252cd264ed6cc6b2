"""The command line: `model-lab-monitor`.

Only click is imported here: `--help` must not wait for what a command needs. Commands are imported when they are run;
what `--help` says of them stands here as data.
"""

from __future__ import annotations

import os
import signal
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from monitors import COMPLETE_VARIABLE, PROGRAM, __version__
from monitors.errors import MonitorError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

DEBUG_VARIABLE = "MODEL_LAB_MONITOR_DEBUG"

COMMANDS = {
    "probe": "Probe the sites once and judge every answer.",
    "check": "Judge recorded answers offline.",
    "diff": "Compare two contracts.",
    "upstream": "Compare the vendor's page with the contract.",
    "accept": "Accept findings, with a reason, in a file people review.",
    "propose": "Write a patch of the contract that makes findings true.",
    "watch": "Probe on a schedule, keep history, alert once per problem.",
    "incidents": "List incidents; acknowledge, silence or resolve one.",
    "history": "Show what was probed, and how it went.",
    "uptime": "Show uptime and response times over days or a year.",
    "notify": "Test the sinks, send a digest, see what waits.",
    "config": "Write, check or show the configuration.",
    "db": "Upgrade, check or vacuum the store.",
    "export": "Write everything the store holds as NDJSON.",
    "import": "Read an export into the store.",
    "demo": "Watch mock sites drift, fail and recover.",
    "sites": "List the sites, and what is configured for each.",
    "ledger": "Show what was seen where, on which site, since when.",
    "rules": "List the rules that findings name.",
    "completion": "Print the completion script of a shell.",
}
"""Every command with its line in `--help`."""

_MODULES = {"import": "importing", "export": "exporting"}

_USAGE, _HARNESS, _INTERRUPTED = 2, 4, 130


class LazyGroup(click.Group):
    """A group that knows its commands by name and imports each one only to run it."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names in the order of `--help`."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Import a command; None for an unknown name."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"monitors.commands.{_MODULES.get(cmd_name, cmd_name)}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command an argument names; the error for one that is none names the nearest."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-") and not ctx.resilient_parsing:
            from difflib import get_close_matches  # noqa: PLC0415 - not for --help

            near = get_close_matches(name.lower(), COMMANDS, n=1)
            ctx.fail(f"no such command {name!r}{f'; did you mean {near[0]}?' if near else ''}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - likewise
        """Write the section of commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    PROGRAM,
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 fine, 1 contract broken or drifted, 3 a site is unavailable, 2 usage, 4 the monitor failed.",
)
@click.version_option(__version__, prog_name=PROGRAM, message="%(prog)s %(version)s")
@click.option("--debug", is_flag=True, envvar=DEBUG_VARIABLE, help="Show the traceback of an unexpected error.")
def group(*, debug: bool) -> None:
    """Watch GET /api/v2/model-lab-api/runs/{run_id} on every regional site.

    Keys come from the environment or a configuration file, never from the command line.
    """


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave with its exit code."""
    if sys.stderr is None:
        # Closed by whoever started us: there is no place for messages, yet nothing else is wrong.
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - no pathlib here; open to the end
    from monitors.commands.errorstream import ErrorStream  # noqa: PLC0415 - for a program, not for who imports `run`

    # A disk that is full or a reader that is gone must not end what goes on, nor change what it comes to.
    sys.stderr = ErrorStream(sys.stderr)
    for number in (signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):
        if signal.getsignal(number) is signal.SIG_DFL:  # nohup, for one, has it ignored
            signal.signal(number, _leave)
    code = run(sys.argv[1:] if arguments is None else arguments)
    _drop_broken_pipe()
    sys.exit(code)


def _leave(number: int, _frame: object) -> NoReturn:
    """End as whoever asks for it expects, drafts of files removed on the way."""
    raise SystemExit(128 + number)


def run(arguments: Sequence[str]) -> int:
    """Return the exit code of one command line; every error is one line on stderr."""
    if COMPLETE_VARIABLE in os.environ:
        group.main(prog_name=PROGRAM, complete_var=COMPLETE_VARIABLE)
    debug = bool(os.environ.get(DEBUG_VARIABLE))
    try:
        context = group.make_context(PROGRAM, list(arguments))
        debug = debug or context.params["debug"]
        with context:
            code: int | None = group.invoke(context)
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return _USAGE
    except (KeyboardInterrupt, click.Abort):
        return _INTERRUPTED
    except Exception as error:
        message, code = _told(error)
        if code == _HARNESS and debug:
            raise
        click.echo(f"error: {_printable(message)}", err=True)
    return code or 0


def _printable(message: str) -> str:
    """Return the message with whatever a file's name or content brought in spelled out, line by line."""
    from monitors.report.text import plain  # noqa: PLC0415 - not for --help

    return "\n".join(plain(line) for line in message.split("\n"))


def _told(error: Exception) -> tuple[str, int]:
    """Return what a person is told of an error, and the exit code."""
    if isinstance(error, click.ClickException):
        return _click_message(error), _USAGE
    if isinstance(error, MonitorError):
        return str(error), error.exit_code
    if isinstance(error, BrokenPipeError):
        return "standard output was closed before everything was written", _USAGE
    if isinstance(error, OSError):
        where = f" ({error.filename})" if error.filename else ""
        return f"this machine failed: {(error.strerror or str(error)).lower()}{where}", _HARNESS
    return _bug(error), _HARNESS


def _click_message(error: click.ClickException) -> str:
    """Return click's sentence on one line, in our form, with the command whose help says more."""
    message = " ".join(error.format_message().split()).removesuffix(".")
    message = message[:1].lower() + message[1:]
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else PROGRAM
    return f"{message} See {path} --help" if message.endswith("?") else f"{message}; see {path} --help"


def _bug(error: Exception) -> str:
    """Say what broke and where; the error's own text stays out, for nobody can promise what it quotes."""
    trace: Any = error.__traceback__
    while trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}"  # noqa: PTH119 - no pathlib here
    return f"{type(error).__name__} at {place}: this is a bug in {PROGRAM}; --debug before the command shows more"


def _drop_broken_pipe() -> None:
    """Keep the interpreter from flushing into a closed pipe on its way out, which would print a traceback."""
    try:
        print(end="", flush=True)  # noqa: T201 - flushes, and minds a standard output that is closed
    except (OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
