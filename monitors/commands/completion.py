"""`completion`: the script that teaches a shell the commands and options."""

from __future__ import annotations

import os
from pathlib import PurePath

import click
from click.shell_completion import get_completion_class

from monitors import COMPLETE_VARIABLE, PROGRAM
from monitors.commands.output import write_stdout
from monitors.errors import UsageError

SHELLS = ("bash", "zsh", "fish")


@click.command("completion", short_help="Print the completion script of a shell.")
@click.argument("shell", type=click.Choice(SHELLS), required=False)
def command(shell: str | None) -> None:
    """Print the completion script of a shell; without a name, of the one in $SHELL.

    For bash: eval "$(model-lab-monitor completion bash)" in ~/.bashrc.
    """
    name = shell or PurePath(os.environ.get("SHELL", "")).name
    kind = get_completion_class(name) if name in SHELLS else None
    if kind is None:
        message = f"$SHELL names no shell with completion; write one of {', '.join(SHELLS)}"
        raise UsageError(message)
    root = click.get_current_context().find_root().command
    write_stdout(kind(root, {}, PROGRAM, COMPLETE_VARIABLE).source())
