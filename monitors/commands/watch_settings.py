"""What `watch` is asked for and what that comes to, read again each time the configuration changes."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from monitors.acceptance.applying import applied
from monitors.acceptance.book import FILE_NAME
from monitors.commands.accepted import entries_of
from monitors.commands.targets import Wiring, find_checks, lacking, refuse_lacking, settings_for, targets_for
from monitors.errors import UsageError
from monitors.model import Skipped
from monitors.notify.sinks import Around, build
from monitors.report.notes import gathered
from monitors.watching.building import setup_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from monitors.config import Settings
    from monitors.model import Finding
    from monitors.notify.sinks import Sink
    from monitors.probe import Target
    from monitors.watching.logs import Say
    from monitors.watching.parts import Setup

_OR_FILES = "; or name files that hold them, in variables of the same names with _FILE at the end"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asks for, each time the configuration is read."""

    sites: tuple[str, ...]
    checks: tuple[str, ...]
    config: Path | None
    run_ids: tuple[str, ...]
    timeout_s: float | None
    interval_s: float | None
    accepted: Path | None
    wiring: Wiring

    def settings(self) -> Settings:
        """Return the settings as they are now; raises `UsageError`."""
        return settings_for(self.sites, self.config, self.run_ids, self.timeout_s, self.wiring, alerting=True)


@dataclass(slots=True)
class Configured:
    """The configuration as it was read last, whole; a context, as the clients of the sites are. `read` comes first.

    `around` is what sinks get of the world.
    """

    asked: Asked
    around: Around = field(default_factory=Around)
    settings: Settings = field(init=False)
    setup: Setup = field(init=False)
    sinks: list[Sink] = field(default_factory=list)
    _entries: tuple[Any, ...] = ()
    _mock: Any = None
    _stack: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close every client, and the mock sites."""
        self._stack.close()

    def read(self) -> Setup:
        """Read the configuration and the accepted findings anew; raises `UsageError`, and then all is as it was."""
        settings = self.asked.settings()
        entries = entries_of(self.asked.accepted)
        checks = find_checks(self.asked.checks)
        targets = self._targets_of(settings)
        if self.asked.sites and self.asked.checks:
            refuse_lacking(list(targets().values()), checks)
        setup = setup_of(settings, checks, targets, interval_s=self.asked.interval_s)
        if not setup.intervals_s:
            message = "there is nothing to watch: none of the checks can be made without keys and run ids; see `sites`"
            raise UsageError(message)
        self.sinks = [build(sink, self.around) for sink in settings.sinks]
        self._entries, self.settings, self.setup = entries, settings, setup
        return setup

    def _targets_of(self, settings: Settings) -> Callable[[], Mapping[str, Target]]:
        wiring = self.asked.wiring
        if wiring.mock is not None:
            if self._mock is None:
                from monitors.demo import embedded  # noqa: PLC0415 - a server nobody else needs

                self._mock = self._stack.enter_context(embedded(wiring.mock))
            mock = self._mock
            return lambda: {row.site.key: mock.target(row, settings.timeout_s) for row in settings.sites}
        targets = {target.site.key: target for target in targets_for(self._stack, settings, wiring)}
        return lambda: targets

    def files(self) -> tuple[Path, ...]:
        """Return the files the configuration was read from."""
        return (*self.settings.files, self.asked.accepted or Path(FILE_NAME))

    def accept(self, findings: Sequence[Finding]) -> Sequence[Finding]:
        """Mark the findings that people have accepted."""
        return applied(findings, self._entries, datetime.now(UTC).date()) if self._entries else findings

    def skipped(self) -> Iterator[Skipped]:
        """Yield the checks that cannot be made, and what they lack."""
        for site, target in self.setup.targets().items():
            for check in self.setup.checks.values():
                if reason := lacking(target, check):
                    yield Skipped(site, check.name, reason)

    def say_lacking(self, say: Say) -> None:
        """Log which sites are not asked all checks, and what they lack; loudly where the file says where it is."""
        for line in self.settings.warnings:
            say("warning", "keys are not set", reason=line)
        for checks, sites, reason in gathered(self.skipped()):
            also = _OR_FILES if reason.startswith("no keys") else ""
            say("info", "checks left out", sites=sites, reason=reason + also, checks=checks)
