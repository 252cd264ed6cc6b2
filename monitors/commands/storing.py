"""The options that say which store is meant, and the store they come to.

The order: `--state-dir` on the command line, `MODEL_LAB_MONITOR_STORE_URL`, `[store]` of the configuration,
`MODEL_LAB_MONITOR_STATE_DIR`, the user's state directory.
"""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from monitors.commands.options import config_option
from monitors.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from monitors.commands.targets import Wiring
    from monitors.config import Settings
    from monitors.store import Store

F = TypeVar("F", bound="Callable[..., Any]")

STATE_VARIABLE = "MODEL_LAB_MONITOR_STATE_DIR"
BUSY_TIMEOUT_S = 15.0
_SQLITE = "sqlite:///"
_TOLD = "monitors.commands.storing.mistakes"
"""Where a command line keeps that it has told of mistakes: once is enough."""

state_dir_option = click.option(
    "--state-dir",
    type=click.Path(path_type=Path),
    metavar="DIR",
    envvar=STATE_VARIABLE,
    show_envvar=True,
    help="Where the monitor keeps what it saw.  [default: the user's state directory]",
)


def store_option(function: F) -> F:
    """Add the options of a command that looks into the store: `--state-dir` and `--config`."""
    return config_option(state_dir_option(function))


def chosen_store(
    state_dir: Path | None,
    settings: Settings,
    *,
    wiring: Wiring | None = None,
    busy_timeout_s: float = BUSY_TIMEOUT_S,
) -> Store:
    """Return the store that is meant, made where there is none.

    What mock sites or other stand-ins answer is no history of the real sites: for a `wiring` that has them a directory
    must be named, and the store of a URL stays as it is. Raises `UsageError`, and the errors of the store.
    """
    from monitors.store import FILE_NAME, open_store, sqlite_url  # noqa: PLC0415 - brings the database

    if wiring is not None and stands_in(wiring):
        if state_dir is not None:
            return open_store(sqlite_url(state_dir / FILE_NAME), busy_timeout_s=busy_timeout_s)
        message = (
            "--mock, --resolve and --connect-to put others in place of the real sites, whose history is not theirs; "
            "name a directory for it with --state-dir"
        )
        raise UsageError(message)
    return open_store(_url(state_dir, settings), busy_timeout_s=busy_timeout_s)


def existing_store(
    state_dir: Path | None, settings: Settings | Path | None, *, filled_by: str = "watch"
) -> Store | None:
    """Return the store that is meant, None where nothing was kept yet: looking at a store makes none.

    `settings` are those of the command, or the configuration file it was given. `filled_by` is the command that keeps
    what is looked for. Raises `UsageError` where a directory is named that does not exist, and the errors of the store.
    """
    from monitors.store import open_store  # noqa: PLC0415 - brings the database
    from monitors.store.places import has_old_files  # noqa: PLC0415 - likewise

    if settings is None or isinstance(settings, Path):
        settings = settings_of(settings, named=is_named(state_dir))
    url = _url(state_dir, settings)
    path = Path(url.removeprefix(_SQLITE)) if url.startswith(_SQLITE) else None
    if path is None or path.exists() or has_old_files(path.parent):
        return open_store(url, busy_timeout_s=BUSY_TIMEOUT_S)
    if state_dir is not None and path.parent == state_dir and not state_dir.is_dir():
        message = f"--state-dir {state_dir}: there is no such directory; `{filled_by} --state-dir {state_dir}` makes it"
        raise UsageError(message)
    return None


@contextmanager
def store_to_fill(state_dir: Path | None, settings: Settings) -> Iterator[Store]:
    """Give the store that is meant; a file that was made for this is gone again after an exception."""
    from monitors.store import StoreError  # noqa: PLC0415 - brings the database
    from monitors.store.holding import file_held  # noqa: PLC0415 - likewise
    from monitors.store.places import has_old_files  # noqa: PLC0415 - likewise

    url = _url(state_dir, settings)
    path = Path(url.removeprefix(_SQLITE)) if url.startswith(_SQLITE) else None
    if path is None or path.exists() or has_old_files(path.parent):
        with chosen_store(state_dir, settings) as store:
            yield store
        return
    made = [folder for folder in (path.parent, *path.parent.parents) if not folder.exists()]
    try:
        with chosen_store(state_dir, settings) as store:
            yield store
    except BaseException:
        # An instance of the monitor that began meanwhile keeps it.
        with suppress(StoreError, OSError), file_held(path, str(path), "import"):
            for end in ("", "-wal", "-shm", ".lock"):
                path.with_name(f"{path.name}{end}").unlink(missing_ok=True)
        with suppress(OSError):
            for folder in made:
                folder.rmdir()
        raise


def site_keys(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the keys of sites a person names, none where none are named; raises `UsageError`."""
    from monitors.sites import find_sites  # noqa: PLC0415 - only where sites are named

    return tuple(site.key for site in find_sites(names)) if names else ()


def check_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of checks a person names, none where none are named; raises `UsageError`."""
    if not names:
        return ()
    from monitors.commands.targets import find_checks  # noqa: PLC0415 - brings HTTP

    return tuple(check.name for check in find_checks(names))


def stands_in(wiring: Wiring) -> bool:
    """Tell whether something else answers in place of the real sites."""
    return wiring.mock is not None or bool(wiring.resolve) or bool(wiring.connect_to)


def file_of_store(state_dir: Path | None, config: Path | None) -> Path | None:
    """Return the file of the store that is meant, None where it is on a server."""
    url = _url(state_dir, settings_of(config, named=is_named(state_dir)))
    return Path(url.removeprefix(_SQLITE)) if url.startswith(_SQLITE) else None


def settings_of(config: Path | None, *, named: bool = False) -> Settings:
    """Return the settings of a command that probes nothing and tells nobody; they need a valid `[store]` alone.

    Mistakes elsewhere are told on stderr, and keep nobody from looking. Where the store is `named` by an option, the
    file may be mistaken as a whole. Raises `ConfigError`.
    """
    from monitors.commands.output import note  # noqa: PLC0415 - brings the reports
    from monitors.config import Settings, in_a_line, load_store  # noqa: PLC0415 - reads files

    try:
        settings, mistakes = load_store(config, os.environ)
    except ConfigError as error:
        if not named or config is not None:
            raise
        settings, mistakes = Settings(sites=()), (in_a_line(str(error)),)
    context = click.get_current_context(silent=True)
    said = context.meta if context else {}
    if mistakes and _TOLD not in said:
        said[_TOLD] = True
        more = f"; and {len(mistakes) - 1} more" if len(mistakes) > 1 else ""
        note(f"warning: {mistakes[0]}{more}: `model-lab-monitor config check` lists what is mistaken")
    return settings


def is_named(state_dir: Path | None) -> bool:
    """Tell whether the command line itself says which store is meant: no configuration has a say then."""
    context = click.get_current_context(silent=True)
    source = context.get_parameter_source("state_dir") if context else None
    return state_dir is not None and source is not click.core.ParameterSource.ENVIRONMENT


def _url(state_dir: Path | None, settings: Settings) -> str:
    from monitors.store import FILE_NAME, default_state_dir, sqlite_url  # noqa: PLC0415 - likewise

    if settings.store_url is not None and not is_named(state_dir):
        return settings.store_url
    return sqlite_url((state_dir or default_state_dir(os.environ)) / FILE_NAME)
