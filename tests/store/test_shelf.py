from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from monitors.errors import HarnessError
from monitors.memory import Memory
from monitors.memory.folding import Baseline
from monitors.memory.ledger import Ledger, Sighting, observe
from monitors.memory.traits import Trait
from monitors.memory.written import baseline_json, memory_json
from monitors.store import FILE_NAME, StoreShelf, open_store, sqlite_url

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from monitors.store import Store


@pytest.fixture
def memory(start: datetime) -> Memory:
    return Memory(observe(Ledger(), Sighting("US5", "run", start, frozenset({Trait("$", "object")}))))


@pytest.fixture
def baseline(start: datetime) -> Baseline:
    return Baseline(start, "abc", {"data": 1})


@pytest.fixture
def folder(tmp_path: Path, memory: Memory, baseline: Baseline) -> Path:
    """Return a state directory as earlier versions left it."""
    (tmp_path / "canaries").mkdir()
    (tmp_path / "memory.json").write_text(json.dumps(memory_json(memory)))
    (tmp_path / "canaries" / "US1-FED.42.json").write_text(json.dumps(baseline_json(baseline)))
    (tmp_path / "lock").touch()
    return tmp_path


def test_the_shelf_keeps_memory_and_baselines(store: Store, memory: Memory, baseline: Baseline) -> None:
    shelf = StoreShelf(store)
    assert shelf.load() == Memory()
    shelf.save(memory)
    shelf.keep_baseline("US5", "42", baseline)
    assert (shelf.load(), shelf.baseline("US5", "42")) == (memory, baseline)
    assert store.memory_revision() == 1
    assert (shelf.forget_baselines("US5"), shelf.baseline("US5", "42")) == (1, None)


def test_what_happens_while_it_is_locked_is_kept_whole_or_not_at_all(
    store: Store, memory: Memory, baseline: Baseline
) -> None:
    shelf = StoreShelf(store)

    def fail() -> None:
        with shelf.locked():
            assert shelf.load() == Memory()
            shelf.save(memory)
            shelf.keep_baseline("US5", "42", baseline)
            assert shelf.baseline("US5", "42") == baseline
            assert shelf.load() == memory
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert (shelf.load(), shelf.baseline("US5", "42")) == (Memory(), None)
    with shelf.locked():
        shelf.save(memory)
    assert shelf.load() == memory


def test_files_of_earlier_versions_are_taken_over_and_put_aside(
    folder: Path, memory: Memory, baseline: Baseline
) -> None:
    with open_store(sqlite_url(folder / FILE_NAME)) as store:
        assert store.memory() == memory
        assert store.baseline("US1-FED", "42") == baseline
        shelf = StoreShelf(store)
        shelf.save(Memory())
    names = {path.name for path in folder.iterdir()}
    assert names == {FILE_NAME, "memory.json.taken-over", "canaries.taken-over", "lock.taken-over"}
    with open_store(sqlite_url(folder / FILE_NAME)) as store:
        assert store.memory() == Memory()


def test_a_crash_between_taking_over_and_putting_aside_takes_nothing_over_again(folder: Path) -> None:
    files = {path: path.read_bytes() for path in folder.rglob("*.json")}
    with open_store(sqlite_url(folder / FILE_NAME)) as store:
        StoreShelf(store).save(Memory())
    (folder / "canaries").mkdir()
    for path, content in files.items():
        path.write_bytes(content)
    with open_store(sqlite_url(folder / FILE_NAME)) as store:
        assert store.memory() == Memory()
    assert (folder / "memory.json.taken-over-2").exists()
    assert not (folder / "memory.json").exists()


def test_what_a_store_knows_already_is_not_replaced(folder: Path, memory: Memory, baseline: Baseline) -> None:
    away = folder / "away"
    away.mkdir()
    for name in ("memory.json", "canaries"):
        (folder / name).rename(away / name)
    known = Baseline(baseline.at, "known", 1)
    with open_store(sqlite_url(folder / FILE_NAME)) as store:
        shelf = StoreShelf(store)
        shelf.save(memory)
        shelf.save(Memory())
        shelf.keep_baseline("US1-FED", "42", known)
    for name in ("memory.json", "canaries"):
        (away / name).rename(folder / name)
    with open_store(sqlite_url(folder / FILE_NAME)) as store:
        assert store.memory() == Memory()
        assert store.baseline("US1-FED", "42") == known


def test_a_file_that_does_not_read_is_left_where_it_is(folder: Path) -> None:
    (folder / "memory.json").write_text("{")
    with pytest.raises(HarnessError, match=r"memory\.json: not JSON; restore it, or move it away"):
        open_store(sqlite_url(folder / FILE_NAME))
    assert (folder / "memory.json").read_text() == "{"


def test_files_put_aside_replace_none_that_lie_there(folder: Path) -> None:
    (folder / "canaries.taken-over").mkdir()
    (folder / "memory.json.taken-over").mkdir()
    with open_store(sqlite_url(folder / FILE_NAME)):
        assert (folder / "memory.json.taken-over-2").is_file()
        assert (folder / "canaries.taken-over-2").is_dir()


def test_files_beside_another_store_are_none_of_ours(folder: Path) -> None:
    with open_store(sqlite_url(folder / "other.sqlite")) as store:
        assert store.memory() == Memory()
    assert (folder / "memory.json").exists()


def test_other_files_among_the_canaries_are_left_out(folder: Path, memory: Memory) -> None:
    (folder / "canaries" / "odd.json").write_text("null")
    with open_store(sqlite_url(folder / FILE_NAME)) as store:
        assert store.memory() == memory
    assert (folder / "canaries.taken-over" / "odd.json").exists()


def test_files_that_cannot_be_renamed_are_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    # Root may rename anything; what the system says to others is said here.
    monkeypatch.setattr("pathlib.Path.rename", refuse)
    with pytest.raises(HarnessError, match=r"memory\.json: cannot be renamed: permission denied"):
        open_store(sqlite_url(folder / FILE_NAME))


def test_files_aside_are_numbered_on(folder: Path) -> None:
    for number in ("", "-2", "-3"):
        (folder / f"memory.json.taken-over{number}").touch()
    open_store(sqlite_url(folder / FILE_NAME)).close()
    assert (folder / "memory.json.taken-over-4").read_text().startswith("{")
