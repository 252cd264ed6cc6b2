"""The rules for what the monitor says of itself; never a word about a site."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitors.model import Level

if TYPE_CHECKING:
    from collections.abc import Iterator

_RULES = (
    (
        "monitor-offline",
        Level.BREAKING,
        "Neither any site nor any well-known address can be reached from here: nothing is said of the sites.",
    ),
    (
        "monitor-probe-failed",
        Level.BREAKING,
        "The monitor could not make or judge a probe: no resolver, no threads, a bug.",
    ),
    (
        "monitor-store-failed",
        Level.BREAKING,
        "The store takes nothing: disk full, locked, damaged, removed or replaced, or its server is gone.",
    ),
    ("monitor-clock-off", Level.WARNING, "The clock of this machine is not that of the sites, or it jumped."),
    ("monitor-disk-low", Level.WARNING, "Little room is left on the disk the store lies on."),
    ("monitor-sink-failing", Level.WARNING, "Notices do not get through to a sink; what is due there is kept."),
    (
        "monitor-config-refused",
        Level.WARNING,
        "The configuration was changed into one with mistakes; the one before stays in force.",
    ),
)


def rows() -> Iterator[tuple[str, Level, str, bool]]:
    """Yield id, level, meaning and whether the rule is ours alone."""
    for rule, level, meaning in _RULES:
        yield rule, level, meaning, True
