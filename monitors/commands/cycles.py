"""One judged cycle, made into a report."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from monitors import __version__
from monitors.checks import CHECKS
from monitors.commands.targets import lacking
from monitors.contract import judge
from monitors.cycle import HarnessFailure, run_cycle
from monitors.memory.folding import Recollection
from monitors.model import Skipped
from monitors.reconciling import reconcile
from monitors.report import Report

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from monitors.checks import Check
    from monitors.contract import Policy
    from monitors.cycle import Judge, Outcome
    from monitors.memory import Session
    from monitors.model import Level
    from monitors.probe import Target


def probe_all(
    targets: Sequence[Target],
    checks: Sequence[Check],
    *,
    policy: Policy,
    fail_on: Level | None,
    on_step: Callable[[str], None],
    session: Session | None = None,
) -> Report:
    """Probe all targets at once and return what was found; `on_step` hears a word on each check as it ends.

    A session remembers the answers and adds the drift they show against earlier ones and other sites.
    """
    judging: Judge = partial(judge, policy=policy)
    if session is not None:
        judging = session.judging(judging)
    outcome = run_cycle(targets, checks, judging, lambda step: on_step(_word(step)))
    observations = [result.observation for result in outcome.results]
    judged = reconcile(observations, [result.findings for result in outcome.results])
    recalled = Recollection() if session is None else session.conclude()
    return Report(
        command="probe",
        version=__version__,
        at=datetime.now(UTC),
        observations=tuple(observations),
        findings=(*(finding for found in judged for finding in found), *recalled.findings),
        skipped=tuple(_skipped(entry, targets) for entry in outcome.skipped),
        harness_failures=(*_lines(outcome.harness_failures), *recalled.failures),
        pending=recalled.pending,
        fail_on=fail_on,
    )


def _skipped(entry: Skipped, targets: Sequence[Target]) -> Skipped:
    target = next(target for target in targets if target.site.key == entry.site)
    return Skipped(entry.site, entry.check, lacking(target, CHECKS[entry.check]) or entry.reason)


def _word(step: Outcome) -> str:
    if isinstance(step, HarnessFailure | Skipped):
        return f"{step.site} {step.check}"
    return f"{step.observation.site} {step.observation.check}"


def _lines(failures: Sequence[HarnessFailure]) -> tuple[str, ...]:
    """Return each of the harness's failures once, with the probes it cost."""
    lost: dict[str, list[str]] = {}
    for failure in failures:
        lost.setdefault(failure.message, []).append(f"{failure.site} {failure.check}")
    return tuple(f"{message} (not known: {', '.join(probes)})" for message, probes in lost.items())
