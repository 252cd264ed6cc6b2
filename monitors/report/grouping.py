"""Findings put together: one problem with its sites in place of one line per site."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from monitors.model import Kind
from monitors.report.text import counted, listed, shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monitors.model import JSON, Finding, Level
    from monitors.report.value import Report

_SHOWN_SOURCES = 2


@dataclass(slots=True)
class Problem:
    """Findings with the same fingerprint; `first` speaks for all, `messages` maps each text to its sites."""

    first: Finding
    level: Level
    count: int = 0
    sites: dict[str, None] = field(default_factory=dict)
    checks: dict[str, None] = field(default_factory=dict)
    sources: dict[str, None] = field(default_factory=dict)
    messages: dict[str, dict[str, None]] = field(default_factory=dict)

    def add(self, finding: Finding) -> None:
        """Take in one more finding."""
        self.count += 1
        self.level = max(self.level, finding.level)
        sites = self.messages.setdefault(finding.message, {})
        if finding.site is not None:
            self.sites[finding.site] = sites[finding.site] = None
        if finding.check is not None:
            self.checks[finding.check] = None
        if finding.source is not None:
            self.sources[finding.source] = None

    @property
    def moved(self) -> tuple[str, str] | None:
        """Base and revision in words, printable; None where the message says it all."""
        base, revision = self.first.base, self.first.revision
        if base is None and (revision is None or self.first.location is None):
            return None
        return _words(base), _words(revision)

    @property
    def acceptance(self) -> str:
        """Return in words who accepted the problem, until when and why; empty where nobody has."""
        accepted = self.first.accepted
        if accepted is None:
            return ""
        until = f" until {accepted.expires.isoformat()}" if accepted.expires else ""
        return f"accepted by {accepted.by}{until}: {accepted.reason}"

    def where(self, report: Report) -> str:
        """Return in words where the problem was seen, as raw text: sites and checks, or entries of recordings."""
        if self.sources:
            first = listed(list(self.sources), _SHOWN_SOURCES) if self.count <= _SHOWN_SOURCES else ""
            return first or f"{counted(self.count, 'answer')}, first {next(iter(self.sources))}"
        total = len(report.sites)
        sites = f"all {total} sites" if len(self.sites) == total > 1 else listed(list(self.sites))
        asked = {seen.check for seen in report.observations}
        checks = "every check" if 1 < len(asked) <= len(self.checks) else listed(list(self.checks))
        if checks and sites:
            return f"{checks} on {sites}"
        return checks or sites


def _words(value: JSON) -> str:
    return "nothing" if value is None else shown(value)


def problems(findings: Iterable[Finding]) -> list[Problem]:
    """Return the findings grouped by fingerprint: accepted ones last, worst first, then outages, then what spread."""
    groups: dict[str, Problem] = {}
    for finding in findings:
        group = groups.get(finding.fingerprint)
        if group is None:
            group = groups[finding.fingerprint] = Problem(finding, finding.level)
        group.add(finding)
    return sorted(
        groups.values(),
        key=lambda group: (
            group.first.accepted is not None,
            -group.level,
            group.first.kind is not Kind.AVAILABILITY,
            -len(group.sites),
            -group.count,
        ),
    )
