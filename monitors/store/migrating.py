"""The revision of a store's tables: checked with one select on opening, moved forward where it is an earlier one."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import select

from monitors import __version__
from monitors.store import sql, tables
from monitors.store.book_keeping import INSTALLATION
from monitors.store.errors import StoreNewerError, StoreOlderError

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from monitors.store.engine import Database

REVISIONS = ("0001", "0002")
"""Every revision, oldest first; a test holds this to the files in `migrations/versions`."""
HEAD = REVISIONS[-1]
PROGRAM = "program"
"""The key in `meta` of the version that last moved the tables forward."""


class Chain(NamedTuple):
    """Revisions, oldest first, and where alembic finds them."""

    revisions: tuple[str, ...] = REVISIONS
    location: str = "monitors.store:migrations"

    @property
    def head(self) -> str:
        """The newest revision."""
        return self.revisions[-1]


OURS = Chain()


def prepare(database: Database, *, migrate: bool, chain: Chain = OURS) -> str | None:
    """Make the tables where there are none and move earlier ones forward, in one transaction.

    Returns the revision they were of before, None where they were made now. Raises `StoreNewerError`, and
    `StoreOlderError` where they are not to be moved.
    """
    with database.reading() as connection:
        found = revision(connection)
        if found == chain.head:
            return found
        _refuse_newer(connection, found, database.shown, chain)
    if found is not None and not migrate:
        message = (
            f"{database.shown}: the store is of revision {found}, this program needs {chain.head}; "
            "run `model-lab-monitor db upgrade`"
        )
        raise StoreOlderError(message)
    with database.writing() as connection:
        # Another process may have been first.
        found = revision(connection)
        if found is None:
            _create(connection)
        elif found != chain.head:
            _refuse_newer(connection, found, database.shown, chain)
            _upgrade(connection, chain)
    return found


def revision(connection: Connection) -> str | None:
    """Return the revision the tables are of, None where there are none."""
    if connection.dialect.name == "sqlite":
        there = "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"
    else:
        # Not `to_regclass`, which remembers that there was none while another process made it.
        there = "SELECT 1 FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'alembic_version'"
    if connection.exec_driver_sql(there).scalar() is None:
        return None
    return str(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one())


def _refuse_newer(connection: Connection, found: str | None, shown: str, chain: Chain) -> None:
    if found is None or found in chain.revisions:
        return
    table = tables.meta
    wrote = connection.execute(select(table.c.value).where(table.c.key == PROGRAM)).scalar()
    message = (
        f"{shown}: the store is of revision {found}, written by model-lab-monitor {wrote}; this is {__version__}, "
        f"which knows revisions up to {chain.head}: upgrade the program, or name another store"
    )
    raise StoreNewerError(message)


def _create(connection: Connection) -> None:
    """Make the tables as they are now; a test holds them to what the migrations make, which would take ten times."""
    tables.metadata.create_all(connection)
    connection.exec_driver_sql(
        "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL,"
        " CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
    )
    connection.exec_driver_sql(f"INSERT INTO alembic_version VALUES ('{HEAD}')")  # noqa: S608 - a constant of ours
    sql.insert(connection, tables.meta, [(INSTALLATION, secrets.token_hex(6)), (PROGRAM, __version__)])


def _upgrade(connection: Connection, chain: Chain) -> None:
    # Deferred: takes longer than all else, and is needed once in a version's life.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", chain.location)
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, chain.head)
    sql.upsert(connection, tables.meta, [(PROGRAM, __version__)])
