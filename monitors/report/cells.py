"""The grid of sites and checks: one cell for each probe, the same in every format that draws it."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitors.checks import CHECKS
from monitors.model import Finding, Kind, Level, Observation
from monitors.report.text import milliseconds
from monitors.report.value import place_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitors.report.value import Report


class Mark(enum.Enum):
    """How one probe went, at a glance."""

    OK = enum.auto()
    INFO = enum.auto()
    WARNING = enum.auto()
    BREAKING = enum.auto()
    DOWN = enum.auto()
    SKIPPED = enum.auto()


MARKS = {Level.BREAKING: Mark.BREAKING, Level.WARNING: Mark.WARNING, Level.INFO: Mark.INFO}
"""The mark of a finding's level."""

WORDS = {
    Mark.OK: "all well",
    Mark.INFO: "note",
    Mark.WARNING: "warning",
    Mark.BREAKING: "breaking",
    Mark.DOWN: "unavailable",
    Mark.SKIPPED: "accepted",
}
"""What a mark is called where it stands for a finding, or for a whole report."""


def mark_of(finding: Finding, level: Level | None = None) -> Mark:
    """Return the mark of a finding, at the level of its problem if given: an outage is another thing than a break."""
    level = finding.level if level is None else level
    if finding.accepted is not None:
        return Mark.SKIPPED
    if finding.kind is Kind.AVAILABILITY and level is Level.BREAKING:
        return Mark.DOWN
    return MARKS[level]


def worst_mark(report: Report) -> Mark:
    """Return the mark of a whole report: of what nobody has accepted, a broken contract first, then an outage."""
    marks = {mark_of(finding) for finding in report.findings}
    worst_first = (Mark.BREAKING, Mark.DOWN, Mark.WARNING, Mark.INFO)
    return next((mark for mark in worst_first if mark in marks), Mark.OK)


@dataclass(frozen=True, slots=True)
class Cell:
    """One probe in the grid; `seen` is None where the check was skipped."""

    mark: Mark
    seen: Observation | None
    worst: Finding | None = None


# The rule's whole name stands below the grid; here a word must do.
_FAILURES = {
    "name-not-resolved": "no name",
    "connection-refused": "refused",
    "connection-failed": "no route",
    "connection-reset": "reset",
    "connection-closed": "closed",
    "tls-certificate-expired": "expired",
    "tls-certificate-not-yet-valid": "too early",
    "tls-certificate-untrusted": "untrusted",
    "tls-certificate-wrong-host": "bad host",
    "tls-protocol-unsupported": "old TLS",
    "tls-handshake-failed": "no TLS",
    "proxy-failed": "proxy",
    "response-malformed": "no HTTP",
    "response-headers-too-large": "headers",
    "response-body-truncated": "cut short",
    "response-body-too-large": "too large",
    "response-body-undecodable": "garbled",
}


def cells(report: Report) -> tuple[list[str], dict[str, list[Cell | None]]]:
    """Return the names of the checks (columns) and for each site its cells; None where nothing was asked."""
    found = report.findings_by_place()
    by_place: dict[tuple[str, str], Cell] = {}
    for seen in report.observations:
        if seen.site is not None and seen.check is not None:
            by_place[seen.site, seen.check] = _cell(seen, found.get(place_of(seen), ()))
    for entry in report.skipped:
        by_place.setdefault((entry.site, entry.check), Cell(Mark.SKIPPED, None))
    checks = _in_order([check for _, check in by_place])
    return checks, {site: [by_place.get((site, check)) for check in checks] for site in report.sites}


def recorded(report: Report) -> list[Cell]:
    """Return the cell of each answer that was recorded rather than probed."""
    found = report.findings_by_place()
    return [_cell(seen, found.get(place_of(seen), ())) for seen in report.observations]


def _in_order(checks: Sequence[str]) -> list[str]:
    return [check for check in CHECKS if check in checks] + sorted(set(checks) - CHECKS.keys())


def _cell(seen: Observation, found: Sequence[Finding]) -> Cell:
    counting = [finding for finding in found if finding.accepted is None]
    if not counting:
        return Cell(Mark.INFO, seen, found[0]) if found else Cell(Mark.OK, seen)
    worst = max(counting, key=lambda finding: (finding.level, finding.kind is Kind.AVAILABILITY))
    return Cell(mark_of(worst), seen, worst)


def status(cell: Cell) -> str:
    """Return what came back in a word: the status, or why there is none."""
    if cell.seen is None:
        return ""
    if cell.seen.failure is not None:
        rule = cell.seen.failure.rule
        return _FAILURES.get(rule, rule)
    return str(cell.seen.status) if cell.seen.status is not None else "no answer"


def took(cell: Cell) -> str:
    """Return how long the answer took, in words; nothing where none came."""
    return "" if cell.seen is None or cell.seen.failure is not None else milliseconds(cell.seen.phases.total_s)


def answer(cell: Cell) -> str:
    """Return status and time together."""
    return f"{status(cell)} {took(cell)}".strip()
