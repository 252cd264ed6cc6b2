"""What the loop works with: what the configuration comes to, and the parts it hands things to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from monitors.watching import health

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from monitors.checks import Check
    from monitors.config.alerting import Retention, WatchSettings
    from monitors.cycle import Judge
    from monitors.memory import Notes
    from monitors.model import Finding
    from monitors.probe import Target
    from monitors.watching.asking import Inbox
    from monitors.watching.clock import Clock
    from monitors.watching.files import Changes
    from monitors.watching.keeper import Keeper, Kept, Rules
    from monitors.watching.logs import Say
    from monitors.watching.schedule import Task
    from monitors.watching.systemd import Systemd
    from monitors.watching.vault import Vault


class Delivery(Protocol):
    """What the loop needs of whoever delivers notices."""

    def wake(self) -> None:
        """Say that there is something to deliver."""

    def failing(self) -> Sequence[tuple[str, datetime, str]]:
        """Return the sinks that fail: name, since when, and what went wrong last."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What the configuration comes to. `targets` gives them anew each time, as mock sites may move.

    `intervals_s` are those of every site and check that can be made, `too_often` lines on sites of which more is asked
    than their budget has room for.
    """

    targets: Callable[[], Mapping[str, Target]]
    checks: Mapping[str, Check]
    intervals_s: Mapping[Task, float]
    rules: Rules
    watch: WatchSettings
    retention: Retention
    judge: Judge
    too_often: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Parts:
    """What the loop works with; `reload` gives the configuration anew or raises `UsageError`.

    `adopt` is called with a configuration that was taken over, `upkeep` now and then with the time and the retention,
    `kept` with each batch that was kept; `status` hears a line on how things are, `again` which sites a single pass
    looks at once more, and in how many seconds. `about` is what the first line of the log says beside what is watched.
    """

    store_folder: Any
    keeper: Keeper
    vault: Vault
    notes: Notes
    delivery: Delivery
    clock: Clock
    inbox: Inbox
    systemd: Systemd
    say: Say
    reload: Callable[[], Setup]
    adopt: Callable[[Setup], None]
    changes: Changes
    upkeep: Callable[[datetime, Retention], None]
    status: Callable[[str], None]
    kept: Callable[[Kept], None]
    again: Callable[[Sequence[str], float], None] = lambda _sites, _pause_s: None
    about: Mapping[str, object] = field(default_factory=dict)
    dial: health.Dial = health.dial
    seed: int = 0


class Judging:
    """A judge that can be exchanged while threads use it."""

    def __init__(self, judge: Judge) -> None:
        """Begin with one."""
        self.judge = judge

    def __call__(self, observation: Any) -> Sequence[Finding]:
        """Judge an observation as the one in force does."""
        return self.judge(observation)
