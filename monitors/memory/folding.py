"""The memory as one value, and what it becomes with the answers of one more cycle. Pure: no files, no clock."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from monitors.drift.shape import covers, merge
from monitors.memory.confirmation import step
from monitors.memory.cross_site import differences
from monitors.memory.ledger import Ledger, observe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from monitors.drift.shape import Shape
    from monitors.memory.confirmation import DriftKey, Record
    from monitors.memory.ledger import Sighting
    from monitors.memory.patience import Patience
    from monitors.model import JSON, Finding

MAX_PLACES = 20_000
"""A shape that would grow beyond so many places is kept as it is."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """A canary run as it was first seen: when, the SHA-256 of its bytes in hex, and its body as JSON."""

    at: datetime
    digest: str
    body: JSON


@dataclass(frozen=True, slots=True)
class Note:
    """What is kept of one answer once its body is dropped.

    `compared` tells whether the answer could be held against the canary run's baseline; `drift` is what that showed.
    `baseline` is set where the answer shall be the baseline from now on.
    """

    sighting: Sighting
    shape: Shape
    run_id: str = ""
    compared: bool = False
    drift: tuple[Finding, ...] = ()
    baseline: Baseline | None = None


@dataclass(frozen=True, slots=True)
class Memory:
    """Everything remembered but the canary baselines: ledger, shapes by site and check, drifts of single sites."""

    ledger: Ledger = field(default_factory=Ledger)
    shapes: Mapping[tuple[str, str], Shape] = field(default_factory=dict)
    drifts: Mapping[DriftKey, Record] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Recollection:
    """What a cycle comes to in the light of the earlier ones.

    `declared` are the drifts of single sites that are believed, `across` the differences between sites (None where no
    answer came, so that nothing new is known of them); `pending` those seen on a site but not yet confirmed, each with
    how often it was seen. `failures` are lines about the memory itself.
    """

    declared: tuple[Finding, ...] = ()
    across: tuple[Finding, ...] | None = None
    pending: tuple[tuple[Finding, int], ...] = ()
    failures: tuple[str, ...] = ()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Every drift that is told."""
        return (*self.declared, *(self.across or ()))


def fold(memory: Memory, notes: Sequence[Note], patience: Patience) -> tuple[Memory, Recollection]:
    """Return the memory with the answers of one more cycle, and what it says of them."""
    ledger, shapes, drifts = memory.ledger, dict(memory.shapes), dict(memory.drifts)
    for note in notes:
        seen = note.sighting
        place = (seen.site, seen.check)
        ledger = observe(ledger, seen)
        shapes[place] = _grown(shapes.get(place), note.shape)
        if note.compared:
            drifts = step(drifts, place, seen.at, note.drift, patience)
    heard = {(note.sighting.site, note.sighting.check) for note in notes if note.compared}
    here = [record for key, record in drifts.items() if key[:2] in heard]
    declared = tuple(_told(record) for record in here if record.declared is not None)
    across = tuple(differences(ledger, patience)) if notes else None
    pending = tuple((record.finding, record.count) for record in here if record.declared is None and record.recent)
    return Memory(ledger, shapes, drifts), Recollection(declared, across, pending)


def _told(record: Record) -> Finding:
    if not record.away:
        return record.finding
    message = f"{record.finding.message} (not in the latest answer; last seen {record.last:%Y-%m-%d %H:%M} UTC)"
    return replace(record.finding, message=message)


def _grown(known: Shape | None, new: Shape) -> Shape:
    if known is None:
        return new
    merged = merge(known, new)
    # Counting all places takes longer than seeing that there are none to count.
    return merged if covers(known, new) or places(merged) <= MAX_PLACES else known


def places(shape: Shape) -> int:
    """Return how many places a shape speaks of."""
    below = [*shape.names.values(), *(child for child in (shape.members, shape.items) if child is not None)]
    return 1 + sum(map(places, below))
