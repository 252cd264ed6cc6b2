"""What `watch` works with, put together from the options and the configuration, again each time that changes."""

from __future__ import annotations

import os
import signal
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from monitors import __version__
from monitors.acceptance.applying import applied
from monitors.acceptance.book import FILE_NAME
from monitors.commands.accepted import entries_of
from monitors.commands.targets import Wiring, find_checks, lacking, refuse_lacking, settings_for, targets_for
from monitors.errors import HarnessError, UsageError
from monitors.memory import Notes, Recollection
from monitors.model import Level
from monitors.notify.delivery import Courier
from monitors.notify.sinks import Around, build
from monitors.report import Report, Skipped
from monitors.report.text import listed
from monitors.statuspage import StatusPages
from monitors.store import StoreDamagedError, StoreReplacedError
from monitors.store.holding import file_held
from monitors.store.outbox import NO_SINK
from monitors.watching.alarm import Alarm
from monitors.watching.asking import Mailbox
from monitors.watching.building import setup_of
from monitors.watching.clock import SystemClock
from monitors.watching.current import Current
from monitors.watching.digesting import DAY, Digests, put_digest
from monitors.watching.files import Changes
from monitors.watching.happenings import Happenings
from monitors.watching.keeper import Keeper, is_available
from monitors.watching.loop import Parts, Watch
from monitors.watching.mending import Mender, became, salvaged
from monitors.watching.metering import Metering
from monitors.watching.systemd import Systemd
from monitors.watching.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from monitors.config import Settings
    from monitors.config.alerting import Retention
    from monitors.incidents.model import Event
    from monitors.model import Finding, Observation
    from monitors.notify.sinks import Sink
    from monitors.probe import Target
    from monitors.store import Store
    from monitors.watching.keeper import Kept
    from monitors.watching.logs import Say
    from monitors.watching.loop import Setup

WHO = "model-lab-monitor watch"
_STEP_S = 0.2
_LAST_WORD_S = 1.0
"""What is being sent gets so much of a moment even where the probes took all the time there was."""
_LEVELS = {"notice delivered": "info", "notice delivered late": "info", "notice given up": "error"}


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
class Bench:
    """The loop and everything around it, as one context; `opened` gives the store of the settings.

    `note` hears what a person who waits for a single pass wants to know; `around` is what sinks get of the world.
    """

    asked: Asked
    say: Say
    status: Callable[[str], None]
    opened: Callable[[Settings], Store]
    note: Callable[[str], None] = lambda _line: None
    around: Around = field(default_factory=Around)
    stack: ExitStack = field(default_factory=ExitStack)
    settings: Settings = field(init=False)
    watch: Watch = field(init=False)
    courier: Courier = field(init=False)
    current: Current = field(init=False)
    _sinks: list[Sink] = field(default_factory=list)
    _next_sinks: list[Sink] = field(default_factory=list)
    _entries: tuple[Any, ...] = ()
    _mock: Any = None
    _digests: Digests = field(default_factory=Digests)
    _happenings: Happenings = field(default_factory=Happenings)

    def __enter__(self) -> Self:
        """Put everything together; raises `UsageError`, and `HeldError` where another instance holds the store."""
        with self.stack:
            self._put_together()
            self.stack = self.stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Take it apart again."""
        self.stack.close()

    def _put_together(self) -> None:
        setup = self.read()
        store, damage = self._opened()
        self.current = Current(store)
        self.stack.callback(self._close)
        self.stack.enter_context(store.hold(WHO))
        clock, metering = SystemClock(), Metering(lambda: self._sinks, self.say)
        self._sinks = self._next_sinks
        pages = StatusPages()
        self.courier = Courier(
            self.current,
            self._sinks,
            known=lambda site: pages.known(site) if self.settings.watch.statuspage else None,
            log=lambda event, **values: self.say(_LEVELS.get(event, "warning"), event, **values),
        )
        keeper = Keeper(self.current, setup.rules, self.accept)
        mender = Mender(self.current, lambda: self.opened(self.settings))
        alarm = Alarm(lambda: self._sinks, self.say)
        vault = Vault(keeper, clock, mender.mend, mender.reopen, alarm, self.say)
        if damage:
            vault.was_damaged(damage)
        parts = Parts(
            store_folder=None if store.database.path is None else store.database.path.parent,
            keeper=keeper,
            vault=vault,
            notes=Notes(keeper),
            delivery=self.courier,
            clock=clock,
            inbox=Mailbox(),
            systemd=Systemd.of(os.environ),
            say=self.say,
            reload=self.read,
            adopt=self.adopt,
            changes=Changes(self.files()),
            upkeep=self.upkeep,
            status=self.status,
            kept=lambda done: self._after(metering, done),
            again=lambda sites, pause_s: self.note(f"looking again at {listed([*sites])} in {pause_s:g} s"),
            about=self._about(store),
            seed=os.getpid(),
        )
        self.watch = Watch(setup, parts)

    def _about(self, store: Store) -> dict[str, object]:
        """Return what a reader of the log wants to know of this monitor first."""
        return {
            "version": __version__,
            "store": store.url_shown,
            "configuration": str(self.settings.path or ""),
            "sinks": [sink.name for sink in self.settings.sinks],
        }

    def _opened(self) -> tuple[Store, str]:
        """Return the store, and what there is to tell of one that was damaged and is mended now."""
        try:
            return self.opened(self.settings), ""
        except StoreDamagedError as error:
            if error.path is None:
                raise
            with file_held(error.path, str(error.path), WHO):
                outcome = salvaged(error.path)
            damage = f"{error.path}: the file was damaged, and is mended: {became(outcome)}"
            self.say("warning", "the store was mended", outcome=damage)
            return self.opened(self.settings), damage

    def _close(self) -> None:
        self.current.store.close()

    # --- the configuration ---

    def read(self) -> Setup:
        """Read the configuration and the accepted findings; nothing is changed before `adopt`. Raises `UsageError`."""
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
        self._next_sinks = [build(sink, self.around) for sink in settings.sinks]
        self._entries, self.settings = entries, settings
        return setup

    def say_lacking(self) -> None:
        """Log which sites are not asked all checks, and what they lack; loudly where the file says where it is."""
        for line in self.settings.warnings:
            self.say("warning", "keys are not set", reason=line)
        left_out: dict[tuple[str, str], list[str]] = {}
        for row in self.skipped():
            left_out.setdefault((row.site, row.reason), []).append(row.check)
        for (site, reason), checks in left_out.items():
            self.say("info", "checks left out", sites=[site], reason=reason, checks=", ".join(checks))

    def adopt(self, setup: Setup) -> None:
        """Take over what was read last."""
        self._sinks = self._next_sinks
        self.courier.replace(self._sinks)
        self.watch.parts.changes.follow(self.files())
        del setup
        self.say_lacking()

    def files(self) -> tuple[Path, ...]:
        """Return the files the configuration was read from."""
        return (*self.settings.files, self.asked.accepted or Path(FILE_NAME))

    def _targets_of(self, settings: Settings) -> Callable[[], Mapping[str, Target]]:
        wiring = self.asked.wiring
        if wiring.mock is not None:
            if self._mock is None:
                from monitors.demo import embedded  # noqa: PLC0415 - a server nobody else needs

                self._mock = self.stack.enter_context(embedded(wiring.mock))
            mock = self._mock
            return lambda: {row.site.key: mock.target(row, settings.timeout_s) for row in settings.sites}
        targets = {target.site.key: target for target in targets_for(self.stack, settings, wiring)}
        return lambda: targets

    def accept(self, findings: Sequence[Finding]) -> Sequence[Finding]:
        """Mark the findings that people have accepted."""
        return applied(findings, self._entries, datetime.now(UTC).date()) if self._entries else findings

    # --- the store ---

    def _put_digest(self) -> None:
        at = datetime.now(UTC)
        skipped = [(row.site, row.check, row.reason) for row in self.skipped()]
        vantage = self.watch.setup.rules.vantage
        with self.current.using() as store:
            put_digest(store, self.settings.sinks, at, vantage, since=at - DAY, skipped=skipped)

    def skipped(self) -> Iterator[Skipped]:
        """Yield the checks that cannot be made, and what they lack."""
        for site, target in self.watch.setup.targets().items():
            for check in self.watch.setup.checks.values():
                if reason := lacking(target, check):
                    yield Skipped(site, check.name, reason)

    def upkeep(self, at: datetime, retention: Retention) -> None:
        """Keep the store small, and a copy of it at hand."""
        with self.current.using() as store:
            store.roll_up()
            given_up = store.abandon_of_nobody(self._names(), at)
            gone = store.retain(at, retention)
            store.backup()
        if given_up:
            self.say("warning", "notices given up", reason=NO_SINK, notices=given_up)
        self.say("debug", "the store is in order", removed=gone.total)

    def _names(self) -> frozenset[str]:
        return frozenset(sink.name for sink in self.settings.sinks)

    def _after(self, metering: Metering, done: Kept) -> None:
        """Do what follows from a batch that is kept: metrics, what the log has of people, a digest if it is time."""
        vantage, at = self.watch.setup.rules.vantage, done.batch.at
        self._say_happened(done)
        metering.offer([(result, is_available(result.findings)) for result in done.batch.results], vantage, at)
        try:
            with self.current.using() as store:
                told = self._digests.put_if_due(store, self.settings.watch, self.settings.sinks, at, vantage)
        except HarnessError as error:
            self.say("error", "a digest could not be put together", reason=str(error))
        else:
            if told:
                self.courier.wake()

    def _say_happened(self, done: Kept) -> None:
        """Log what people did from elsewhere, and which windows of maintenance have begun or are over."""
        for event, values in self._happenings.planned(self.watch.setup.rules.maintenance, done.batch.at):
            self.say("info", event, **values)
        try:
            for event, values in self._happenings.of(done, self._life):
                self.say("info", event, **values)
        except HarnessError as error:
            self.say("warning", "what people did could not be read", reason=str(error))

    def _life(self, incident: int) -> list[Event]:
        with self.current.using() as store:
            return store.events(incident)

    # --- at work ---

    def forever(self) -> None:
        """Work until a signal ends it, then deliver what can be delivered in time."""
        with _signals(self.watch):
            self.say_lacking()
            self.courier.start()
            try:
                self.watch.run()
            finally:
                if not self.courier.stop(max(self.watch.left_s, _LAST_WORD_S)):
                    self.say("warning", "notices were still being sent; they are sent again by the next start")

    def once(self, *, digest: bool) -> list[Kept]:
        """Make one pass, and deliver what it leads to, with a digest of the last day if it is asked for.

        A signal ends it in good order, by `SystemExit`: half a pass says nothing of the sites it did not get to.
        """
        with _signals(self.watch) as asked:
            kept = self.watch.once()
            kept += self._persist(asked)
            if self.watch.parts.vault.trouble is None:
                kept += self._end(digest=digest)
        if asked:
            raise SystemExit(128 + asked[0])
        return kept

    def _persist(self, asked: list[int]) -> list[Kept]:
        """Have what waits for the store kept, as long as a pass may take to end: most locks are short."""
        vault = self.watch.parts.vault
        kept: list[Kept] = []
        deadline = time.monotonic() + self.settings.watch.stop_s
        while vault.trouble is not None and not asked and (now := time.monotonic()) < deadline:
            time.sleep(min(max(vault.next_try_s - now, 0.0), _STEP_S))
            if time.monotonic() >= vault.next_try_s:
                kept += self.watch.retry()
        return kept

    def _end(self, *, digest: bool) -> list[Kept]:
        """Deliver what a pass led to, and put the store in order."""
        kept: list[Kept] = []
        if digest:
            self._put_digest()
        self._deliver()
        try:
            self.upkeep(datetime.now(UTC), self.settings.retention)
        except (StoreDamagedError, StoreReplacedError):
            # Mended and told now: nobody comes by later who could.
            kept = self.watch.retry()
            self._deliver()
        return kept

    def _deliver(self) -> None:
        for row in self.courier.drain(self.settings.watch.stop_s):
            notice = row.notice
            # What waits for a sink that may come back is no failure of this pass.
            known = notice.sink in self._names()
            level, reason = ("error", row.error) if known else ("info", NO_SINK)
            self.say(level, "not delivered yet", sink=notice.sink, incident=notice.incident, reason=reason)


def report_of(bench: Bench, kept: Sequence[Kept], fail_on: Level | None) -> Report:
    """Return what one pass found, each check as it was seen last."""
    latest: dict[tuple[str | None, str | None], tuple[Observation, tuple[Finding, ...]]] = {}
    recalled, failures = Recollection(), list[str]()
    for done in kept:
        for result in done.batch.results:
            seen = result.observation.without_body()
            latest[seen.site, seen.check] = (seen, tuple(bench.accept(result.findings)))
        failures += [
            *done.batch.unremembered,
            *(own.message for own in done.batch.own.values() if own and own.level is Level.BREAKING),
        ]
        recalled = _together(recalled, done)
    if bench.watch.parts.vault.trouble is not None:
        failures.append(bench.watch.parts.vault.trouble.message)
    order = [(site, check) for site, check in bench.watch.setup.intervals_s if (site, check) in latest]
    return Report(
        command="probe",
        version=__version__,
        at=datetime.now(UTC),
        observations=tuple(latest[place][0] for place in order),
        findings=(*(each for place in order for each in latest[place][1]), *bench.accept(recalled.findings)),
        skipped=tuple(bench.skipped()),
        harness_failures=tuple(dict.fromkeys(failures)),
        pending=recalled.pending,
        fail_on=fail_on,
    )


def _together(earlier: Recollection, done: Kept) -> Recollection:
    """Return what the memory told in all rounds: a look at some sites says nothing new of the others."""
    heard = {(note.sighting.site, note.sighting.check) for note in done.batch.notes if note.compared}
    found = done.recalled
    return Recollection(
        (*(each for each in earlier.declared if (each.site, each.check) not in heard), *found.declared),
        earlier.across if found.across is None else found.across,
        (*(entry for entry in earlier.pending if (entry[0].site, entry[0].check) not in heard), *found.pending),
    )


@contextmanager
def _signals(watch: Watch) -> Iterator[list[int]]:
    """End in good order on the first signal that asks for it, at once on the second; read anew on SIGHUP."""
    asked: list[int] = []

    def end(number: int, _frame: object) -> None:
        if asked:
            raise SystemExit(128 + number)
        asked.append(number)
        watch.stop(signal.Signals(number).name)

    wanted: dict[Any, Any] = {signal.SIGTERM: end, signal.SIGINT: end}
    if hasattr(signal, "SIGHUP"):
        wanted[signal.SIGHUP] = lambda _number, _frame: watch.ask_reload()
    before = {number: signal.signal(number, handler) for number, handler in wanted.items()}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        watch.say_asked()
