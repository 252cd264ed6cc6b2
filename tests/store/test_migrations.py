"""Migrations: from every earlier revision, with data in it, to the tables a new store has."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from monitors.incidents.model import EventKind
from monitors.memory.traits import Trait
from monitors.store import Filter, StoreError, StoreOlderError, open_store, sqlite_url, tables
from monitors.store.engine import Database, make_file
from monitors.store.migrating import HEAD, REVISIONS, Chain, prepare, revision

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from monitors.store import Probed, Store

MIGRATIONS = Path(tables.__file__).parent / "migrations"
EARLIER = Path(__file__).parent / "earlier"
NEXT = f"{int(HEAD) + 1:04}"
YET_TO_COME = """
import sqlalchemy as sa
from alembic import op

revision = "{next}"
down_revision = "{head}"


def upgrade():
    op.add_column("probes", sa.Column("region", sa.Text()))
    op.create_table("extra", sa.Column("id", sa.Integer(), primary_key=True))
    op.execute("UPDATE probes SET region = 'here'")
""".replace("{next}", NEXT).replace("{head}", HEAD)


@pytest.fixture
def chain(tmp_path: Path) -> Chain:
    """Return our revisions and one that is yet to come."""
    folder = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, folder)
    (folder / "versions" / f"{NEXT}_region.py").write_text(YET_TO_COME)
    return Chain((*REVISIONS, NEXT), str(folder))


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    made = Database(url, 5.0)
    if made.path is not None:
        make_file(made.path)
    yield made
    made.close()


def found(database: Database) -> str | None:
    with database.reading() as connection:
        return revision(connection)


def test_the_revisions_are_those_of_the_files() -> None:
    scripts = ScriptDirectory(str(MIGRATIONS))
    assert tuple(script.revision for script in scripts.walk_revisions())[::-1] == REVISIONS
    assert scripts.get_current_head() == HEAD


def test_every_earlier_revision_has_a_store_to_try_it_on() -> None:
    assert {path.stem for path in EARLIER.glob("*.sql")} == set(REVISIONS)


def schema(path: Path) -> list[str]:
    """Return the statements that would make the tables, blanks and quotes aside."""
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    return sorted(" ".join(sql.replace('"', "").split()).replace("( ", "(").replace(" )", ")") for (sql,) in rows)


@pytest.mark.parametrize("name", REVISIONS)
def test_a_store_of_an_earlier_version_is_moved_forward_with_all_it_holds(name: str, tmp_path: Path) -> None:
    path = tmp_path / "monitor.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((EARLIER / f"{name}.sql").read_text("utf-8"))
    with open_store(sqlite_url(path)) as store, open_store(sqlite_url(tmp_path / "new")):
        assert store.check() == []
        book = store.book()
        assert (len(book.tracks), list(book.incidents), len(book.told), len(book.silences)) == (2, [1, 2], 1, 1)
        assert [event.kind for event in store.events(1)] == [EventKind.OPENED]
        assert [row.error for row in store.undelivered()] == ["refused"]
        assert [row.trait for row in store.memory().ledger.rows] == [Trait("$", "object")]
        assert store.baseline("US5", "42") is not None
        probes = list(store.probes(Filter()))
        assert [(row.verdict, len(row.findings)) for row in probes] == [("none", 0), ("breaking", 1), ("none", 0)]
        body = store.body(probes[1].body or "")
        assert body is not None
        assert body.content == b'{"a": 1}'
        assert [(row.probes, row.outages) for row in store.uptime(Filter())] == [(3, 1)]
    assert schema(path) == schema(tmp_path / "new")


def test_the_migrations_make_what_a_new_store_is_made_with(tmp_path: Path) -> None:
    migrated, new = Database(sqlite_url(tmp_path / "migrated"), 5.0), tmp_path / "new"
    make_file(tmp_path / "migrated")
    with migrated.writing() as connection:
        connection.exec_driver_sql(
            "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL,"
            " CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
        )
        upgrade_from_nothing(connection)
    migrated.close()
    open_store(sqlite_url(new)).close()
    assert schema(tmp_path / "migrated") == schema(new)


def upgrade_from_nothing(connection: object) -> None:
    from alembic import command  # noqa: PLC0415 - as the program does
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def test_on_either_database_the_tables_are_those_the_migrations_make(database: Database) -> None:
    with database.writing() as connection:
        upgrade_from_nothing(connection)
    with database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"target_metadata": tables.metadata})
        assert compare_metadata(context, tables.metadata) == []


def test_a_store_is_moved_forward_and_keeps_its_rows(
    url: str, database: Database, chain: Chain, probe: Callable[..., Probed]
) -> None:
    with open_store(url) as store, store.writing() as writing:
        writing.add_probes("", [probe()])
    assert prepare(database, migrate=True, chain=chain) == HEAD
    assert found(database) == NEXT
    with database.reading() as connection:
        assert connection.exec_driver_sql("SELECT region FROM probes").scalars().all() == ["here"]
        assert connection.exec_driver_sql("SELECT count(*) FROM extra").scalar() == 0
    assert prepare(database, migrate=True, chain=chain) == NEXT


def test_a_migration_that_fails_leaves_everything_as_it_was(url: str, database: Database, chain: Chain) -> None:
    open_store(url).close()
    broken = Path(chain.location) / "versions" / f"{NEXT}_region.py"
    broken.write_text(f"{YET_TO_COME}    op.drop_table('nowhere')\n")
    with pytest.raises(StoreError, match="nowhere"):
        prepare(database, migrate=True, chain=chain)
    assert found(database) == HEAD
    with database.reading() as connection:
        known = inspect(connection)
        assert "extra" not in known.get_table_names()
        assert "region" not in [column["name"] for column in known.get_columns("probes")]
    with open_store(url) as store:
        assert store.check() == []


def test_of_many_that_open_an_old_store_at_once_one_moves_it_and_the_others_wait(url: str, chain: Chain) -> None:
    open_store(url).close()
    # Alembic keeps what it is doing in one place for a process, so each runs in one of its own.
    script = (
        "import sys\nfrom monitors.store.engine import Database\nfrom monitors.store.migrating import Chain, prepare\n"
        "prepare(Database(sys.argv[1], 30.0), migrate=True, chain=Chain(tuple(sys.argv[3:]), sys.argv[2]))\n"
    )
    arguments = [sys.executable, "-c", script, url, chain.location, *chain.revisions]
    processes = [subprocess.Popen(arguments) for _ in range(3)]  # noqa: S603 - this test's own program
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    with closing(Database(url, 5.0)) as database:
        assert found(database) == NEXT


def test_a_store_that_is_not_to_be_moved_is_refused(url: str, database: Database, chain: Chain) -> None:
    open_store(url).close()
    with pytest.raises(StoreOlderError) as caught:
        prepare(database, migrate=False, chain=chain)
    assert str(caught.value) == (
        f"{database.shown}: the store is of revision {HEAD}, this program needs {NEXT}; "
        "run `model-lab-monitor db upgrade`"
    )
    assert found(database) == HEAD


def test_opening_a_store_of_this_version_imports_no_alembic(file_store: Store) -> None:
    script = "import sys\nfrom monitors.store import open_store\nopen_store(sys.argv[1]).book()\n"
    script += "print('alembic' in sys.modules)\n"
    path = file_store.path
    assert path is not None
    ran = subprocess.run(  # noqa: S603 - this test's own program
        [sys.executable, "-c", script, sqlite_url(path)], check=True, capture_output=True, text=True
    )
    assert ran.stdout == "False\n"
