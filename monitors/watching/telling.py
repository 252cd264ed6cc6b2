"""What the log has of batches: what was asked and came of it, what was left out, and how incidents went on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from monitors.incidents.model import EventKind

if TYPE_CHECKING:
    from collections.abc import Collection

    from monitors.watching.batching import Batcher
    from monitors.watching.keeper import Batch, Kept
    from monitors.watching.logs import Say

_QUIET = {EventKind.NOTIFIED, EventKind.RESOLVED}
_SHOWN_REASONS = 3


class Telling:
    """Logs batches. A trouble that lasts is told when it begins and when it is over, each probe of it at `debug`."""

    def __init__(self, say: Say) -> None:
        """Begin with nothing to tell of."""
        self._say = say
        self._unknown: set[str] = set()
        self._said: set[str] = set()
        self._aside = False
        self._unremembered: Collection[str] = ()

    def left_out(self, batcher: Batcher, batch: Batch) -> None:
        """Log what of a round is not in its batch, and why."""
        for skipped in batcher.skipped:
            self._say("debug", "not asked", site=skipped.site, check=skipped.check, reason=skipped.reason)
        self._not_known(batcher, batch)
        if batcher.unjudged:
            self._say("debug" if self._aside else "warning", "not judged: the trouble is here", probes=batcher.unjudged)
            self._aside = True
        elif self._aside and batch.results:
            self._aside = False
            self._say("info", "judged again")
        for line in batch.unremembered:
            self._say("debug" if line in self._unremembered else "error", "not remembered", reason=line)
        if batch.unremembered or batch.notes:
            self._unremembered = batch.unremembered

    def _not_known(self, batcher: Batcher, batch: Batch) -> None:
        """Log the checks that the harness could not make: each kind of reason once for as long as there are any."""
        failures = batcher.failures
        first = {_general(failure.message): failure.message for failure in reversed(failures)}
        if not first.keys() <= self._said:
            sites = list(dict.fromkeys(failure.site for failure in failures))
            reason = "; ".join([*first.values()][-_SHOWN_REASONS:])
            self._say("error", "not known", sites=sites, probes=len(failures), reason=reason)
            self._said.update(first)
        for failure in failures:
            self._say("debug", "not known", site=failure.site, check=failure.check, reason=failure.message)
        # A site that is heard of again is known, whenever its rare checks are made next.
        self._unknown -= {result.observation.site or "" for result in batch.results}
        self._unknown |= {failure.site for failure in failures}
        if self._said and not self._unknown and batch.results:
            self._said.clear()
            self._say("info", "known again")

    def kept(self, kept: Kept) -> None:
        """Log each probe of a batch that is in the store, and what happened to incidents."""
        for result in kept.batch.results:
            seen = result.observation
            worst = max(result.findings, key=lambda finding: finding.level, default=None)
            self._say(
                "debug",
                "probed",
                site=seen.site,
                check=seen.check,
                status=seen.status,
                ms=round(seen.phases.total_s * 1000, 1),
                rule=None if worst is None else worst.rule,
            )
        for event in kept.events:
            self._say(
                "info" if event.kind in _QUIET else "warning",
                # What became of each notice is said when a sink has taken it.
                "notices queued" if event.kind is EventKind.NOTIFIED else f"incident {event.kind}",
                incident=event.incident,
                sites=event.sites,
                message=event.message,
            )

    def keep(self, sites: Collection[str]) -> None:
        """Forget sites that are not among those configured now."""
        self._unknown.intersection_update(sites)


def _general(message: str) -> str:
    """Return the reason without the hosts it names: of nine sites without a resolver one line is enough."""
    return re.sub(r"\S+\.\S+", "…", message)
