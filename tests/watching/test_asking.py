"""Sites are asked at once, and each by itself; what comes of it arrives in the inbox."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from monitors.checks import CHECKS
from monitors.config import Credentials, SiteSettings
from monitors.cycle import HarnessFailure, Prober, Result
from monitors.probe import Target, target_for
from monitors.sites import SITES
from monitors.transport import Exchange, ResolverError
from monitors.watching.asking import Asking, Done, Held, Made, Mailbox, Woken
from monitors.watching.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

ALL = tuple(CHECKS.values())


@dataclass
class Wire:
    """Stands in for the way to a site: plays a script, and counts what is under way."""

    script: Callable[[str], Exchange] = lambda _path: Exchange(status=200)
    base_url: str = "https://site.test"
    now: int = 0
    most: int = 0
    paths: list[str] = field(default_factory=list)

    def exchange(self, _method: str, path: str, _headers: Any, _sealed: Any) -> Exchange:
        self.now += 1
        self.most = max(self.most, self.now)
        self.paths.append(path.rpartition("/")[2])
        try:
            return self.script(path)
        finally:
            self.now -= 1


def target(wire: Wire, key: str = "US5", *, keys: bool = True) -> Target:
    credentials = Credentials("one", "two") if keys else None
    return Target(SITES[key], wire.base_url, credentials, 42, wire)  # type: ignore[arg-type]


def asking(budget_per_minute: int = 100) -> Asking:
    return Asking(Prober(lambda _: []), Mailbox(), SystemClock(), budget_per_minute, 0.5)


def come(asked: Asking, sites: int = 1, held: list[Held] | None = None) -> list[Made]:
    """Return what was made, until as many sites are done; what was not goes to `held`."""
    made = []
    while sites:
        happening = asked.inbox.get(10)
        assert happening is not None
        if isinstance(happening, Made):
            made.append(happening)
        elif isinstance(happening, Held) and held is not None:
            held.append(happening)
        elif isinstance(happening, Done):
            asked.in_flight.pop(happening.site)
            sites -= 1
    return made


def test_a_site_is_asked_one_check_after_the_other() -> None:
    wire, asked = Wire(), asking()
    assert asked.start({"US5": target(wire)}, {"US5": ALL}) == []
    made = come(asked)
    assert [entry.check.name for entry in made] == list(CHECKS)
    assert all(isinstance(entry.outcome, Result) for entry in made)
    assert wire.paths == ["42", str(2**63 - 1), "not-an-integer", "1"]
    assert wire.most == 1


def test_a_site_that_is_still_being_asked_is_left_alone_and_named() -> None:
    let_go = threading.Event()

    def hang(_path: str) -> Exchange:
        let_go.wait(10)
        return Exchange(status=200)

    slow, quick, asked = Wire(hang), Wire(), asking()
    targets = {"US1": target(slow, "US1"), "US5": target(quick, "US5")}
    assert asked.start(targets, {"US1": ALL[:1], "US5": ALL[:1]}) == []
    [first] = come(asked)
    assert first.target.site.key == "US5"
    assert asked.start(targets, {"US1": ALL[:1], "US5": ALL[:1]}) == ["US1"]
    come(asked)
    let_go.set()
    [late] = come(asked)
    assert late.target.site.key == "US1"
    assert slow.most == 1
    assert asked.in_flight == {}


def test_what_the_budget_does_not_allow_is_held_with_the_reason() -> None:
    wire, asked, held = Wire(), asking(budget_per_minute=2), list[Held]()
    asked.start({"US5": target(wire)}, {"US5": ALL})
    assert [entry.check.name for entry in come(asked, held=held)] == ["run", "not-found"]
    assert [(each.site, each.check) for each in held] == [("US5", "bad-request"), ("US5", "unauthenticated")]
    assert {each.refusal.reason for each in held} == {"no more than 2 requests a minute"}
    assert len(wire.paths) == 2
    now_s = asked.clock.monotonic()
    assert asked.refusal("US5", ALL[3], now_s) is not None
    assert asked.refusal("US5", ALL[3], now_s + 60) is None


def test_after_a_429_only_what_needs_no_keys_is_asked_for() -> None:
    wire, asked, held = Wire(lambda _: Exchange(status=429)), asking(), list[Held]()
    asked.start({"US5": target(wire)}, {"US5": ALL})
    assert [entry.check.name for entry in come(asked, held=held)] == ["run", "unauthenticated"]
    assert [each.check for each in held] == ["not-found", "bad-request"]
    asked.start({"US5": target(wire)}, {"US5": ALL[:1]})
    assert come(asked, held=held) == [], "the budget of a site outlives the round"
    assert [each.check for each in held] == ["not-found", "bad-request", "run"]
    assert held[-1].refusal.until_s == asked.held_until_s("US5")


def test_the_budget_of_one_site_is_not_that_of_another() -> None:
    asked = asking(budget_per_minute=1)
    asked.start({"US1": target(Wire(), "US1"), "US5": target(Wire())}, {"US1": ALL[:1], "US5": ALL[:1]})
    assert all(isinstance(entry.outcome, Result) for entry in come(asked, 2))


def test_other_bounds_hold_for_sites_that_were_asked_already() -> None:
    wire, asked = Wire(), asking(budget_per_minute=1)
    asked.start({"US5": target(wire)}, {"US5": ALL[:1]})
    come(asked)
    asked.rebudget(2, 0.5)
    asked.start({"US5": target(wire), "US1": target(wire, "US1")}, {"US5": ALL[:2], "US1": ALL[:3]})
    kinds = [(entry.target.site.key, type(entry.outcome)) for entry in come(asked, 2)]
    assert kinds.count(("US5", Result)) == 1
    assert kinds.count(("US1", Result)) == 2


def test_a_check_without_keys_costs_no_request() -> None:
    wire, asked = Wire(), asking(budget_per_minute=1)
    asked.start({"US5": target(wire, keys=False)}, {"US5": ALL})
    outcomes = [entry.outcome for entry in come(asked)]
    assert [getattr(outcome, "reason", "") for outcome in outcomes] == ["no keys for US5"] * 3 + [""]


def test_whatever_goes_wrong_is_an_outcome() -> None:
    def script(path: str) -> Exchange:
        if path.endswith("/42"):
            host = "site.test"
            raise ResolverError(host, "try again")
        raise ZeroDivisionError

    asked = asking()
    asked.start({"US5": target(Wire(script))}, {"US5": ALL[:2]})
    first, second = (entry.outcome for entry in come(asked))
    assert isinstance(first, ResolverError)
    assert second == HarnessFailure("US5", "not-found", "a bug of the harness: ZeroDivisionError: ")


def test_a_thread_that_does_not_start_is_the_harness_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_self: threading.Thread) -> None:
        message = "can't start new thread"
        raise RuntimeError(message)

    asked = asking()
    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert asked.start({"US5": target(Wire())}, {"US5": ALL[:2]}) == []
    message = "this machine cannot start a thread: can't start new thread"
    assert [entry.outcome for entry in come(asked)] == [
        HarnessFailure("US5", "run", message),
        HarnessFailure("US5", "not-found", message),
    ]
    assert asked.in_flight == {}


def test_once_stopped_nothing_more_is_sent_and_what_is_under_way_is_kept() -> None:
    asked = asking()

    def stop(_path: str) -> Exchange:
        asked.stop()
        return Exchange(status=200)

    wire = Wire(stop)
    asked.start({"US5": target(wire)}, {"US5": ALL})
    assert [entry.check.name for entry in come(asked)] == ["run"]
    assert len(wire.paths) == 1


def test_a_mailbox_waits_as_long_as_it_is_told_and_is_woken_from_anywhere() -> None:
    box = Mailbox()
    assert box.get(-1) is None
    assert box.get(0) is None
    threading.Timer(0.01, box.put, (Woken(),)).start()
    assert box.get(10) == Woken()


def test_targets_are_real_ones_too() -> None:
    settings = SiteSettings(SITES["US5"], None, None)
    made = target_for(settings, base_url="http://127.0.0.1:1", environ={}, timeout_s=1)
    asked = asking()
    asked.start({"US5": made}, {"US5": [CHECKS["unauthenticated"]]})
    [entry] = come(asked)
    assert isinstance(entry.outcome, Result)
    assert entry.outcome.observation.failure is not None
    assert entry.outcome.observation.failure.rule == "connection-refused"
