"""The loop over a store on the disk, with simulated clocks and sites that are played."""

from __future__ import annotations

import json
import threading
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from monitors.checks import CHECKS
from monitors.config import Credentials
from monitors.config.alerting import Retention, SinkSettings, Thresholds, WatchSettings
from monitors.errors import HarnessError, UsageError
from monitors.incidents import people
from monitors.memory import Notes
from monitors.model import Finding, Kind, Level, Observation, Phase, Phases, TransportFailure
from monitors.probe import Target
from monitors.sites import SITES
from monitors.store import Filter, StoreBusyError
from monitors.transport import Exchange, ResolverError
from monitors.watching.asking import Mailbox
from monitors.watching.current import Current
from monitors.watching.files import Changes
from monitors.watching.keeper import Keeper, Kept, Rules
from monitors.watching.loop import Watch
from monitors.watching.parts import Parts, Setup
from monitors.watching.systemd import Systemd
from monitors.watching.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from conftest import Log

    from monitors.store import Store
    from monitors.watching.clock import SimulatedClock

BODY = b'{"data": {"id": "42", "attributes": {"status": "completed", "duration": 7}}}'
OK = Exchange(status=200, body=BODY, address="192.0.2.1", phases=Phases(resolve_s=0.0))
GONE = replace(OK, status=503, body=b"")
REFUSED = Exchange(failure=TransportFailure("connection-refused", Phase.CONNECT, "refused"))


def judge(seen: Observation) -> list[Finding]:
    if seen.failure is None and seen.status == 200:
        return []
    rule = seen.failure.rule if seen.failure is not None else "server-error"
    return [Finding(rule, Level.BREAKING, Kind.AVAILABILITY, rule, site=seen.site, check=seen.check)]


@dataclass
class Site:
    """A site as it is played: what it answers, or that it hangs until it is let go."""

    answer: Exchange | Callable[[], Exchange] = field(default_factory=lambda: OK)
    base_url: str = "https://site.test"
    asked: Counter[str] = field(default_factory=Counter)
    hanging: bool = False
    hangs: bool = False
    let_go: threading.Event = field(default_factory=threading.Event)

    def release(self) -> None:
        self.hangs = self.hanging = False
        self.let_go.set()

    def exchange(self, _method: str, path: str, _headers: Any, _sealed: Any) -> Exchange:
        self.asked[path.rpartition("/")[2]] += 1
        if self.hangs:
            self.hanging = True
            self.let_go.wait(60)
        return self.answer() if callable(self.answer) else self.answer


class Inbox(Mailbox):
    """Waits in real time for what is under way and does not hang, and for nothing else."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world

    def get(self, timeout_s: float) -> Any:
        found = super().get(0.0)
        while found is None and timeout_s > 0 and self.world.is_busy():
            found = super().get(0.005)
        if found is None and timeout_s > 0:
            self.world.clock.advance(timeout_s)
        return found


@dataclass
class Delivery:
    """Counts how often it is woken; fails as it is told."""

    woken: int = 0
    fails: list[tuple[str, datetime, str]] = field(default_factory=list)

    def wake(self) -> None:
        self.woken += 1

    def failing(self) -> list[tuple[str, datetime, str]]:
        return self.fails


class Socket(Systemd):
    """A service manager that listens in this process."""

    told: list[str]
    statuses: list[str]

    def _say(self, *lines: str) -> None:
        self.told.append(lines[0])
        self.statuses.extend(line for line in lines if line.startswith("STATUS="))


class World:
    """The monitor with everything around it."""

    def __init__(self, clock: SimulatedClock, log: Log, store: Store, folder: Path) -> None:
        self.clock, self.log, self.store = clock, log, store
        self.sites = {key: Site() for key in ("US1", "US5")}
        self.intervals = {(key, "run"): 60.0 for key in self.sites}
        self.settings = WatchSettings(jitter_s=0, connectivity=(), confirm_pause_s=0, budget_per_minute=1000)
        thresholds = Thresholds(failure_threshold=2, failure_window=3, success_threshold=2, confirm_count=1)
        self.rules = Rules(thresholds, sinks=(SinkSettings("team", "stdout"), SinkSettings("mail", "stdout")))
        self.config = folder / "monitor.toml"
        self.mistake = ""
        self.delivery, self.inbox = Delivery(), Inbox(self)
        self.kept: list[Kept] = []
        self.status: list[str] = []
        self.again: list[tuple[list[str], float]] = []
        self.adopted: list[Setup] = []
        self.upkeeps: list[datetime] = []
        self.watchdog_s = 0.0
        self.dial: Callable[..., None] = lambda *_: None

    def setup(self) -> Setup:
        rules = replace(self.rules, watched=frozenset(self.intervals))
        return Setup(self.targets, CHECKS, self.intervals, rules, self.settings, Retention(), judge)

    def targets(self) -> dict[str, Target]:
        keys = Credentials("one", "two")
        return {
            key: Target(SITES[key], site.base_url, keys, 42, site)  # type: ignore[arg-type]
            for key, site in self.sites.items()
        }

    def reload(self) -> Setup:
        if self.mistake:
            raise UsageError(self.mistake)
        return self.setup()

    def upkeep(self, at: datetime, _retention: Retention) -> None:
        self.upkeeps.append(at)

    def dialled(self, *arguments: Any) -> None:
        self.dial(*arguments)

    def start(self) -> Watch:
        setup = self.setup()
        self.current = Current(self.store)
        keeper = Keeper(self.current, setup.rules, lambda findings: findings)
        self.systemd = Socket("/run/notify", self.watchdog_s)
        object.__setattr__(self.systemd, "told", [])
        object.__setattr__(self.systemd, "statuses", [])
        parts = Parts(
            store_folder=None,
            keeper=keeper,
            vault=Vault(keeper, self.clock, lambda: "", lambda: "", lambda _: None, self.log),
            notes=Notes(keeper),
            delivery=self.delivery,
            clock=self.clock,
            inbox=self.inbox,
            systemd=self.systemd,
            say=self.log,
            reload=self.reload,
            adopt=self.adopted.append,
            changes=Changes((self.config,)),
            upkeep=self.upkeep,
            status=self.status.append,
            kept=self.kept.append,
            again=lambda sites, pause_s: self.again.append(([*sites], pause_s)),
            about={"version": "1.2.3"},
            dial=self.dialled,
        )
        self.watch = Watch(setup, parts)
        return self.watch

    def is_busy(self) -> bool:
        return any(not self.sites[key].hanging for key in self.watch._asking.in_flight)

    def run(self, seconds: float) -> None:
        until = self.clock.seconds + seconds
        while self.clock.seconds < until:
            self.watch.step()

    def probes(self) -> Counter[str | None]:
        return Counter(result.observation.site for kept in self.kept for result in kept.batch.results)

    def notices(self, sink: str = "team") -> list[str]:
        return [str(each.kind) for kept in self.kept for each in kept.notices if each.sink == sink]

    def open(self) -> list[str]:
        return sorted(each.problem for each in self.store.book().incidents.values() if each.resolved is None)

    def person(self, change: Callable[..., Any], *arguments: Any, **options: Any) -> None:
        """Do what a person does from another process."""
        with self.store.writing() as tx:
            book = tx.book()
            done = change(book, *arguments, **options)
            decision = done[0] if isinstance(done, tuple) else done
            tx.put_book(book, decision.book, decision.events)


@pytest.fixture
def world(clock: SimulatedClock, log: Log, store: Store, tmp_path: Path) -> Iterator[World]:
    from datetime import UTC, datetime  # noqa: PLC0415 - probes bear the time of this machine

    clock.at = datetime.now(UTC)
    made = World(clock, log, store, tmp_path)
    yield made
    for site in made.sites.values():
        site.let_go.set()


# --- asking and keeping ---


def test_every_site_is_asked_on_its_own_interval(world: World) -> None:
    world.intervals = {("US1", "run"): 60, ("US5", "run"): 20, ("US5", "unauthenticated"): 300}
    world.start()
    world.run(600)
    assert world.sites["US1"].asked == {"42": 10}
    assert world.sites["US5"].asked == {"42": 30, "1": 2}
    assert world.log.of("still being asked, this round is left out") == []


def test_a_round_is_one_transaction(world: World) -> None:
    world.start()
    world.run(170)
    assert [len(kept.batch.results) for kept in world.kept] == [2, 2, 2]


def test_a_site_that_hangs_holds_up_no_other(world: World) -> None:
    slow = world.sites["US5"]
    slow.hangs = True
    world.start()
    world.run(170)
    assert world.probes() == {"US1": 3}
    assert slow.asked == {"42": 1}, "one request in flight, whatever is due"
    said = world.log.of("still being asked, this round is left out")
    assert said == [{"site": "US5"}] * 2
    slow.release()
    world.run(60)
    assert world.probes() == {"US1": 4, "US5": 2}
    assert [len(kept.batch.results) for kept in world.kept][-1] == 2


def test_another_check_that_falls_due_meanwhile_is_made_as_soon_as_the_site_is_free(world: World) -> None:
    slow = world.sites["US5"]
    slow.hangs = True
    world.intervals = {("US5", "run"): 3600.0, ("US1", "run"): 60.0}
    world.start()
    world.run(30)
    world.intervals = {**world.intervals, ("US5", "not-found"): 3600.0, ("US5", "bad-request"): 3600.0}
    world.watch.ask_reload()
    world.run(30)
    assert slow.asked == {"42": 1}
    world.intervals.pop(("US5", "bad-request"))
    world.watch.ask_reload()
    world.run(30)
    assert world.log.of("still being asked, this round is left out") == []
    slow.release()
    world.run(10)
    assert slow.asked == {"42": 1, str(2**63 - 1): 1}


def test_an_outage_opens_and_ends_and_whoever_delivers_is_woken(world: World) -> None:
    world.start()
    world.run(1)
    world.sites["US5"].answer = GONE
    world.run(120)
    assert (world.open(), world.notices()) == (["outage"], ["opened"])
    assert world.status[-1] == "2 sites, 1 open incident"
    world.sites["US5"].answer = OK
    world.run(120)
    assert (world.open(), world.notices()) == ([], ["opened", "resolved"])
    assert world.delivery.woken == 2
    assert [values["incident"] for values in world.log.of("incident resolved")] == [1]
    assert {level for level, event, _ in world.log.lines if event == "incident opened"} == {"warning"}
    assert {level for level, event, _ in world.log.lines if event == "incident resolved"} == {"info"}
    assert world.status[-1] == "2 sites, no open incident"


def test_what_is_skipped_and_what_is_not_known_are_logged(world: World) -> None:
    def broken() -> Exchange:
        raise ZeroDivisionError

    world.settings = replace(world.settings, budget_per_minute=1)
    world.intervals = {("US5", "run"): 60, ("US5", "not-found"): 60, ("US1", "run"): 60}
    world.sites["US1"].answer = broken
    world.start()
    world.run(30)
    assert world.log.of("held back") == [
        {"site": "US5", "reason": "no more than 1 request a minute", "for_s": 60},
    ]
    assert world.log.of("not known")[0]["reason"] == "a bug of the harness: ZeroDivisionError: "
    assert world.open() == ["monitor-probe-failed"]
    assert world.log.of("probed")[0]["rule"] is None


def test_while_this_machine_is_offline_it_says_so_once_and_judges_nothing(world: World) -> None:
    world.settings = replace(world.settings, connectivity=("one:443",))
    world.start()
    world.run(1)

    def refuse(*_: object) -> None:
        raise ConnectionRefusedError

    world.dial = refuse
    for site in world.sites.values():
        site.answer = REFUSED
    world.run(600)
    assert (world.open(), world.notices()) == (["monitor-offline"], ["opened"])
    aside = [(level, values) for level, event, values in world.log.lines if event.startswith("not judged")]
    assert aside[0] == ("warning", {"probes": 2})
    assert len(aside) > 3
    assert {level for level, _ in aside[1:]} == {"debug"}
    assert world.log.of("judged again") == []
    for site in world.sites.values():
        site.answer = OK
    world.run(60)
    assert (world.open(), world.notices()) == ([], ["opened", "resolved"])
    assert world.log.of("judged again") == [{}]


def test_without_a_resolver_it_says_once_that_nothing_is_known_and_once_that_it_is_over(world: World) -> None:
    def lost() -> Exchange:
        host = "api.example.org"
        raise ResolverError(host, "try again")

    world.intervals = {**world.intervals, ("US5", "not-found"): 400.0}
    world.start()
    world.run(30)
    for site in world.sites.values():
        site.answer = lost
    world.run(600)
    said = [(level, values) for level, event, values in world.log.lines if event == "not known"]
    begun = [values for level, values in said if level == "error"]
    assert [(sorted(values["sites"]), values["probes"]) for values in begun] == [(["US1", "US5"], 2)]  # type: ignore[call-overload]
    assert "try again" in str(begun[0]["reason"])
    assert len([values for level, values in said if level == "debug"]) >= 20
    assert world.log.of("known again") == []
    for site in world.sites.values():
        site.answer = OK
    world.run(60)
    assert world.log.of("known again") == [{}]
    world.sites["US1"].answer = lambda: 1 / 0  # type: ignore[assignment, return-value]
    world.run(120)
    assert len([level for level, event, _ in world.log.lines if (level, event) == ("error", "not known")]) == 2
    world.intervals = {("US5", "run"): 60.0}
    world.watch.ask_reload()
    world.run(60)
    assert world.log.of("known again") == [{}, {}]


@pytest.mark.parametrize("hours", [1, -1, 8])
def test_a_clock_that_jumps_opens_nothing_and_asks_nobody_twice(hours: int, world: World) -> None:
    world.start()
    world.run(150)
    before = world.sites["US5"].asked["42"]
    world.clock.at += timedelta(hours=hours)
    world.run(1)
    assert world.sites["US5"].asked["42"] == before
    world.run(300)
    assert world.sites["US5"].asked["42"] == before + 5
    assert world.open() == []
    assert world.log.of("the clock of this machine jumped, or it slept") == [{"by": f"{hours * 3600:+.1f} s"}]


def test_after_a_sleep_in_which_seconds_pass_each_task_is_due_once(world: World) -> None:
    world.start()
    world.run(150)
    before = world.sites["US5"].asked["42"]
    world.clock.advance(8 * 3600)
    world.run(1)
    assert world.sites["US5"].asked["42"] == before + 1


def test_what_failed_while_the_machine_slept_does_not_count(world: World) -> None:
    slow = world.sites["US5"]
    world.start()
    world.run(1)
    slow.hangs, slow.answer = True, REFUSED
    world.run(61)
    world.clock.at += timedelta(hours=8)
    world.run(10)
    slow.answer = OK
    slow.release()
    world.run(120)
    assert world.store.book().tracks == {}


# --- budgets ---


def test_nothing_that_waits_for_room_is_starved_or_comes_in_a_burst(world: World) -> None:
    world.settings = replace(world.settings, budget_per_minute=12)
    world.intervals = {("US5", "run"): 1.0, ("US5", "bad-request"): 35.0}
    world.start()
    world.run(600)
    asked = world.sites["US5"].asked
    assert 100 <= asked.total() <= 132
    assert asked["not-an-integer"] >= 10, "each minute once at least"
    held, over = world.log.of("held back"), world.log.of("no longer held back")
    assert 1 <= len(held) <= 12, "not for each probe"
    assert len(held) - len(over) in {0, 1}


def test_a_site_that_throttles_is_left_alone_and_told_once_when_that_begins_and_once_when_it_ends(world: World) -> None:
    headers = (("x-ratelimit-reset", "1000"),)
    world.intervals = {("US5", "run"): 60.0, ("US5", "unauthenticated"): 300.0, ("US1", "run"): 60.0}
    world.sites["US5"].answer = replace(OK, status=429, headers=headers)
    world.start()
    world.run(10)
    world.sites["US5"].answer = OK
    world.run(890)
    assert world.sites["US5"].asked == {"42": 1, "1": 3}
    assert world.log.of("held back") == [
        {"site": "US5", "reason": "the site throttles: it answered 429", "for_s": 940},
    ]
    assert world.watch._standing.held == 1
    world.run(105)
    assert world.sites["US5"].asked == {"42": 2, "1": 4}, "once, whatever fell due meanwhile"
    assert world.log.of("no longer held back") == [{"site": "US5"}]
    assert world.watch._standing.held == 0
    world.run(60)
    assert world.sites["US5"].asked["42"] == 3
    assert len(world.log.of("held back")) == 1


def test_a_site_that_goes_on_throttling_is_told_of_once(world: World) -> None:
    world.sites["US5"].answer = replace(OK, status=429, headers=(("x-ratelimit-reset", "150"),))
    world.start()
    world.run(1200)
    assert 7 <= world.sites["US5"].asked["42"] <= 8
    assert len(world.log.of("held back")) == 1
    assert world.log.of("no longer held back") == []


def test_what_waits_for_room_and_is_not_configured_any_more_is_not_made(world: World) -> None:
    world.settings = replace(world.settings, budget_per_minute=1)
    world.intervals = {("US5", "run"): 3600.0, ("US5", "not-found"): 3600.0}
    world.start()
    world.run(10)
    world.intervals = {("US5", "run"): 3600.0}
    world.watch.ask_reload()
    world.run(120)
    assert world.sites["US5"].asked == {"42": 1}


def test_what_is_asked_too_often_is_told_at_the_start_and_with_each_configuration(world: World) -> None:
    setup = replace(world.setup(), too_often=("US5: too much",))
    watch = world.start()
    watch.setup = setup
    watch.parts = replace(watch.parts, reload=lambda: setup)
    watch.stop()
    watch.run()
    said = {"reason": "US5: too much"}
    assert world.log.of("more is asked for than the budget lets through") == [said]
    watch.ask_reload()
    watch.step()
    assert world.log.of("more is asked for than the budget lets through") == [said, said]


# --- ticks ---


def rare(world: World, **thresholds: Any) -> None:
    """Let the sites be asked once a day, and down since two rounds."""
    world.intervals = {(key, "run"): 86_400.0 for key in world.sites}
    world.rules = replace(world.rules, thresholds=Thresholds(1, 1, 1, **thresholds))
    world.sites["US5"].answer = GONE
    world.start()
    world.run(1)
    assert world.notices() == ["opened"]


def test_reminders_come_although_nothing_is_asked(world: World) -> None:
    rare(world, reminder_s=3600)
    world.run(3500)
    assert world.notices() == ["opened"]
    world.run(200)
    assert world.notices() == ["opened", "reminder"]
    assert world.sites["US5"].asked["42"] == 1


def test_what_is_open_when_a_silence_ends_is_told_although_nothing_is_asked(world: World) -> None:
    world.rules = replace(world.rules, sinks=())
    rare_sinks = (SinkSettings("team", "stdout"),)
    world.intervals = {("US5", "run"): 86_400.0}
    world.rules = replace(world.rules, thresholds=Thresholds(1, 1, 1))
    world.sites["US5"].answer = GONE
    world.start()
    world.run(1)
    until = world.clock.at + timedelta(minutes=30)
    world.person(people.silence, until=until, reason="known", by="ada", at=world.clock.at, incident=1)
    world.rules = replace(world.rules, sinks=rare_sinks)
    world.watch.ask_reload()
    world.run(29 * 60)
    assert world.notices() == []
    world.run(3 * 60)
    assert world.notices() == ["opened"]


def test_a_person_who_takes_an_incident_on_is_heard_within_a_minute(world: World) -> None:
    rare(world)
    world.person(people.acknowledge, 1, by="ada", reason="on it", at=world.clock.at)
    world.run(70)
    assert world.notices() == ["opened", "acknowledged"]


def test_while_rounds_come_often_there_are_no_ticks_between_them(world: World) -> None:
    world.start()
    world.run(1200)
    assert all(kept.batch.results for kept in world.kept)


# --- the configuration ---


def test_a_file_that_changed_is_read_anew(world: World) -> None:
    world.start()
    world.run(70)
    world.sites["EU1"] = Site()
    world.intervals = {(key, "run"): 30.0 for key in world.sites}
    world.config.write_text("changed", "utf-8")
    world.run(10)
    assert world.sites["EU1"].asked == {"42": 1}
    assert [setup.intervals_s for setup in world.adopted] == [world.intervals]
    assert world.log.of("configuration taken over") == [{"sites": 3, "tasks": 3}]
    world.run(100)
    assert world.sites["US5"].asked["42"] > 3
    assert world.systemd.told == ["RELOADING=1", "READY=1"]


def test_a_hangup_has_it_read_anew_although_nothing_changed(world: World) -> None:
    world.start()
    world.run(1)
    world.watch.ask_reload()
    world.run(1)
    assert len(world.adopted) == 1


def test_a_site_that_is_no_longer_configured_ends_its_incident_after_a_week(world: World) -> None:
    world.sites["US5"].answer = GONE
    world.start()
    world.run(70)
    world.intervals = {("US1", "run"): 60.0}
    world.watch.ask_reload()
    world.run(70)
    assert world.notices() == ["opened"]
    world.clock.advance(7 * 86_400)
    world.run(70)
    assert world.notices() == ["opened", "resolved"]
    assert world.store.incident(1).why_resolved == "no longer watched"  # type: ignore[union-attr]


def test_a_configuration_with_mistakes_is_refused_and_told_until_it_is_mended(world: World) -> None:
    world.start()
    world.run(1)
    world.mistake = "2 mistakes in the configuration:\n  monitor.toml:1: unknown key 'wtach'\n  monitor.toml:2: no use"
    world.config.write_text("wrong", "utf-8")
    world.run(60)
    assert (world.adopted, world.open(), world.notices()) == ([], ["monitor-config-refused"], ["opened"])
    [incident] = world.store.book().incidents.values()
    on_one_line = "2 mistakes in the configuration: monitor.toml:1: unknown key 'wtach'; monitor.toml:2: no use"
    assert incident.finding.message == on_one_line
    said = world.log.of("the configuration is refused; the one before stays in force")
    assert said == [{"reason": on_one_line}]
    assert world.sites["US5"].asked["42"] == 2
    world.mistake = ""
    world.config.write_text("right", "utf-8")
    world.run(70)
    assert (world.open(), world.notices()) == ([], ["opened", "resolved"])


def test_another_judge_judges_from_then_on(world: World) -> None:
    world.start()
    world.run(1)
    finding = Finding("response-body-empty", Level.WARNING, Kind.CONTRACT, "empty")
    setup = replace(world.setup(), judge=lambda seen: [replace(finding, site=seen.site, check=seen.check)])
    world.watch.parts = replace(world.watch.parts, reload=lambda: setup)
    world.watch.ask_reload()
    world.run(70)
    assert world.kept[-1].batch.results[0].findings[0].rule == "response-body-empty"


# --- its own troubles ---


def test_a_sink_that_fails_for_long_is_told_through_the_others(world: World) -> None:
    world.start()
    world.run(1)
    world.delivery.fails = [("mail", world.clock.at, "answered 500")]
    world.run(world.settings.sink_failing_after_s - 120)
    assert world.open() == []
    world.run(180)
    assert world.open() == ["monitor-sink-failing:mail"]
    assert (world.notices("team"), world.notices("mail")) == (["opened"], [])
    world.delivery.fails = []
    world.run(60)
    assert (world.open(), world.notices("team")) == ([], ["opened", "resolved"])


class Locked:
    """A store that others have locked, for as long as it is said."""

    def __init__(self, store: Store) -> None:
        self.store, self.locked = store, True

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    def writing(self) -> Any:
        if self.locked:
            message = "the store is locked"
            raise StoreBusyError(message)
        return self.store.writing()


def test_while_the_store_takes_nothing_it_goes_on_and_nothing_is_lost(world: World) -> None:
    world.start()
    world.run(1)
    locked = Locked(world.store)
    world.current.store = locked  # type: ignore[assignment]
    world.sites["US5"].answer = GONE
    world.run(300)
    assert world.sites["US5"].asked["42"] == 6
    assert world.log.of("the store takes nothing") == [{"reason": "the store is locked"}]
    assert world.watch._status() == "2 sites, no open incident; the store takes nothing"
    assert world.notices() == []
    locked.locked = False
    world.run(60)
    assert world.notices()[:2] == ["opened", "opened"]
    assert world.open() == ["outage"]
    assert world.probes()["US5"] in {6, 7}


def test_upkeep_is_made_each_hour_and_may_fail(world: World) -> None:
    world.start()
    world.run(3 * 3600 - 60)
    world.watch._upkeep.join(10)
    assert len(world.upkeeps) == 3

    def fail(_at: datetime, _retention: Retention) -> None:
        message = "disk full"
        raise HarnessError(message)

    world.watch.parts = replace(world.watch.parts, upkeep=fail)
    world.run(3600)
    world.watch._upkeep.join(10)
    assert world.log.of("the store could not be kept in order") == [{"reason": "disk full"}]


def test_a_machine_without_a_thread_to_spare_is_told_and_goes_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_self: threading.Thread) -> None:
        message = "can't start new thread"
        raise RuntimeError(message)

    world.settings = replace(world.settings, connectivity=("one:443",))
    world.start()
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        world.run(30)
        assert world.open() == ["monitor-probe-failed"]
        assert world.upkeeps == []
    world.run(130)
    assert world.open() == []


def test_systemd_shows_how_things_are_as_they_change(world: World) -> None:
    world.start()
    world.run(65)
    assert world.systemd.told == []
    world.sites["US5"].answer = GONE
    world.run(130)
    assert world.systemd.told == ["STATUS=2 sites, 1 open incident"]
    world.mistake = "a mistake"
    world.watch.ask_reload()
    world.run(5)
    assert world.watch._status() == "2 sites, 2 open incidents; the configuration is refused"
    assert world.systemd.told[-1] == "STATUS=2 sites, 2 open incidents; the configuration is refused"


def test_what_is_open_is_known_when_it_is_ready_and_what_the_store_does_not_say_is_left_out(world: World) -> None:
    world.sites["US5"].answer = GONE
    world.start()
    world.run(130)
    again = world.start()
    again.stop()
    again.run()
    assert world.systemd.statuses[0] == "STATUS=2 sites, 1 open incident"
    third = world.start()
    world.current.store = Silent(world.store)  # type: ignore[assignment]
    third.stop()
    third.run()
    assert world.systemd.statuses[0] == "STATUS=2 sites"


class Silent:
    """A store that does not even say what it holds."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    def book(self) -> Any:
        message = "the store is away"
        raise StoreBusyError(message)


def test_the_line_says_what_was_probed_and_what_is_next(world: World) -> None:
    world.start()
    world.run(65)
    world.clock.advance(5)
    line = world.watch.line(120)
    assert line.startswith("2 sites, no open incident; 4 probes, last answer ")
    assert "next in " in line


def test_the_watchdog_is_kept_quiet(world: World) -> None:
    world.watchdog_s = 30
    world.intervals = {}
    world.start()
    world.run(300)
    assert 30 <= world.systemd.told.count("WATCHDOG=1") <= 32


# --- the end ---


def test_stopping_finishes_what_is_under_way_and_writes_what_was_seen(world: World) -> None:
    slow = world.sites["US5"]
    world.start()
    world.run(130)
    slow.hangs = True
    world.run(60)
    assert slow.hanging
    world.watch.stop()
    slow.release()
    world.watch.run()
    assert world.systemd.told == ["READY=1", "STOPPING=1"]
    assert world.probes()["US5"] == world.sites["US5"].asked["42"]
    assert [event for _, event, _ in world.log.lines][-1] == "stopped"
    held = world.watch.parts.keeper._memory
    assert held is not None
    assert held.memory == world.store.memory()


def test_stopping_lets_upkeep_end_before_the_store_is_closed(world: World) -> None:
    begun, let_go, ended = threading.Event(), threading.Event(), threading.Event()

    def upkeep(_at: datetime, _retention: Retention) -> None:
        begun.set()
        let_go.wait(10)
        ended.set()

    watch = world.start()
    watch.parts = replace(watch.parts, upkeep=upkeep)
    world.run(1)
    assert begun.wait(10)
    watch.stop()
    threading.Timer(0.1, let_go.set).start()
    watch.run()
    assert ended.is_set()


def test_stopping_waits_no_longer_than_it_may(world: World) -> None:
    world.sites["US5"].hangs = True
    world.start()
    world.run(10)
    before = world.clock.seconds
    world.watch.stop()
    world.watch.run()
    assert world.clock.seconds - before <= world.settings.stop_s + 1
    assert world.probes() == {"US1": 1}


def test_a_store_that_takes_nothing_at_the_end_is_told(world: World) -> None:
    world.start()
    world.run(70)
    world.current.store = Locked(world.store)  # type: ignore[assignment]
    world.watch.stop()
    world.watch.run()
    assert world.log.of("what was seen last could not be written") == [{"reason": "the store is locked"}]


def test_running_goes_on_until_it_is_stopped(world: World) -> None:
    watch = world.start()
    rounds = []

    def kept(done: Kept) -> None:
        rounds.append(done)
        if len(rounds) == 3:
            watch.stop()

    watch.parts = replace(watch.parts, kept=kept)
    watch.run()
    assert len(rounds) == 3
    assert world.log.lines[0] == ("info", "watching", {"sites": 2, "tasks": 2, "version": "1.2.3"})


def test_the_signal_that_asked_is_told_once_and_before_the_end(world: World) -> None:
    watch = world.start()
    watch.stop("SIGTERM")
    watch.stop("SIGINT")
    watch.run()
    watch.say_asked()
    assert [(event, values) for _, event, values in world.log.lines[1:]] == [
        ("asked to stop", {"signal": "SIGTERM"}), ("stopped", {}),
    ]  # fmt: skip


# --- once ---


def test_once_makes_each_check_once_where_all_is_well(world: World) -> None:
    kept = world.start().once()
    assert [len(done.batch.results) for done in kept] == [2]
    assert world.sites["US1"].asked == {"42": 1}


def test_once_looks_again_until_an_outage_is_believed(world: World) -> None:
    world.sites["US5"].answer = GONE
    kept = world.start().once()
    asked = [sorted(str(result.observation.site) for result in done.batch.results) for done in kept]
    assert asked == [["US1", "US5"], ["US5"]]
    assert (world.open(), world.notices()) == (["outage"], ["opened"])
    assert sorted((row.again, row.site) for row in world.store.probes(Filter())) == [
        (False, "US1"), (False, "US5"), (True, "US5"),
    ]  # fmt: skip


def test_once_says_where_it_looks_again_if_that_takes_a_while(world: World) -> None:
    world.sites["US5"].answer = GONE
    world.settings = replace(world.settings, confirm_pause_s=0.001)
    world.start().once()
    assert world.again == [(["US5"], 0.001)]
    world.settings = replace(world.settings, confirm_pause_s=0)
    world.start().once()
    assert len(world.again) == 1


def test_once_looks_again_until_an_end_is_believed(world: World) -> None:
    world.sites["US5"].answer = GONE
    world.start().once()
    world.sites["US5"].answer = OK
    world.start().once()
    assert (world.open(), world.notices()) == ([], ["opened", "resolved"])
    assert sum(world.sites["US5"].asked.values()) == 4


def test_once_looks_again_until_drift_is_confirmed(world: World) -> None:
    world.start().once()
    moved = json.loads(BODY)
    moved["data"]["attributes"]["duration"] = 8
    world.sites["US5"].answer = replace(OK, body=json.dumps(moved).encode())
    kept = world.start().once()
    assert len(kept) == 2
    assert [str(event.kind) for event in kept[-1].events] == ["opened", "notified"]


def test_once_gives_up_looking_at_what_is_never_believed(world: World) -> None:
    answers = iter([GONE, OK, OK] * 30)
    world.rules = replace(world.rules, thresholds=Thresholds(30, 60, 2))
    world.sites["US5"].answer = lambda: next(answers)
    assert len(world.start().once()) <= 13


def test_once_does_not_look_again_at_what_there_is_no_room_for(world: World) -> None:
    world.sites["US5"].answer = replace(OK, status=429, headers=(("x-ratelimit-reset", "3000"),))
    world.settings = replace(world.settings, confirm_pause_s=0.001)
    kept = world.start().once()
    assert len(kept) == 1
    assert world.again == []
    assert world.sites["US5"].asked == {"42": 1}


def test_once_has_what_the_budget_refuses_in_its_log_and_makes_the_rest(world: World) -> None:
    world.intervals = {("US5", check): 60.0 for check in ("run", "not-found", "bad-request")}
    world.settings = replace(world.settings, budget_per_minute=2)
    world.start().once()
    assert world.sites["US5"].asked.total() == 2
    assert [(values["check"], values["reason"]) for values in world.log.of("not asked")] == [
        ("bad-request", "no more than 2 requests a minute"),
    ]


def test_once_looks_again_although_the_store_took_the_first_batch_late(world: World) -> None:
    world.sites["US5"].answer = GONE
    watch = world.start()
    locked = Locked(world.store)
    world.current.store = locked  # type: ignore[assignment]
    until_s = world.clock.seconds + 4
    get = world.inbox.get

    def later(timeout_s: float) -> Any:
        locked.locked = world.clock.seconds < until_s
        return get(timeout_s)

    world.inbox.get = later  # type: ignore[method-assign]
    kept = watch.once()
    assert [len(done.batch.results) for done in kept if done.batch.results] == [2, 1]
    assert world.open() == ["outage"]


def test_once_waits_for_a_store_no_longer_than_its_end_may_take(world: World) -> None:
    world.sites["US5"].answer = GONE
    world.start()
    world.current.store = Locked(world.store)  # type: ignore[assignment]
    before = world.clock.seconds
    assert world.watch.once() == []
    assert world.clock.seconds - before <= world.settings.stop_s + 2


def test_once_ends_where_it_is_stopped_and_asks_no_more(world: World) -> None:
    world.intervals = {("US5", "run"): 60.0, ("US5", "not-found"): 60.0}
    watch, site = world.start(), world.sites["US5"]

    def stop() -> Exchange:
        watch.stop()
        site.let_go.wait(10)
        return OK

    site.answer = stop
    assert [done.batch.results for done in watch.once()] == [()]
    site.release()
    for thread in threading.enumerate():
        if thread.name == "probe-US5":
            thread.join(10)
    assert site.asked == {"42": 1}


def test_once_without_a_store_that_takes_anything_ends(world: World) -> None:
    world.start()
    world.current.store = Locked(world.store)  # type: ignore[assignment]
    assert world.watch.once() == []
    assert world.log.of("the store takes nothing") != []
