"""`watch` over a store that is damaged: it is mended, told once, and the next pass knows nothing of it any more."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from monitors.store import IncidentFilter, open_store, sqlite_url

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Cli

CONFIG = """
[watch]
connectivity = []
confirm_pause_s = 0
jitter_s = 0
min_free_mb = 0
budget_per_minute = 600
[sinks.log]
type = "stdout"
"""


@pytest.fixture
def once(cli: Cli, tmp_path: Path) -> Callable[[], Any]:
    """Make one pass over two healthy mock sites."""
    config = tmp_path / "watch.toml"
    config.write_text(CONFIG)
    arguments = ("--site", "US5,EU1", "--check", "run", "--mock", "--config", config, "--state-dir", "state")
    return lambda: cli("watch", "--once", *arguments)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "monitor.sqlite"


def own(path: Path) -> list[tuple[str, bool]]:
    """Return the incidents of the monitor itself, and whether they are over."""
    with open_store(sqlite_url(path)) as store:
        return [(entry.problem, entry.resolved is not None) for entry in store.incidents(IncidentFilter())]


def aside(path: Path) -> list[Path]:
    return list(path.parent.glob("monitor.sqlite.damaged-*Z"))


def test_a_file_that_is_no_store_is_put_aside_and_the_pass_goes_on(once: Callable[[], Any], path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"\xa5" * 40_000)
    first = once()
    assert first.code == 4
    assert f"{path.relative_to(path.parent.parent)}: the file was damaged, and is mended: kept nothing" in first.out
    assert [each.read_bytes() for each in aside(path)] == [b"\xa5" * 40_000]
    assert own(path) == [("monitor-store-failed", True)]
    second = once()
    assert second.code == 0
    assert "mended" not in second.out
    assert len(aside(path)) == 1


def test_damage_that_only_the_upkeep_meets_is_mended_by_the_same_pass(once: Callable[[], Any], path: Path) -> None:
    assert once().code == 0
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
        ((page,),) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'bodies'").fetchall()
        ((size,),) = connection.execute("PRAGMA page_size").fetchall()
    # An odd kind of page: nobody reads it while all is well.
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xa5" * size)
    second = once()
    assert second.code == 4
    assert "is mended: kept" in second.out
    assert own(path) == [("monitor-store-failed", True)]
    assert len(aside(path)) == 1
    with open_store(sqlite_url(path)) as store:
        assert store.check() == []
    assert once().code == 0


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE series SET site = CAST(x'ff' AS TEXT) WHERE id = 1",
        "REPLACE INTO meta VALUES ('next_incident', 'x')",
        "DELETE FROM meta WHERE key = 'installation'",
        "UPDATE memory SET content = x'00'",
        "UPDATE baselines SET content = x'00'",
        "ALTER TABLE incidents RENAME COLUMN why_resolved TO why_resolvec",
    ],
)
def test_a_row_that_makes_no_sense_is_mended_by_the_pass_that_meets_it(
    statement: str, cli: Cli, once: Callable[[], Any], path: Path
) -> None:
    assert once().code == 0
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(statement)
    if "baselines" not in statement and "memory" not in statement and "series" not in statement:
        looked = cli("incidents", "--state-dir", "state")
        assert looked.code == 4
        assert "the file is damaged: " in looked.err
        assert "`model-lab-monitor db check --salvage` keeps what can be read\n" in looked.err
        assert looked.err.count("\n") == 1
    ran = once()
    assert ran.code == 4
    assert "is mended: kept" in " ".join(ran.out.split())
    assert "the store takes nothing" not in ran.err
    assert own(path) == [("monitor-store-failed", True)]
    assert len(aside(path)) == 1
    with open_store(sqlite_url(path)) as store:
        assert store.check() == []
    assert once().code == 0


def test_what_the_damaged_file_does_not_give_comes_from_the_backup(once: Callable[[], Any], path: Path) -> None:
    assert once().code == 0
    with open_store(sqlite_url(path)) as store:
        installation, rows = store.book().installation, store.memory().ledger.rows.keys()
    path.write_bytes(b"\xa5" * 40_000)
    ran = once()
    assert ran.code == 4
    assert "from the backup " in ran.out
    with open_store(sqlite_url(path)) as store:
        assert store.book().installation == installation
        assert store.memory().ledger.rows.keys() == rows != set()
