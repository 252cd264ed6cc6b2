from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from mock_site.catalogue import NAMED_RUNS, run_document
from monitors.cycle import Result
from monitors.memory import Notes
from monitors.memory.folding import Baseline
from monitors.watching.keeper import Batch
from monitors.watching.slimming import Slimming

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitors.watching.clock import SimulatedClock

    Make = Callable[..., Batch]


class NoShelf:
    """A shelf without any baseline."""

    @staticmethod
    def baseline(_site: str, _run_id: str) -> Baseline | None:
        return None


@pytest.fixture
def make(clock: SimulatedClock, make_observed: Any) -> Make:
    """Make a batch of one answer with its note, a minute after the one before."""
    shelf: Any = NoShelf()
    notes = Notes(shelf)

    def batch(site: str = "US5", **members: Any) -> Batch:
        clock.advance(60)
        document = run_document("US1", NAMED_RUNS["all-members"])
        document["data"]["attributes"].update(members)
        seen = make_observed(site, "run", clock.at, body=json.dumps(document).encode(), headers={"Date": "now"})
        notes.hear(seen, ())
        taken, _ = notes.take()
        return Batch(clock.at, (Result(seen, ()),), tuple(taken))

    return batch


def test_what_is_large_goes_and_all_else_stays(make: Make) -> None:
    batch = make()
    (result,) = batch.results
    slim = Slimming().slim(batch)
    assert slim.notes == batch.notes != ()
    assert slim == replace(
        batch, results=(replace(result, observation=replace(result.observation.without_body(), headers=())),)
    )


def test_notes_that_say_the_same_share_it(make: Make) -> None:
    slimming = Slimming()
    (first,), (second,), (other,) = (slimming.slim(make(site)).notes for site in ("US5", "US5", "EU1"))
    assert second.shape is first.shape
    assert second.sighting.traits is first.sighting.traits
    assert second.sighting.at - first.sighting.at == timedelta(minutes=1)
    assert (other.sighting.site, other.shape) == ("EU1", first.shape)


def test_notes_that_say_something_else_are_what_they_were(make: Make) -> None:
    slimming = Slimming()
    for batch in (make(), make(name=None), make(extra={"a": [1]}), make()):
        assert slimming.slim(batch).notes == batch.notes


def test_baselines_with_the_same_digest_share_their_body_and_keep_their_time(make: Make) -> None:
    slimming = Slimming()
    batches = [make(), make(), make(name="another")]
    given = [
        replace(batch, notes=(replace(batch.notes[0], baseline=Baseline(batch.at, digest, {"a": digest})),))
        for batch, digest in zip(batches, ("same", "same", "other"), strict=True)
    ]
    baselines = [slimming.slim(batch).notes[0].baseline for batch in given]
    assert baselines == [batch.notes[0].baseline for batch in given]
    first, second, third = baselines
    assert first is not None
    assert second is not None
    assert third is not None
    assert first.body is second.body
    assert third.body is not first.body
