"""What one pass of `watch` found, as the report a probe makes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from monitors import __version__
from monitors.memory import Recollection
from monitors.model import Level, Skipped
from monitors.report import Report

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Sequence

    from monitors.commands.watching import Bench
    from monitors.model import Finding, Observation
    from monitors.watching.keeper import Kept

_HERE = "nothing can be said of it, as the trouble is here"


def report_of(bench: Bench, kept: Sequence[Kept], fail_on: Level | None) -> Report:
    """Return what one pass found, each check as it was seen last."""
    latest: dict[tuple[str | None, str | None], tuple[Observation, tuple[Finding, ...]]] = {}
    recalled, failures = Recollection(), list[str]()
    for done in kept:
        for result in done.batch.results:
            seen = result.observation.without_body()
            latest[seen.site, seen.check] = (seen, tuple(bench.configured.accept(result.findings)))
        failures += [
            *done.batch.unremembered,
            *(own.message for own in done.batch.own.values() if own and own.level is Level.BREAKING),
        ]
        recalled = _together(recalled, done)
    if bench.watch.parts.vault.trouble is not None:
        failures.append(bench.watch.parts.vault.trouble.message)
    failures += bench.failures
    order = [(site, check) for site, check in bench.watch.setup.intervals_s if (site, check) in latest]
    return Report(
        command="probe",
        version=__version__,
        at=datetime.now(UTC),
        observations=tuple(latest[place][0] for place in order),
        findings=(*(each for place in order for each in latest[place][1]), *bench.configured.accept(recalled.findings)),
        skipped=(*bench.configured.skipped(), *_left_out(bench, latest.keys())),
        harness_failures=tuple(dict.fromkeys(failures)),
        pending=recalled.pending,
        fail_on=fail_on,
    )


def _left_out(bench: Bench, told: Container[tuple[str | None, str | None]]) -> Iterator[Skipped]:
    """Yield the checks that were meant to be made and of which nothing is told."""
    watch = bench.watch
    for task in watch.setup.intervals_s:
        if task not in told:
            yield Skipped(*task, watch.no_room.get(task, _HERE))


def _together(earlier: Recollection, done: Kept) -> Recollection:
    """Return what the memory told in all rounds: a look at some sites says nothing new of the others."""
    heard = {(note.sighting.site, note.sighting.check) for note in done.batch.notes if note.compared}
    found = done.recalled
    return Recollection(
        (*(each for each in earlier.declared if (each.site, each.check) not in heard), *found.declared),
        earlier.across if found.across is None else found.across,
        (*(entry for entry in earlier.pending if (entry[0].site, entry[0].check) not in heard), *found.pending),
    )
