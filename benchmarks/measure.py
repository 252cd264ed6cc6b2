"""What all benchmarks share: timing both sides in turn, and rows that state a figure with its ratio."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Row:
    """One figure: ours and theirs in the same unit, the ratio that counts, and the bound it is held to."""

    name: str
    ours: str
    theirs: str
    ratio: str
    bound: str
    reached: bool


def interleaved(
    ours: Callable[[], object], theirs: Callable[[], object], *, rounds: int, ours_n: int, theirs_n: int
) -> tuple[float, float]:
    """Return the median seconds of one call of each side, both timed in turn so that a noisy machine hits both."""
    spent: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for side, (call, n) in enumerate(((ours, ours_n), (theirs, theirs_n))):
            start = time.perf_counter()
            for _ in range(n):
                call()
            spent[side].append((time.perf_counter() - start) / n)
    return statistics.median(spent[0]), statistics.median(spent[1])


def markdown(rows: list[Row]) -> str:
    """Return the rows as a Markdown table."""
    lines = ["| what | ours | against | ratio | to reach | reached |", "|---|---|---|---|---|---|"]
    lines += [
        f"| {row.name} | {row.ours} | {row.theirs} | {row.ratio} | {row.bound} | {'yes' if row.reached else '**no**'} |"
        for row in rows
    ]
    return "\n".join(lines)
