"""What `watch` works with, put together from the options and the configuration, again each time that changes."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from monitors import __version__
from monitors.commands.watch_settings import Configured
from monitors.errors import HarnessError
from monitors.memory import Notes
from monitors.notify.delivery import Courier
from monitors.notify.sinks import Around
from monitors.report.text import listed
from monitors.statuspage import StatusPages
from monitors.store import StoreDamagedError, StoreReplacedError
from monitors.store.holding import file_held
from monitors.store.outbox import NO_SINK
from monitors.watching.alarm import Alarm
from monitors.watching.asking import Mailbox
from monitors.watching.clock import SystemClock
from monitors.watching.current import Current
from monitors.watching.digesting import DAY, Digests, put_digest
from monitors.watching.files import Changes
from monitors.watching.happenings import Happenings
from monitors.watching.keeper import Keeper, is_available
from monitors.watching.loop import Watch
from monitors.watching.mending import Mender, became, salvaged
from monitors.watching.metering import Metering
from monitors.watching.parts import Parts
from monitors.watching.systemd import Systemd
from monitors.watching.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from monitors.commands.watch_settings import Asked
    from monitors.config import Settings
    from monitors.config.alerting import Retention
    from monitors.incidents.model import Event, Notice
    from monitors.store import Store
    from monitors.watching.keeper import Kept
    from monitors.watching.logs import Say
    from monitors.watching.parts import Setup

WHO = "model-lab-monitor watch"
_LAST_WORD_S = 1.0
"""What is being sent gets so much of a moment even where the probes took all the time there was."""
_LEVELS = {"notice delivered": "info", "notice delivered late": "info", "notice given up": "error"}


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
    configured: Configured = field(init=False)
    watch: Watch = field(init=False)
    courier: Courier = field(init=False)
    current: Current = field(init=False)
    failures: list[str] = field(default_factory=list)
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

    @property
    def settings(self) -> Settings:
        """The settings as they were read last."""
        return self.configured.settings

    def _put_together(self) -> None:
        configured = self.configured = self.stack.enter_context(Configured(self.asked, self.around))
        setup = configured.read()
        store, damage = self._opened()
        self.current = Current(store)
        self.stack.callback(self._close)
        self.stack.enter_context(store.hold(WHO))
        clock, metering = SystemClock(), Metering(lambda: configured.sinks, self.say)
        pages = StatusPages()
        self.courier = Courier(
            self.current,
            configured.sinks,
            known=lambda site: pages.known(site) if self.settings.watch.statuspage else None,
            log=lambda event, **values: self.say(_LEVELS.get(event, "warning"), event, **values),
        )
        keeper = Keeper(self.current, setup.rules, configured.accept)
        mender = Mender(self.current, lambda: self.opened(self.settings))
        alarm = Alarm(lambda: configured.sinks, self.say, self._taken)
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
            reload=configured.read,
            adopt=self.adopt,
            changes=Changes(configured.files()),
            upkeep=self.upkeep,
            status=self.status,
            kept=lambda done: self._after(metering, done),
            again=lambda sites, pause_s: self.note(f"looking again at {listed([*sites])} in {pause_s:g} s"),
            about=self._about(store),
            seed=os.getpid(),
        )
        self.watch = Watch(setup, parts)

    def _taken(self, notice: Notice) -> None:
        self.current.note_delivered(notice.key, notice.sink, datetime.now(UTC))

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

    def adopt(self, setup: Setup) -> None:
        """Have the others go by the configuration that was read last."""
        del setup
        self.courier.replace(self.configured.sinks)
        self.watch.parts.changes.follow(self.configured.files())
        self.configured.say_lacking(self.say)

    # --- the store ---

    def _put_digest(self) -> None:
        at = datetime.now(UTC)
        skipped = [(row.site, row.check, row.reason) for row in self.configured.skipped()]
        vantage = self.watch.setup.rules.vantage
        with self.current.using() as store:
            put_digest(store, self.settings.sinks, at, vantage, since=at - DAY, skipped=skipped)

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
        measured = [(result, is_available(result.findings)) for result in done.batch.results]
        metering.offer(measured, vantage, at, done.book)
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
            self.configured.say_lacking(self.say)
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
            if self.watch.parts.vault.trouble is None:
                kept += self._end(digest=digest)
        if asked:
            raise SystemExit(128 + asked[0])
        return kept

    def _end(self, *, digest: bool) -> list[Kept]:
        """Deliver what a pass led to, and put the store in order; what fails of that is no reason to report nothing."""
        kept: list[Kept] = []
        if digest:
            with self._failing("a digest could not be put together"):
                self._put_digest()
        with self._failing("notices could not be delivered"):
            self._deliver()
        with self._failing("the store could not be kept in order"):
            try:
                self.upkeep(datetime.now(UTC), self.settings.retention)
            except (StoreDamagedError, StoreReplacedError):
                # Mended and told now: nobody comes by later who could.
                kept = self.watch.retry()
                self._deliver()
        return kept

    @contextmanager
    def _failing(self, what: str) -> Iterator[None]:
        """Note what failed, for the log and for the report."""
        try:
            yield
        except HarnessError as error:
            self.failures.append(f"{what}: {error}")
            self.say("error", what, reason=str(error))

    def _deliver(self) -> None:
        for row in self.courier.drain(self.settings.watch.stop_s):
            notice = row.notice
            # What waits for a sink that may come back is no failure of this pass.
            known = notice.sink in self._names()
            level, reason = ("error", row.error) if known else ("info", NO_SINK)
            self.say(level, "not delivered yet", sink=notice.sink, incident=notice.incident, reason=reason)


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
