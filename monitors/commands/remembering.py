"""The options that say whether a probe remembers, and the session they come to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

from monitors.commands.storing import chosen_store, stands_in, state_dir_option
from monitors.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import ExitStack
    from pathlib import Path

    from monitors.commands.targets import Wiring
    from monitors.config import Settings
    from monitors.memory import Session

F = TypeVar("F", bound="Callable[..., Any]")


def state_options(function: F) -> F:
    """Add the options of a command that probes and remembers."""
    for option in (
        click.option("--no-state", is_flag=True, help="Remember nothing, and compare with nothing remembered."),
        state_dir_option,
    ):
        function = option(function)
    return function


def session_for(
    stack: ExitStack, state_dir: Path | None, *, no_state: bool, wiring: Wiring, settings: Settings
) -> Session | None:
    """Return the session that remembers this cycle, None where nothing shall be remembered.

    Its store is open until the stack is closed. What mock sites or other stand-ins answer is no memory of the real
    sites: it is kept only in a directory that is named. Raises `UsageError` for options that contradict each other and
    a directory that cannot be written to.
    """
    named = click.get_current_context().get_parameter_source("state_dir")
    if no_state and state_dir is not None and named is click.core.ParameterSource.COMMANDLINE:
        message = "--state-dir and --no-state contradict each other; keep one of them"
        raise UsageError(message)
    if no_state or (stands_in(wiring) and state_dir is None):
        return None
    from monitors.memory import Patience, Session  # noqa: PLC0415 - only needed where something is remembered
    from monitors.store import StoreShelf  # noqa: PLC0415 - likewise

    shelf = StoreShelf(stack.enter_context(chosen_store(state_dir, settings, wiring=wiring)))
    # A memory that does not read is told before the sites are asked, not after.
    shelf.load()
    return Session(shelf, Patience(settings.confirm_count, settings.confirm_window_s, settings.compare_after))
