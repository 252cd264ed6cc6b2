"""From the configuration to what the loop works with."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from monitors.checks import RUN_PATH
from monitors.contract import Policy, judge
from monitors.memory.patience import Patience
from monitors.watching.keeper import Rules
from monitors.watching.pacing import paced
from monitors.watching.parts import Setup

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from monitors.checks import Check
    from monitors.config import Settings
    from monitors.probe import Target
    from monitors.watching.schedule import Task


def setup_of(
    settings: Settings,
    checks: Sequence[Check],
    targets: Callable[[], Mapping[str, Target]],
    *,
    interval_s: float | None,
) -> Setup:
    """Return what settings come to; `interval_s` takes the place of every interval that is configured, if given.

    Whatever is asked for, no site is to be asked more than its budget has room for.
    """
    reached = targets()
    tasks = list(_tasks(reached, checks))
    watch = settings.watch
    intervals_s, too_often = paced(
        {task: interval_s or watch.interval_s(*task) for task in tasks}, watch.budget_per_minute
    )
    return Setup(
        targets=targets,
        checks={check.name: check for check in checks},
        intervals_s=intervals_s,
        rules=Rules(
            thresholds=settings.thresholds,
            patience=Patience(settings.confirm_count, settings.confirm_window_s, settings.compare_after),
            sinks=settings.sinks,
            maintenance=settings.maintenance,
            # Those without keys as well: keys that went missing say nothing of what is open there.
            watched=frozenset((site, check.name) for site in reached for check in checks),
            urls=dict(_urls(reached, checks)),
            vantage=watch.seen_from,
        ),
        watch=watch,
        retention=settings.retention,
        judge=partial(judge, policy=Policy(settings.availability, settings.certificate_warning_days)),
        too_often=tuple(too_often),
    )


def _tasks(targets: Mapping[str, Target], checks: Sequence[Check]) -> Iterator[Task]:
    """Yield the checks that can be made: without keys a site gets the one that needs none."""
    for site, target in targets.items():
        for check in checks:
            if target.lacks(check) is None:
                yield site, check.name


def _urls(targets: Mapping[str, Target], checks: Sequence[Check]) -> Iterator[tuple[Task, str]]:
    """Yield what each check asks for, by the site's own name whatever stands in for it."""
    for site, target in targets.items():
        for check in checks:
            run_id = check.run_id or target.run_id
            if run_id is not None:
                yield (site, check.name), f"https://{target.site.api_host}{RUN_PATH.format(run_id=run_id)}"
