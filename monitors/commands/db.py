"""`db`: looking after the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from monitors.commands.output import note, write_stdout
from monitors.commands.storing import chosen_store, existing_store, settings_of, store_option
from monitors.errors import UsageError
from monitors.exit_codes import ExitCode

if TYPE_CHECKING:
    from pathlib import Path

    from monitors.store import Salvaged, Store

_MB = 1_000_000


@click.group("db", short_help="Upgrade, check or vacuum the store.")
def command() -> None:
    """Upgrade, check or vacuum the store. Every other command upgrades it too: this is for choosing when."""


@command.command("upgrade", short_help="Move the tables forward to this version.")
@store_option
def upgrade(*, state_dir: Path | None, config: Path | None) -> None:
    """Move the tables forward to what this version needs; make them where there are none."""
    from monitors.store.migrating import HEAD  # noqa: PLC0415 - brings the database

    with chosen_store(state_dir, settings_of(config)) as store:
        note(f"{store.url_shown}: the store is of revision {HEAD}")


@command.command("check", short_help="Look for damage.")
@click.option(
    "--salvage",
    is_flag=True,
    help="Put a damaged file aside, and carry what can be read of it and of its backup into a fresh one.",
)
@store_option
def check(*, salvage: bool, state_dir: Path | None, config: Path | None) -> int:
    """Look for damage: of the file, and of what is in it. The exit code is 4 where there is any."""
    from monitors.store import StoreDamagedError  # noqa: PLC0415 - likewise

    try:
        _refuse_empty(state_dir, config)
        with _existing(state_dir, config) as store:
            problems = store.check()
            shown, path = store.url_shown, store.path
    except StoreDamagedError as error:
        if not salvage:
            raise
        return _salvage(state_dir, config, str(error))
    if problems and salvage and path is not None:
        return _salvage(state_dir, config, problems[0])
    write_stdout("".join(f"{line}\n" for line in problems) or f"{shown}: the store is sound\n")
    if problems and path is not None:
        note(f"{shown}: `model-lab-monitor db check --salvage` keeps what can be read")
    return ExitCode.HARNESS if problems else ExitCode.OK


@command.command("vacuum", short_help="Give room that is no longer used back to the disk.")
@store_option
def vacuum(*, state_dir: Path | None, config: Path | None) -> None:
    """Sum up new probes, and give room that is no longer used back to the disk.

    Takes as long as copying the store, during which nothing is written.
    """
    with _existing(state_dir, config) as store:
        store.roll_up()
        before = store.size()
        done = store.vacuum()
        after = store.size()
        if before is None or after is None:
            said = " is vacuumed"
        else:
            said = f": {before / _MB:,.1f} MB before, {after / _MB:,.1f} MB now"
        later = "" if done else "; the file follows once whoever reads in it is done"
        note(f"{store.url_shown}{said}{later}")


def _existing(state_dir: Path | None, config: Path | None) -> Store:
    store = existing_store(state_dir, config)
    if store is None:
        message = "nothing is kept yet; `model-lab-monitor watch` begins"
        raise UsageError(message)
    return store


def _refuse_empty(state_dir: Path | None, config: Path | None) -> None:
    """Refuse a file without a byte: to open it would make a store of it, and that one is sound.

    Raises `UsageError` where nothing was ever kept, and `StoreDamagedError` where a backup tells that something was.
    """
    from monitors.commands.storing import file_of_store  # noqa: PLC0415 - see above
    from monitors.store import StoreDamagedError  # noqa: PLC0415 - likewise
    from monitors.store.upkeep import BACKUP  # noqa: PLC0415 - likewise

    path = file_of_store(state_dir, config)
    if path is None or not _is_empty(path) or not _is_empty(path.with_name(f"{path.name}-wal"), otherwise=True):
        return
    backup = path.with_name(BACKUP.format(name=path.name))
    if backup.exists():
        message = (
            f"{path}: the file is empty, and {backup.name} beside it is not; `model-lab-monitor db check --salvage` "
            "keeps what can be read"
        )
        raise StoreDamagedError(message, path)
    message = f"{path}: the file is empty: nothing has been kept yet; `model-lab-monitor watch` begins"
    raise UsageError(message)


def _is_empty(path: Path, *, otherwise: bool = False) -> bool:
    """Tell whether a file holds nothing, `otherwise` where it cannot be looked at."""
    try:
        return path.stat().st_size == 0
    except OSError:
        return otherwise


def _salvage(state_dir: Path | None, config: Path | None, reason: str) -> int:
    """Salvage the store while no instance of the monitor runs on it."""
    from monitors.commands.storing import file_of_store  # noqa: PLC0415 - see above
    from monitors.store import salvage  # noqa: PLC0415 - likewise
    from monitors.store.holding import file_held  # noqa: PLC0415 - likewise

    path = file_of_store(state_dir, config)
    assert path is not None
    note(reason)
    with file_held(path, str(path), "db check --salvage"):
        outcome = salvage(path)
    write_stdout(_told(path, outcome))
    return ExitCode.OK


def _told(path: Path, outcome: Salvaged) -> str:
    lines = [f"{path}: a fresh store; the damaged file is {outcome.aside.name}"]
    for table in dict.fromkeys([*outcome.kept, *outcome.from_backup, *outcome.lost]):
        said = [f"{outcome.kept.get(table, 0):,} kept"]
        if more := outcome.from_backup.get(table):
            said.append(f"{more:,} from the backup")
        if table in outcome.lost:
            lost = outcome.lost[table]
            said.append("an unknown number lost" if lost is None else f"at most {lost:,} lost")
        lines.append(f"  {table}: {', '.join(said)}")
    return "\n".join(lines) + "\n"
