"""What only several observations of one cycle tell: whose keys they are, and whether the endpoint is really missing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from monitors import rules
from monitors.sites import SITES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monitors.model import Finding, Observation

_OK, _BAD_REQUEST, _NOT_FOUND, _TOO_MANY = 200, 400, 404, 429


def reconcile(observations: Sequence[Observation], findings: Sequence[Sequence[Finding]]) -> list[list[Finding]]:
    """Correct what single answers cannot tell, given one cycle: findings stand parallel to the observations.

    Keys one site rejects and another accepts are another site's. A site that serves the endpoint on one check does
    not lack it, whatever another check got.
    """
    accepted = _accepting_sites(observations)
    serving = {seen.site for seen, found in zip(observations, findings, strict=True) if _serves(seen, found)}
    return [
        [_reconciled(finding, seen, accepted, serving) for finding in found]
        for seen, found in zip(observations, findings, strict=True)
    ]


def _serves(observation: Observation, findings: Sequence[Finding]) -> bool:
    names = {finding.rule for finding in findings}
    hidden = {"endpoint-not-deployed", "edge-answer", "redirected"}
    return observation.status in {_OK, _BAD_REQUEST, _NOT_FOUND} and not names & hidden


def _accepting_sites(observations: Sequence[Observation]) -> dict[str, list[str]]:
    accepted: dict[str, list[str]] = {}
    for seen in observations:
        took = seen.with_keys and seen.status in {_OK, _BAD_REQUEST, _NOT_FOUND, _TOO_MANY}
        if took and seen.credential and seen.site and seen.site not in accepted.get(seen.credential, ()):
            accepted.setdefault(seen.credential, []).append(seen.site)
    return accepted


def _place(site: str) -> int:
    """Return where a site stands in the table of sites: answers come in any order, sentences in one."""
    return list(SITES).index(site) if site in SITES else len(SITES)


def _reconciled(
    finding: Finding, seen: Observation, accepted: Mapping[str, Sequence[str]], serving: set[str | None]
) -> Finding:
    others = sorted((site for site in accepted.get(seen.credential or "", ()) if site != seen.site), key=_place)
    if finding.rule == "key-rejected" and others:
        message = f"these keys belong to {', '.join(others)}, not to {seen.site}: each site has its own"
        return replace(finding, rule="key-of-other-site", message=message)
    if finding.rule == "endpoint-not-deployed" and seen.site in serving:
        message = f"404 for the route itself, though {seen.site} serves the endpoint"
        row = rules.RULES["unexpected-status"]
        return replace(finding, rule=row.id, kind=row.kind, level=row.level, message=message)
    return finding
