"""The loop: asks what is due, keeps what came, minds itself, and stops when it is told to."""

from __future__ import annotations

import math
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from monitors.config import in_a_line
from monitors.cycle import Prober, Result
from monitors.errors import MonitorError, UsageError
from monitors.model import Skipped
from monitors.watching import health
from monitors.watching.asking import MAX_KEPT_BYTES, Asking, Done, Held, Made, Woken
from monitors.watching.batching import Batcher
from monitors.watching.clock import Jumps
from monitors.watching.dues import Dues
from monitors.watching.keeper import Batch
from monitors.watching.looking import unsure
from monitors.watching.parts import Judging
from monitors.watching.schedule import Schedule, Task
from monitors.watching.standing import Standing
from monitors.watching.telling import Telling
from monitors.watching.upkeep import Upkeep

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from monitors.incidents.model import Book
    from monitors.model import Finding
    from monitors.watching.asking import Happening
    from monitors.watching.keeper import Kept
    from monitors.watching.parts import Parts, Setup

_SETTLE_S = 2.0
_LOOK_S = 2.5
_TICK_S = 60.0
_LONGEST_WAIT_S = 60.0
# A signal that comes at the very moment a wait begins is heard when it ends.
_HEAR_S = 1.0
_MAX_LOOKS = 12
_ON_AGAIN = "the configuration is refused; the one before stays in force"


class Watch:
    """The scheduled monitor at work. `no_room` has the checks that a single pass could not make, and why."""

    def __init__(self, setup: Setup, parts: Parts) -> None:
        """Get ready; nothing is asked yet."""
        self.setup, self.parts = setup, parts
        clock = parts.clock
        self._judge = Judging(setup.judge)
        prober = Prober(parts.notes.judging(self._judge), kept_bytes=MAX_KEPT_BYTES)
        watch = setup.watch
        self._asking = Asking(prober, parts.inbox, clock, watch.budget_per_minute, watch.budget_reserve)
        self._batcher = Batcher(prober, parts.notes, clock, watch, parts.store_folder, parts.dial)
        now_s = clock.monotonic()
        self._schedule = Schedule(setup.intervals_s, now_s, jitter_s=watch.jitter_s, seed=parts.seed)
        self._jumps = Jumps(clock)
        self._made: list[Made] = []
        self._dues = Dues(self._asking, parts.say)
        self._settle_s = self._looked_s = self._alive_s = -math.inf
        self._kept_s = now_s
        self._deadline_s = self._persist_until_s = math.inf
        self._upkeep = Upkeep(self._keep_up, now_s, parts.say)
        self._refused: Finding | None = None
        self._reload_asked = threading.Event()
        self._stopping = threading.Event()
        self._signal = ""
        self._telling = Telling(parts.say)
        self._standing = Standing(clock)
        self._shown = ""
        self.no_room: dict[Task, str] = {}

    # --- from outside ---

    def stop(self, signal: str = "") -> None:
        """End the loop soon, because of a signal if one is named; safe in a signal handler."""
        self._signal = self._signal or signal
        self._deadline_s = min(self._deadline_s, self.parts.clock.monotonic() + self.setup.watch.stop_s)
        self._stopping.set()
        self.parts.inbox.put(Woken())

    @property
    def left_s(self) -> float:
        """How many seconds of the deadline are left, once the end was asked for."""
        return max(min(self._deadline_s - self.parts.clock.monotonic(), self.setup.watch.stop_s), 0.0)

    def line(self, width: int) -> str:
        """Return how things are, as long as there is room for; from any thread."""
        return self._standing.line(width)

    def say_asked(self) -> None:
        """Log which signal asked for the end, if one did: once, and not in its handler, where a lock may be held."""
        asked, self._signal = self._signal, ""
        if asked:
            self.parts.say("info", "asked to stop", signal=asked)

    def ask_reload(self) -> None:
        """Read the configuration anew soon; safe in a signal handler."""
        self._reload_asked.set()
        self.parts.inbox.put(Woken())

    # --- at work ---

    def run(self) -> None:
        """Work until `stop`; then finish what is under way, within the deadline of the configuration."""
        sites, tasks = self.setup.rules.sites, len(self.setup.intervals_s)
        self.parts.say("info", "watching", sites=sites, tasks=tasks, **self.parts.about)
        self._say_too_often()
        self._shown = self._status(self._first_book())
        self.parts.systemd.ready(self._shown)
        try:
            while not self._stopping.is_set():
                self.step()
        finally:
            self._finish()

    def _first_book(self) -> Book | None:
        """Return the book as it was left, None where the store does not answer: it is tried with the first batch."""
        try:
            return self.parts.keeper.store.book()
        except MonitorError:
            return None

    def once(self) -> list[Kept]:
        """Make every check now, and look again where something has to be seen more than once to be believed."""
        look = self._round(list(self.setup.intervals_s))
        kept = [*look]
        for _ in range(_MAX_LOOKS):
            again = self._unsure(look)
            if not again or self._stopping.is_set():
                break
            if pause_s := self.setup.watch.confirm_pause_s:
                self.parts.again([*dict.fromkeys(site for site, _ in again)], pause_s)
            self._stopping.wait(pause_s)
            look = self._round(again, again=True)
            kept += look
        self.say_asked()
        self._flush()
        return kept

    def retry(self) -> list[Kept]:
        """Try to keep what waits for the store, now."""
        kept = self.parts.vault.retry()
        self._tell(kept)
        return kept

    def step(self) -> None:
        """Do what is to be done now, then wait for what comes next."""
        now_s = self.parts.clock.monotonic()
        self._mind_jumps()
        self._mind_configuration(now_s)
        self._dues.add(self._schedule.due(now_s), now_s)
        self._dues.start(self.setup.targets, self.setup.checks, now_s)
        self._settle(now_s)
        self._tick(now_s)
        self._upkeep.start_if_due(now_s)
        self._say_alive(now_s)
        self._take(self.parts.inbox.get(self._pause_s(self.parts.clock.monotonic())))

    def _take(self, happening: Happening | None) -> None:
        while happening is not None:
            if isinstance(happening, Made):
                self._note(happening)
                if not self._made:
                    self._settle_s = self.parts.clock.monotonic() + _SETTLE_S
                self._made.append(happening)
            elif isinstance(happening, Held):
                self._dues.put_back(happening)
            elif isinstance(happening, Done):
                self._asking.in_flight.pop(happening.site, None)
            happening = self.parts.inbox.get(0.0)

    def _note(self, made: Made) -> None:
        self._standing.probes += not isinstance(made.outcome, Skipped)
        if isinstance(made.outcome, Result) and health.answered(made.outcome.observation):
            self._standing.answered_s = self.parts.clock.monotonic()

    def _pause_s(self, now_s: float) -> float:
        """Return how long there is nothing to do, seconds."""
        self._standing.held = len(self._dues.held)
        self._standing.next_s = min(self._schedule.next_s(), self._dues.next_s)
        moments = [
            self._standing.next_s,
            self._looked_s + _LOOK_S,
            self.parts.vault.next_try_s,
        ]
        if self._is_quiet(now_s):
            moments.append(self._kept_s + _TICK_S)
        if self._made:
            moments.append(self._settle_s if self._asking.in_flight else now_s)
        if self.parts.systemd.watchdog_s:
            moments.append(self._alive_s + self.parts.systemd.watchdog_s / 3)
        return min(max(min(moments) - now_s, 0.0), _LONGEST_WAIT_S)

    # --- a single pass ---

    def _round(self, tasks: Sequence[Task], *, again: bool = False) -> list[Kept]:
        """Ask, wait for all of it, keep it."""
        now_s = self.parts.clock.monotonic()
        self._dues.add(tasks, now_s)
        self._dues.start(self.setup.targets, self.setup.checks, now_s)
        while self._asking.in_flight and not self._stopping.is_set():
            self._mind_jumps()
            self._take(self.parts.inbox.get(_HEAR_S))
        if self._stopping.is_set():
            self._asking.stop()
        batch = replace(self._batcher.batch(self._drawn()), again=again)
        self._batcher.skipped += self._dues.drop()
        self.no_room.update({(each.site, each.check): each.reason for each in self._batcher.skipped})
        return [*self._keep(batch), *self._persist()]

    def _persist(self) -> list[Kept]:
        """Have what waits for the store kept, as long as a pass may take to end: most locks are short."""
        vault = self.parts.vault
        kept: list[Kept] = []
        while vault.trouble is not None and not self._stopping.is_set():
            now_s = self.parts.clock.monotonic()
            self._persist_until_s = min(self._persist_until_s, now_s + self.setup.watch.stop_s)
            if now_s >= self._persist_until_s:
                break
            wait_s = min(vault.next_try_s, self._persist_until_s) - now_s
            self._take(self.parts.inbox.get(min(max(wait_s, 0.0), _HEAR_S)))
            if self.parts.clock.monotonic() >= vault.next_try_s:
                kept += self.retry()
        return kept

    def _unsure(self, look: Sequence[Kept]) -> list[Task]:
        """Return what has to be seen again; what there will be no room for is not waited for."""
        again = unsure(look)
        then_s = self.parts.clock.monotonic() + self.setup.watch.confirm_pause_s
        return [
            (site, name)
            for site, name in self.setup.intervals_s
            if (site, name) in again and self._asking.refusal(site, self.setup.checks[name], then_s) is None
        ]

    def _drawn(self) -> list[Made]:
        made, self._made = self._made, []
        return made

    # --- keeping ---

    def _settle(self, now_s: float) -> None:
        """Keep the round once all of it is there; a site that hangs is waited for in the next one."""
        if self._made and (not self._asking.in_flight or now_s >= self._settle_s):
            self._keep(self._batcher.batch(self._drawn()))
        elif now_s >= self.parts.vault.next_try_s:
            self.retry()

    def _keep(self, batch: Batch) -> list[Kept]:
        self._kept_s = self.parts.clock.monotonic()
        self._telling.left_out(self._batcher, batch)
        batch.own.update(self._own_extras(batch.at))  # type: ignore[attr-defined]  # a dict, as `Batcher` makes it
        kept = self.parts.vault.offer(batch)
        self._tell(kept)
        return kept

    def _own_extras(self, at: datetime) -> dict[str, Finding | None]:
        """Return how the configuration and the sinks are."""
        book, failing = self.parts.vault.book, self.parts.delivery.failing()
        sinks = health.sinks_trouble(failing, at, self.setup.watch.sink_failing_after_s)
        known = [key.problem for key in book.tracks if key.problem.startswith(f"{health.SINK}:")] if book else []
        return {health.CONFIG: self._refused, **dict.fromkeys(known), **sinks}

    def _tell(self, kept: Sequence[Kept]) -> None:
        """Log what was kept, and have its notices delivered."""
        for done in kept:
            self.parts.kept(done)
            self._telling.kept(done)
        if any(done.notices for done in kept):
            self.parts.delivery.wake()
        self._show(heard=bool(kept))

    def _tick(self, now_s: float) -> None:
        """Look at the book now and then when nothing is asked: silences end, reminders fall due, sinks fail."""
        if now_s - self._kept_s >= _TICK_S and self._is_quiet(now_s):
            self._batcher.skipped, self._batcher.failures, self._batcher.unjudged = [], [], 0
            self._keep(Batch(self.parts.clock.now(), own={}))

    def _is_quiet(self, now_s: float) -> bool:
        """Tell whether nothing is under way nor about to be: else the next round does what a tick would."""
        return not self._made and not self._asking.in_flight and self._schedule.next_s() - now_s >= _TICK_S / 4

    # --- minding itself ---

    def _mind_jumps(self) -> None:
        ahead = self._jumps.since_last()
        if ahead:
            self._batcher.jumped()
            self.parts.say("warning", "the clock of this machine jumped, or it slept", by=_signed(ahead))

    def _mind_configuration(self, now_s: float) -> None:
        asked = self._reload_asked.is_set()
        if not asked and now_s - self._looked_s < _LOOK_S:
            return
        self._looked_s = now_s
        if not self.parts.changes.seen() and not asked:
            return
        self._reload_asked.clear()
        self.parts.systemd.reloading()
        try:
            setup = self.parts.reload()
        except UsageError as error:
            self._refused = health.own(health.CONFIG, in_a_line(str(error)), self.parts.clock.now())
            self.parts.say("error", _ON_AGAIN, reason=in_a_line(str(error)))
        else:
            self._adopt(setup, now_s)
        self._shown = self._status()
        self.parts.systemd.ready(self._shown)
        self._kept_s = -math.inf

    def _adopt(self, setup: Setup, now_s: float) -> None:
        self.setup, self._refused = setup, None
        self._judge.judge = setup.judge
        self._schedule.update(setup.intervals_s, now_s)
        self._dues.keep(setup.intervals_s)
        self._telling.keep({site for site, _ in setup.intervals_s})
        self._asking.rebudget(setup.watch.budget_per_minute, setup.watch.budget_reserve)
        self._batcher.settings = setup.watch
        self.parts.keeper.rules = setup.rules
        self.parts.adopt(setup)
        self.parts.say("info", "configuration taken over", sites=setup.rules.sites, tasks=len(setup.intervals_s))
        self._say_too_often()

    def _say_too_often(self) -> None:
        for line in self.setup.too_often:
            self.parts.say("warning", "more is asked for than the budget lets through", reason=line)

    def _say_alive(self, now_s: float) -> None:
        if self.parts.systemd.watchdog_s and now_s - self._alive_s >= self.parts.systemd.watchdog_s / 3:
            self._alive_s = now_s
            self.parts.systemd.alive(self._status())

    def _show(self, *, heard: bool) -> None:
        """Show how things are: a terminal with each batch that was heard of, systemd where it is news."""
        line = self._status()
        if heard or line != self._shown:
            self.parts.status(line)
        if self._shown and line != self._shown:
            self.parts.systemd.shows(line)
        self._shown = line

    def _status(self, book: Book | None = None) -> str:
        """Return how things are in a line that stays the same as long as nothing happens; `book` where none is kept."""
        refused = ["the configuration is refused"] if self._refused is not None else []
        trouble = ["the store takes nothing"] if self.parts.vault.trouble is not None else []
        self._standing.troubles = (*refused, *trouble)
        self._standing.take(self.setup.rules, self.parts.vault.book or book, self.parts.clock.now())
        return self._standing.status()

    def _finish(self) -> None:
        """Stop asking, wait for what is under way as long as the deadline allows, keep it."""
        self.say_asked()
        self.parts.systemd.stopping()
        self._asking.stop()
        while self._asking.in_flight and (left_s := self.left_s) > 0:
            self._take(self.parts.inbox.get(min(left_s, _HEAR_S)))
        if self._made:
            self._keep(self._batcher.batch(self._drawn()))
        self._tell(self.parts.vault.last_try())
        self._flush()
        # The store is closed next, and whoever still works on it would fall over that.
        self._upkeep.join(self.left_s)
        self.parts.say("info", "stopped")

    def _keep_up(self) -> None:
        self.parts.upkeep(self.parts.clock.now(), self.setup.retention)

    def _flush(self) -> None:
        try:
            self.parts.keeper.flush(self.parts.clock.now())
        except MonitorError as error:
            self.parts.say("error", "what was seen last could not be written", reason=str(error))


def _signed(span: timedelta) -> str:
    seconds = span.total_seconds()
    return f"{seconds:+.1f} s"
