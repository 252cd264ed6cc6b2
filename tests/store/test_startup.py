"""What a command over a store in a file imports: whoever looks at it waits for that."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from monitors.store import open_store, sqlite_url

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Server

LOOKING = """
import sys
from monitors.cli import run
assert run(sys.argv[1:]) == 0
print(*sys.modules, file=sys.stderr)
"""
NOT_NEEDED = {"sqlalchemy.dialects.postgresql", "psycopg", "alembic", "httpx", "apprise", "uvicorn", "mock_site"}


@pytest.mark.parametrize("command", ["history", "incidents", "uptime"])
def test_looking_at_a_file_imports_nothing_it_has_no_use_for(command: str, tmp_path: Path) -> None:
    open_store(sqlite_url(tmp_path / "monitor.sqlite")).close()
    ran = subprocess.run(  # noqa: S603 - this test's own program
        [sys.executable, "-c", LOOKING, command, "--state-dir", str(tmp_path)],
        check=True,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"PATH": ""},
    )
    imported = set(ran.stderr.split())
    assert "sqlalchemy" in imported
    assert imported & NOT_NEEDED == set()


def test_indexes_are_of_the_same_rows_in_every_database(server: Server, tmp_path: Path) -> None:
    partial = {"ix_probes_body", "ix_incidents_in_book", "ix_outbox_queued"}
    with open_store(sqlite_url(tmp_path / "s")) as store, store.database.reading() as connection:
        query = "SELECT name FROM sqlite_master WHERE type = 'index' AND sql LIKE '%%WHERE%%'"
        assert set(connection.exec_driver_sql(query).scalars()) == partial
    with open_store(server.make_database()) as store, store.database.reading() as connection:
        query = "SELECT indexname FROM pg_indexes WHERE schemaname = current_schema() AND indexdef LIKE '%%WHERE%%'"
        assert set(connection.exec_driver_sql(query).scalars()) == partial
