"""The revision of a store's tables: checked with one select on opening, moved forward where it is an earlier one."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Integer, LargeBinary, SmallInteger, select

from monitors import __version__
from monitors.store import sql, tables
from monitors.store.errors import StoreNewerError, StoreOlderError
from monitors.store.keys import INSTALLATION
from monitors.store.sensible import damage

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table

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
_REVISION = re.compile(r"[0-9]{4}")


def prepare(database: Database, *, migrate: bool, chain: Chain = OURS) -> str | None:
    """Make the tables where there are none and move earlier ones forward, in one transaction.

    Returns the revision they were of before, None where they were made now. Raises `StoreNewerError`, and
    `StoreOlderError` where they are not to be moved.
    """
    with database.reading() as connection:
        found = revision(connection)
        if found == chain.head:
            _assure_definitions(connection)
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
    found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars().all()
    if len(found) != 1 or not _REVISION.fullmatch(str(found[0])):
        raise damage(connection, "alembic_version: it names no revision")
    return str(found[0])


def _assure_definitions(connection: Connection) -> None:
    """Raise `StoreDamagedError` where tables in a file are not defined as ours are: no statement of ours fits them."""
    if connection.dialect.name != "sqlite":
        return
    query = "SELECT m.name, c.* FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table'"
    there: dict[str, list[tuple[Any, ...]]] = {}
    for table, _, *column, _, key in connection.exec_driver_sql(query):
        there.setdefault(table, []).append((*column, key))
    for table in tables.metadata.tables.values():
        ours = _definition(table)
        found = [(name, kind.upper(), needed, key) for name, kind, needed, key in there.get(table.name, ())]
        # More of them do no harm.
        if found[: len(ours)] != ours:
            raise damage(connection, f"the table {table.name} is not defined as it was made")


def _definition(table: Table) -> list[tuple[str, str, int, int]]:
    """Return what SQLite says of the columns of a table: name, type, whether it needs a value, place in the key."""
    keys = [column.name for column in table.primary_key]
    kinds = {Integer: "INTEGER", SmallInteger: "SMALLINT", LargeBinary: "BLOB"}
    return [
        (
            column.name,
            next((word for kind, word in reversed(kinds.items()) if isinstance(column.type, kind)), "TEXT"),
            int(not column.nullable),
            keys.index(column.name) + 1 if column.primary_key else 0,
        )
        for column in table.columns
    ]


def _refuse_newer(connection: Connection, found: str | None, shown: str, chain: Chain) -> None:
    if found is None or found in chain.revisions:
        return
    table = tables.meta
    wrote = connection.execute(select(table.c.value).where(table.c.key == PROGRAM)).scalar()
    if wrote == __version__:
        # Its number moves with releases, the tables with every change: this is an older checkout of the same version.
        said = (
            f"by a later build of model-lab-monitor {wrote} than this one, which knows revisions up to {chain.head}: "
            "install the build that wrote it (in a checkout, a later commit), or name another store"
        )
    else:
        said = (
            f"by model-lab-monitor {wrote}; this is {__version__}, which knows revisions up to {chain.head}: "
            "upgrade the program, or name another store"
        )
    message = f"{shown}: the store is of revision {found}, written {said}"
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
