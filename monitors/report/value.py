"""What a report says, before it is printed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitors.model import Level, Skipped

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from monitors.model import Finding, Observation
    from monitors.recordings import LeftAside

Place = tuple[str | None, str | None, str | None]
"""Site, check and source: what ties a finding to the observation it was found in."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How text is laid out: columns, and what the medium can show. Only the table looks at it."""

    width: int = 100
    colour: bool = False
    unicode: bool = True
    verbose: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """Everything one run of `probe` or `check` found.

    `observations` have lost their bodies. `findings` stand in the order of the observations. `harness_failures` are
    lines about the monitor itself, `remarks` about the file of accepted findings. A finding at `fail_on` or above
    fails the command unless it is accepted; None never does. `pending` is drift seen so many times and
    not yet confirmed.
    """

    command: str
    version: str
    at: datetime
    observations: tuple[Observation, ...] = ()
    findings: tuple[Finding, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    left_aside: tuple[LeftAside, ...] = ()
    harness_failures: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    pending: tuple[tuple[Finding, int], ...] = ()
    fail_on: Level | None = Level.BREAKING

    def fails(self, finding: Finding) -> bool:
        """Say whether a finding makes the command fail."""
        return self.fail_on is not None and finding.level >= self.fail_on and finding.accepted is None

    @property
    def sites(self) -> list[str]:
        """Keys of the sites in the report, in order, those with nothing but skipped checks included."""
        seen = [observation.site for observation in self.observations] + [entry.site for entry in self.skipped]
        return list(dict.fromkeys(site for site in seen if site is not None))

    def findings_by_place(self) -> dict[Place, list[Finding]]:
        """Return the findings of each observation, by its site, check and source."""
        places: dict[Place, list[Finding]] = {}
        for finding in self.findings:
            places.setdefault((finding.site, finding.check, finding.source), []).append(finding)
        return places


def place_of(seen: Observation) -> Place:
    """Return what ties an observation to its findings."""
    return seen.site, seen.check, seen.source


def counts(findings: Iterable[Finding]) -> dict[str, int]:
    """Return how many findings there are of each level, worst first; accepted ones are not counted."""
    found = {str(level): 0 for level in sorted(Level, reverse=True)}
    for finding in (finding for finding in findings if finding.accepted is None):
        found[str(finding.level)] += 1
    return found
