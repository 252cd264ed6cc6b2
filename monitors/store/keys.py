"""Words and numbers that stand in columns for something, for those who write them and those who judge them."""

from __future__ import annotations

INSTALLATION, NEXT_INCIDENT, FIRST_NOTICE = "installation", "next_incident", "first_notice"
"""The keys in `meta` of the word of this installation, and of how incidents and notices are numbered on."""
DIGEST = "digest"
"""The key in `meta` of the time up to which digests were told."""
REVISION = "memory_revision"
"""The key in `meta` of a number that moves with every change of the memory."""
MARK = "rolled_up_to"
"""The key in `meta` of the id up to which probes are rolled up."""
HOURS_FROM = "hours_from"
"""The key in `meta` of the millisecond, the start of a day, before which only days are kept."""
SUCCESSES_FROM = "successes_from"
"""The key in `meta` of the millisecond before which probes that went well are no longer kept."""
GENERATION = "generation"
"""The key in `meta` of a number that moves when ids at hand may be of rows that are deleted."""
HOUR, DAY = 1, 2
"""The periods of roll-ups."""
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
QUEUED, DELIVERED, ABANDONED = "queued", "delivered", "abandoned"
"""The states of a notice in the outbox."""
