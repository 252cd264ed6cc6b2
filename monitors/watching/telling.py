"""What the log has of a batch: what was asked and came of it, what was left out, and how incidents went on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitors.incidents.model import EventKind

if TYPE_CHECKING:
    from monitors.watching.batching import Batcher
    from monitors.watching.keeper import Batch, Kept
    from monitors.watching.logs import Say


def tell_left_out(say: Say, batcher: Batcher, batch: Batch) -> None:
    """Log what of a round is not in its batch, and why."""
    for skipped in batcher.skipped:
        say("debug", "not asked", site=skipped.site, check=skipped.check, reason=skipped.reason)
    for failure in batcher.failures:
        say("error", "not known", site=failure.site, check=failure.check, reason=failure.message)
    if batcher.unjudged:
        say("warning", "not judged: the trouble is here", probes=batcher.unjudged)
    for line in batch.unremembered:
        say("error", "not remembered", reason=line)


def tell_kept(say: Say, kept: Kept) -> None:
    """Log each probe of a batch that is in the store, and what happened to incidents."""
    for result in kept.batch.results:
        seen = result.observation
        worst = max(result.findings, key=lambda finding: finding.level, default=None)
        say(
            "debug",
            "probed",
            site=seen.site,
            check=seen.check,
            status=seen.status,
            ms=round(seen.phases.total_s * 1000, 1),
            rule=None if worst is None else worst.rule,
        )
    for event in kept.events:
        say(
            "info" if event.kind is EventKind.NOTIFIED else "warning",
            f"incident {event.kind}",
            incident=event.incident,
            sites=event.sites,
            message=event.message,
        )
