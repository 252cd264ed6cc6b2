from __future__ import annotations

import re
import zlib
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from monitors.drift.shape import learn
from monitors.memory import Memory
from monitors.memory.confirmation import Record
from monitors.memory.folding import Baseline
from monitors.memory.ledger import Ledger, Sighting, observe
from monitors.memory.traits import Trait
from monitors.store import StoreDamagedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from monitors.model import Finding
    from monitors.store import Store

TRAITS = frozenset({Trait("$", "object"), Trait("$.odd\ud800", "string")})


def seen(memory: Memory, site: str, check: str, at: datetime, traits: frozenset[Trait] = TRAITS) -> Memory:
    shapes = {**memory.shapes, (site, check): learn([{"a": at.minute}], frozenset())}
    return replace(memory, ledger=observe(memory.ledger, Sighting(site, check, at, traits)), shapes=shapes)


@pytest.fixture
def memory(start: datetime, finding: Callable[..., Finding]) -> Memory:
    record = Record(finding(at=start), start, start, 1, (start,))
    drifts = {("EU1", "run", record.finding.fingerprint): record}
    known = Memory(Ledger(), {}, drifts)
    for site, check in (("US5", "run"), ("EU1", "run"), ("US5", "not-found")):
        known = seen(known, site, check, start)
    return known


def put(store: Store, before: Memory, after: Memory) -> int:
    with store.writing() as writing:
        return writing.put_memory(before, after)


def contents(store: Store) -> dict[tuple[str, str], bytes]:
    with store.database.reading() as connection:
        rows = connection.exec_driver_sql("SELECT check_name, site, content FROM memory").all()
    return {(check, site): bytes(content) for check, site, content in rows}


def test_the_memory_reads_back_the_same_in_its_order(store: Store, memory: Memory) -> None:
    assert store.memory() == Memory()
    assert put(store, Memory(), memory) == store.memory_revision() == 1
    again = store.memory()
    assert again == memory
    assert list(again.ledger.answers) == list(memory.ledger.answers)
    with store.writing() as writing:
        assert writing.memory() == memory
        assert writing.memory_revision() == 1


def test_only_parts_that_changed_are_written(store: Store, memory: Memory, start: datetime) -> None:
    put(store, Memory(), memory)
    before = contents(store)
    after = seen(memory, "EU1", "run", start + timedelta(minutes=1))
    assert put(store, memory, after) == 2
    assert store.memory() == after
    now = contents(store)
    assert [key for key in now if now[key] != before[key]] == [("run", "EU1")]


def test_a_memory_that_stays_as_it_is_keeps_its_revision(store: Store, memory: Memory) -> None:
    put(store, Memory(), memory)
    same = Memory(replace(memory.ledger), dict(memory.shapes), dict(memory.drifts))
    assert put(store, memory, memory) == put(store, memory, same) == 1


def test_what_is_forgotten_goes(store: Store, memory: Memory) -> None:
    put(store, Memory(), memory)
    fewer = replace(memory, drifts={})
    put(store, memory, fewer)
    assert store.memory() == fewer
    put(store, fewer, Memory())
    assert store.memory() == Memory()
    assert contents(store) == {}


def test_places_first_heard_of_keep_their_order(store: Store, memory: Memory) -> None:
    turned = dict(reversed(memory.ledger.answers.items()))
    other = replace(
        memory,
        ledger=replace(memory.ledger, answers=turned),
        shapes=dict(reversed(memory.shapes.items())),
    )
    put(store, Memory(), memory)
    put(store, memory, other)
    assert list(store.memory().ledger.answers) == list(turned)


@pytest.mark.parametrize("content", [b"no zlib", zlib.compress(b"{"), zlib.compress(b'{"kind": 1}')])
def test_a_part_that_does_not_read_is_named(content: bytes, file_store: Store, memory: Memory) -> None:
    put(file_store, Memory(), memory)
    with file_store.writing() as writing:
        writing.connection.exec_driver_sql("UPDATE memory SET content = ? WHERE site = 'EU1'", (content,))
    said = "monitor.sqlite: the file is damaged: memory of run on EU1 does not read; `model-lab-monitor db check"
    with pytest.raises(StoreDamagedError, match=re.escape(said)):
        file_store.memory()


def test_a_baseline_is_kept_replaced_and_forgotten(store: Store, start: datetime) -> None:
    first, second = (Baseline(start, str(n), {"a": [n, "\ud800"]}) for n in range(2))
    with store.writing() as writing:
        writing.keep_baseline("US5", "42", first)
        writing.keep_baseline("US5", "42", second)
        writing.keep_baseline("US5", "43", first)
        writing.keep_baseline("EU1", "42", first)
        assert writing.baseline("US5", "42") == second
    assert store.baseline("US5", "42") == second
    assert store.baseline("AP1", "42") is None
    with store.writing() as writing:
        assert (writing.forget_baselines("US5"), writing.forget_baselines("US5")) == (2, 0)
    assert store.memory_revision() == 1
    assert store.baseline("US5", "42") is None
    assert store.baseline("EU1", "42") == first
