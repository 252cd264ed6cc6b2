"""The report in one sentence, and the counts behind it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from monitors.model import Kind, Level
from monitors.report.grouping import problems
from monitors.report.text import counted, listed, milliseconds, plain
from monitors.report.value import counts

if TYPE_CHECKING:
    from monitors.model import JSON, Finding
    from monitors.report.value import Report

_SHOWN_RULES = 3


def summary(report: Report) -> dict[str, JSON]:
    """Return the `summary` member of the JSON formats."""
    seen = {observation.site for observation in report.observations if observation.site is not None}
    found: dict[str, JSON] = {
        "sites": len(seen),
        "observations": len(report.observations),
        "findings": {**counts(report.findings)},
        "skipped": [{"site": entry.site, "check": entry.check, "reason": entry.reason} for entry in report.skipped],
        "left_aside": [
            {"source": entry.source, "reason": entry.reason, "count": entry.count} for entry in report.left_aside
        ],
    }
    if accepted := sum(finding.accepted is not None for finding in report.findings):
        found["accepted"] = accepted
    if report.remarks:
        found["remarks"] = list(report.remarks)
    if report.pending:
        found["pending"] = [_pending(finding, count) for finding, count in report.pending]
    if report.harness_failures:
        found["harness_failures"] = list(report.harness_failures)
    return found


def _pending(finding: Finding, count: int) -> dict[str, JSON]:
    return {
        "site": finding.site,
        "check": finding.check,
        "rule": finding.rule,
        "level": str(finding.level),
        "location": finding.location,
        "message": finding.message,
        "fingerprint": finding.fingerprint,
        "seen": count,
    }


def sentence(report: Report) -> str:
    """Return what the report comes to, in one plain sentence."""
    clauses = [*_harness(report), *_outages(report), *_breaks(report), *_lesser(report)]
    scope = _scope(report)
    accepted = sum(group.first.accepted is not None for group in problems(report.findings))
    scope += f", {accepted:,} accepted" if accepted else ""
    if not clauses:
        return f"{_all_well(report)} ({scope}{_slowest(report)})."
    text = "; ".join(clauses)
    return f"{text[0].upper()}{text[1:]} ({scope})."


def _harness(report: Report) -> list[str]:
    return ["the monitor itself failed"] if report.harness_failures else []


def _of(report: Report, *, availability: bool, level: Level) -> list[Finding]:
    return [
        finding
        for finding in report.findings
        if (finding.kind is Kind.AVAILABILITY) is availability and finding.level is level and finding.accepted is None
    ]


def _outages(report: Report) -> list[str]:
    found = _of(report, availability=True, level=Level.BREAKING)
    sites = _sites(found)
    if not found:
        return []
    why = listed(list(dict.fromkeys(finding.rule for finding in found)), _SHOWN_RULES)
    if not sites:
        return [f"{counted(len(found), 'answer')} from no working site ({why})"]
    return [f"{listed(sites)} {'is' if len(sites) == 1 else 'are'} unavailable ({why})"]


def _breaks(report: Report) -> list[str]:
    found = _of(report, availability=False, level=Level.BREAKING)
    if not found:
        return []
    sites = _sites(found)
    if sites:
        everywhere = len(sites) == len(report.sites) > 1
        return [f"the contract is broken on {f'all {len(sites)} sites' if everywhere else listed(sites)}"]
    answers = len({finding.source for finding in found})
    return [f"the contract is broken in {counted(answers, 'answer')}"]


def _lesser(report: Report) -> list[str]:
    levels = Counter(group.level for group in problems(report.findings) if group.first.accepted is None)
    words = ((Level.WARNING, "warning"), (Level.INFO, "note"))
    return [counted(levels[level], word) for level, word in words if levels[level]]


def _sites(findings: list[Finding]) -> list[str]:
    return list(dict.fromkeys(plain(finding.site) for finding in findings if finding.site is not None))


def _scope(report: Report) -> str:
    number = len(report.observations)
    if report.command == "check":
        aside = sum(entry.count for entry in report.left_aside)
        return f"{number:,} judged" + (f", {aside:,} left aside" if aside else "")
    # Where nothing came of any, those that were meant are told.
    sites = len({observation.site for observation in report.observations} or set(report.sites))
    return f"{counted(number, 'probe')} of {counted(sites, 'site')}"


def _all_well(report: Report) -> str:
    if not report.observations:
        return "Nothing was judged"
    return "Every answer keeps the contract" if report.command == "check" else "All well"


def _slowest(report: Report) -> str:
    if report.command == "check" or not report.observations:
        return ""
    slowest = max(report.observations, key=lambda observation: observation.phases.total_s)
    where = f" on {plain(slowest.site)}" if slowest.site and len(report.sites) > 1 else ""
    return f", the slowest in {milliseconds(slowest.phases.total_s)}{where}"
