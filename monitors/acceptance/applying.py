"""Accepted findings in a report: what they mark, and what there is to say about the file itself."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from monitors.checks import CHECKS
from monitors.model import Kind
from monitors.rules import RULES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from monitors.acceptance.book import Entry
    from monitors.model import Finding, Observation


def applied(findings: Iterable[Finding], entries: Iterable[Entry], today: date) -> tuple[Finding, ...]:
    """Return the findings, those an entry accepts today marked; an expired entry accepts nothing."""
    holding = {entry.fingerprint: entry for entry in entries if entry.holds(today)}
    return tuple(
        replace(finding, accepted=holding[finding.fingerprint].acceptance)
        if finding.fingerprint in holding
        else finding
        for finding in findings
    )


def remarks(
    findings: Iterable[Finding], observations: Sequence[Observation], entries: Iterable[Entry], today: date
) -> list[str]:
    """Return a line for each entry that has expired while its finding is still there, or whose finding is gone.

    A finding is gone where everything it was seen on when it was accepted was judged again, and it was not there.
    """
    seen = {finding.fingerprint for finding in findings}
    said = []
    for entry in entries:
        what = f"{entry.fingerprint} ({entry.rule}{f' at {entry.location}' if entry.location else ''})"
        if entry.fingerprint in seen:
            if not entry.holds(today):
                said.append(f"Accepted until {entry.expires}, which has passed: {what} counts again")
        elif _judged(entry, observations):
            said.append(f"Accepted, but no longer seen: {what}; remove it")
    return said


def _judged(entry: Entry, observations: Sequence[Observation]) -> bool:
    """Tell whether all that the finding was seen in has been judged, as far as its rule goes."""
    telling = [seen for seen in observations if _tells(entry, seen)]
    if entry.sites:
        return set(entry.sites) <= {seen.site for seen in telling}
    files = {(seen.source or "").rsplit("#", 1)[0] for seen in telling}
    return bool(entry.sources) and set(entry.sources) <= files


def _tells(entry: Entry, seen: Observation) -> bool:
    """Tell whether an answer could have shown the finding: an outage hides what a body would have."""
    if entry.check != seen.check:
        return False
    rule = RULES.get(entry.rule)
    if rule is not None and rule.kind is Kind.AVAILABILITY:
        return True
    check = CHECKS.get(seen.check or "")
    return seen.failure is None and (check is None or seen.status in check.expected)
