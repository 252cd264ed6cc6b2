"""Which findings are one problem, and which problem keeps which other from being seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitors.model import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monitors.model import Finding

OUTAGE = "outage"
_GROUPS = {
    "throttled": "throttled",
    "tls-certificate-expires-soon": "certificate-expires-soon",
    "key-rejected": "access",
    "key-of-other-site": "access",
    "key-lacks-permission": "access",
    "endpoint-not-deployed": "endpoint-not-deployed",
    "run-not-found": "run-not-found",
}
"""Availability rules that tell one problem under several names, or that are no outage; any other rule is."""

_RANKS = {
    OUTAGE: 0,
    "certificate-expires-soon": 1,
    "throttled": 1,
    "access": 2,
    "endpoint-not-deployed": 3,
    "run-not-found": 4,
}
_OF_THE_ANSWER, _OF_A_MEMBER = 5, 6
_HIDES_MEMBERS = frozenset({
    "answered-without-keys",
    "response-body-became-nullable",
    "response-body-byte-order-mark",
    "response-body-empty",
    "response-body-lone-surrogate",
    "response-body-nesting-too-deep",
    "response-body-not-json",
    "response-body-not-utf8",
    "response-body-type-changed",
    "response-error-form-changed",
    "response-status-undocumented",
    "unexpected-status",
})  # fmt: skip
"""Rules of answers whose members nobody looked at, or that are no answers to what was asked."""

_HIDES_NOTHING = {"certificate-expires-soon"}

ACROSS = frozenset({"response-property-not-on-all-sites", "response-property-unlike-other-sites"})
"""Rules whose findings speak of several sites: those in `revision` have the drift."""


def problem_of(finding: Finding) -> str:
    """Return the problem a finding is a sign of: the same on every site, whatever its cause is called just now.

    An outage that answers 503, then nothing, then another certificate is one problem; so is access denied in one way
    or another. Every change of an answer is a problem of its own, named by its fingerprint; the monitor's own troubles
    are named by their rules, and by the sink where there are several.
    """
    if finding.kind is Kind.AVAILABILITY:
        return _GROUPS.get(finding.rule, OUTAGE)
    if finding.kind is Kind.MONITOR:
        return f"{finding.rule}:{finding.discriminator}" if finding.discriminator else finding.rule
    return finding.fingerprint


def rank(finding: Finding) -> int:
    """Return how early a problem ends a look at a site: whoever meets it sees nothing of those with a higher rank."""
    known = _RANKS.get(problem_of(finding)) if finding.kind is Kind.AVAILABILITY else None
    if known is not None:
        return known
    return _OF_A_MEMBER if finding.location is not None and finding.rule not in _HIDES_MEMBERS else _OF_THE_ANSWER


def blocked_above(findings: Iterable[Finding]) -> int:
    """Return the rank above which nothing can be said, given everything one probe showed, whatever its level."""
    blocking = (
        finding
        for finding in findings
        if (finding.kind is Kind.AVAILABILITY or finding.rule in _HIDES_MEMBERS)
        and problem_of(finding) not in _HIDES_NOTHING
    )
    return min(map(rank, blocking), default=_OF_A_MEMBER)
