"""Ids that were looked up before, so that a healthy probe costs one row and no question."""

from __future__ import annotations

from dataclasses import dataclass, field

Series = tuple[str, str, str]
"""Site, check and vantage."""

_MAX_FINDINGS = 2_000


@dataclass(slots=True)
class Cache:
    """Ids by what they stand for. `generation` is that of the rows: it moves when findings or bodies are deleted."""

    generation: str = ""
    series: dict[Series, int] = field(default_factory=dict)
    findings: dict[str, int] = field(default_factory=dict)

    def at(self, generation: str) -> Cache:
        """Return a copy that is good for rows of that generation; what is in it now may be rolled back."""
        fresh = generation == self.generation and len(self.findings) <= _MAX_FINDINGS
        return Cache(generation, dict(self.series), dict(self.findings) if fresh else {})
