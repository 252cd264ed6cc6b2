"""What one probe measures, as metrics: whether the site was available, how long it took, what its certificate has left.

The days a certificate has left are those of the certificate shown, verified or not: they go on below zero.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitors.model import Observation

_DAY_S = 86_400


class Measure(NamedTuple):
    """One value of one metric, with its tags as name and value."""

    metric: str
    value: float
    tags: tuple[tuple[str, str], ...] = ()


def measures(seen: Observation, *, available: bool | None) -> Iterator[Measure]:
    """Yield what a probe measures; `available` None says nothing of the site (a throttled probe)."""
    tags = (("site", seen.site or ""), ("check", seen.check or ""))
    if available is not None:
        yield Measure("model_lab.site.available", float(available), tags)
    if seen.status is not None:
        yield Measure("model_lab.probe.duration_ms", round(seen.phases.total_s * 1000, 3), tags)
    if seen.tls is not None and seen.tls.not_after is not None and seen.at is not None:
        left_s = (seen.tls.not_after - seen.at).total_seconds()
        yield Measure("model_lab.certificate.days_left", round(left_s / _DAY_S, 2), tags[:1])
