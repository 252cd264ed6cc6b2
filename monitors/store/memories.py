"""What the monitor remembers, in parts: one for each check and site, so that an answer rewrites only its own.

The drift engine's modules are imported where they are needed: they take as long as the database's.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, select

from monitors.store import sql, tables
from monitors.store.forms import packed, unpacked
from monitors.store.sensible import damage, typed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy import Connection

    from monitors.memory.confirmation import DriftKey, Record
    from monitors.memory.folding import Baseline, Memory
    from monitors.memory.ledger import Row, Seen

Place = tuple[str, str]
"""Site and check, as the ledger has them."""


def read(connection: Connection) -> Memory:
    """Return the whole memory; raises `StoreDamagedError` for a part that does not read."""
    from monitors.memory.folding import Memory  # noqa: PLC0415 - see above
    from monitors.memory.ledger import Ledger  # noqa: PLC0415 - likewise
    from monitors.memory.written import memory_from  # noqa: PLC0415 - likewise

    rows: dict[Row, dict[str, Seen]] = {}
    answers: dict[Place, Seen] = {}
    shapes: dict[Place, Any] = {}
    drifts: dict[DriftKey, Record] = {}
    table = tables.memory
    ordered = select(table).order_by(table.c.position, table.c.check_name, table.c.site)
    for check, site, _, content in typed(connection, table, connection.execute(ordered)):
        with _reading(connection, f"memory of {check} on {site}"):
            part = memory_from(unpacked(content) or {}, "it")
        for row, sites in part.ledger.rows.items():
            rows.setdefault(row, {}).update(sites)
        answers.update(part.ledger.answers)
        shapes.update(part.shapes)
        drifts.update(part.drifts)
    return Memory(Ledger(rows, answers), shapes, drifts)


@contextmanager
def _reading(connection: Connection, what: str) -> Iterator[None]:
    """Say that a part is damaged which does not read, for whatever reason."""
    try:
        yield
    except Exception as error:
        raise damage(connection, f"{what} does not read") from error


def write_difference(connection: Connection, before: Memory, after: Memory) -> bool:
    """Write the parts that changed; tell whether any did."""
    from monitors.memory.written import memory_json  # noqa: PLC0415 - see above

    changed = _changed(before, after)
    places = _places(after)
    parts = [
        (check, site, places[site, check], packed(memory_json(_part(after, (site, check)))))
        for site, check in sorted(changed & places.keys())
    ]
    sql.upsert(connection, tables.memory, parts)
    table = tables.memory
    for site, check in changed - places.keys():
        connection.execute(delete(table).where(and_(table.c.site == site, table.c.check_name == check)))
    return bool(changed)


def _places(memory: Memory) -> dict[Place, int]:
    """Return where anything is known of, with the order the places were first heard of."""
    known = [*memory.ledger.answers, *memory.shapes, *((site, check) for site, check, _ in memory.drifts)]
    return {place: position for position, place in enumerate(dict.fromkeys(known))}


def _changed(before: Memory, after: Memory) -> set[Place]:
    if before is after:
        return set()
    changed = _keys(before.ledger.answers, after.ledger.answers) | _keys(before.shapes, after.shapes)
    changed |= {(site, check) for site, check, _ in _keys(before.drifts, after.drifts)}
    old, new = before.ledger.rows, after.ledger.rows
    if old is not new:
        for row in _keys(old, new):
            changed |= {(site, row.check) for site in _keys(old.get(row, {}), new.get(row, {}))}
    if list(_places(before)) != list(_places(after)):
        was = _places(before)
        changed |= {place for place, position in _places(after).items() if was.get(place) != position}
    return changed


def _keys(before: Mapping[Any, Any], after: Mapping[Any, Any]) -> set[Any]:
    """Return the keys whose values differ."""
    if before is after:
        return set()
    changed = {key for key, value in after.items() if (was := before.get(key)) is not value and was != value}
    return changed | (before.keys() - after.keys())


def _part(memory: Memory, place: Place) -> Memory:
    """Return what the memory holds of one place, a memory of its own."""
    from monitors.memory.folding import Memory  # noqa: PLC0415 - see above
    from monitors.memory.ledger import Ledger  # noqa: PLC0415 - likewise

    site, check = place
    ledger = memory.ledger
    rows = {row: {site: sites[site]} for row, sites in ledger.rows.items() if row.check == check and site in sites}
    answers = {place: ledger.answers[place]} if place in ledger.answers else {}
    shapes = {place: memory.shapes[place]} if place in memory.shapes else {}
    drifts = {key: record for key, record in memory.drifts.items() if key[:2] == place}
    return Memory(Ledger(rows, answers), shapes, drifts)


# --- canary runs -----------------------------------------------------------------------------------------------------


def baseline(connection: Connection, site: str, run_id: str) -> Baseline | None:
    """Return how a canary run was first seen, None where it was not; raises `StoreDamagedError` likewise."""
    from monitors.memory.written import baseline_from  # noqa: PLC0415 - see above

    table = tables.baselines
    wanted = select(table.c.content).where(table.c.site == site, table.c.run_id == run_id)
    content = connection.execute(wanted).scalar()
    if content is None:
        return None
    with _reading(connection, f"canary run {run_id} on {site}"):
        return baseline_from(unpacked(content) or {}, "it")


def keep_baseline(connection: Connection, site: str, run_id: str, kept: Baseline) -> None:
    """Put a baseline in place of the one before."""
    from monitors.memory.written import baseline_json  # noqa: PLC0415 - see above

    sql.upsert(connection, tables.baselines, [(site, run_id, packed(baseline_json(kept)))])


def forget_baselines(connection: Connection, site: str) -> int:
    """Forget how the canary runs of a site were first seen; returns how many."""
    return connection.execute(delete(tables.baselines).where(tables.baselines.c.site == site)).rowcount
