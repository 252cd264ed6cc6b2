from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from monitors.store import Filter, Store, StoreDamagedError, open_store, salvage, sqlite_url

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def at_rest(path: Path) -> None:
    """Have everything in the file itself."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()


def spoil(path: Path, table: str) -> None:
    """Put rubbish in place of the page a table begins with."""
    at_rest(path)
    with closing(sqlite3.connect(path)) as connection:
        ((page,),) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchall()
        ((size,),) = connection.execute("PRAGMA page_size").fetchall()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xa5" * size)


def test_a_log_that_is_cut_off_is_damage_not_a_full_disk(file_store: Store, fill: Callable[[Store], None]) -> None:
    fill(file_store)
    path = file_store.path
    assert path is not None
    os.truncate(path.with_name(f"{path.name}-wal"), 0)
    with open_store_again(path) as other, pytest.raises(StoreDamagedError, match="the file is damaged") as caught:
        other.book()
    assert caught.value.path == path


def open_store_again(path: Path) -> Store:
    """Open the same file beside the store that has it open, without looking into it."""
    from monitors.store.engine import Database  # noqa: PLC0415 - past the front door

    return Store(Database(sqlite_url(path), 1.0))


def test_a_store_whose_tables_are_gone_is_damaged(file_store: Store) -> None:
    path = file_store.path
    assert path is not None
    at_rest(path)
    file_store.close()
    os.truncate(path, 0)
    with pytest.raises(StoreDamagedError):
        file_store.book()


def test_a_backup_is_not_replaced_by_a_copy_of_a_damaged_file(file_store: Store, fill: Callable[[Store], None]) -> None:
    fill(file_store)
    path, made = file_store.path, file_store.backup()
    assert path is not None
    assert made is not None
    before = made.read_bytes()
    file_store.close()
    spoil(path, "bodies")
    with pytest.raises(StoreDamagedError):
        file_store.backup()
    assert made.read_bytes() == before
    assert {entry.name for entry in path.parent.iterdir()} >= {path.name, made.name}
    assert not list(path.parent.glob(".*"))


def test_a_file_that_is_cut_off_is_read_as_far_as_it_goes(file_store: Store, fill: Callable[[Store], None]) -> None:
    fill(file_store)
    path = file_store.path
    assert path is not None
    at_rest(path)
    installation = file_store.book().installation
    file_store.close()
    os.truncate(path, path.stat().st_size - 4096)
    assert salvage(path).kept["meta"] > 0
    with open_store(sqlite_url(path)) as mended:
        assert mended.book().installation == installation
        assert list(mended.probes(Filter())) == []
