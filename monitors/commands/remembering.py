"""The options that say where the monitor remembers, and what they come to."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from monitors.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitors.commands.targets import Wiring
    from monitors.config import Settings
    from monitors.memory import Session, StateDir

F = TypeVar("F", bound="Callable[..., Any]")

STATE_VARIABLE = "MODEL_LAB_MONITOR_STATE_DIR"


def state_options(function: F) -> F:
    """Add the options of a command that probes and remembers."""
    for option in (
        click.option("--no-state", is_flag=True, help="Remember nothing, and compare with nothing remembered."),
        state_dir_option,
    ):
        function = option(function)
    return function


state_dir_option = click.option(
    "--state-dir",
    type=click.Path(path_type=Path),
    metavar="DIR",
    envvar=STATE_VARIABLE,
    show_envvar=True,
    help="Where the monitor remembers what it saw.  [default: the user's state directory]",
)


def session_for(state_dir: Path | None, *, no_state: bool, wiring: Wiring, settings: Settings) -> Session | None:
    """Return the session that remembers this cycle, None where nothing shall be remembered.

    What mock sites or other stand-ins answer is no memory of the real sites: it is kept only in a directory that is
    named. Raises `UsageError` for options that contradict each other and a directory that cannot be written to.
    """
    named = click.get_current_context().get_parameter_source("state_dir")
    if no_state and state_dir is not None and named is click.core.ParameterSource.COMMANDLINE:
        message = "--state-dir and --no-state contradict each other; keep one of them"
        raise UsageError(message)
    stand_in = wiring.mock is not None or wiring.resolve or wiring.connect_to
    if no_state or (stand_in and state_dir is None):
        return None
    from monitors.memory import (  # noqa: PLC0415 - only needed where something is remembered
        Patience,
        Session,
        StateDir,
        default_state_dir,
    )

    shelf = StateDir(state_dir or default_state_dir(os.environ))
    # A memory that does not read is told before the sites are asked, not after.
    shelf.load()
    return Session(shelf, Patience(settings.confirm_count, settings.confirm_window_s, settings.compare_after))


def existing(state_dir: Path | None) -> StateDir | None:
    """Return the state directory that is named, or the user's; None where the user has none, as nothing was remembered.

    Raises `UsageError` where the one that is named does not exist: looking at a memory makes none.
    """
    from monitors.memory import StateDir, default_state_dir  # noqa: PLC0415 - likewise

    path = state_dir or default_state_dir(os.environ)
    if path.is_dir():
        return StateDir(path)
    if state_dir is None:
        return None
    message = f"--state-dir {state_dir}: there is no such directory; `probe --state-dir {state_dir}` makes it"
    raise UsageError(message)
