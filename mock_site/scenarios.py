"""What a site is like over time: a table of scenarios, each a function of the seconds since it was set.

A scenario is written `NAME` or `NAME:ARGUMENT`, e.g. `outage`, `slow:0.5`, `drifted:nulled@$.data.attributes.status`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mock_site.drifts import DriftAt, parse_drift
from mock_site.mistakes import MockUsageError, seconds, unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

MAX_DELAY_S = 60.0
_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Condition:
    """What a site does at one moment.

    `answer` names the canned answer given in place of the endpoint's own (see `answers.CANNED`); `delay_s` is waited
    before any answer; `drift` is applied to every answer it fits; `fault` names what happens on the wire instead.
    """

    answer: str | None = None
    delay_s: float = 0.0
    drift: DriftAt | None = None
    fault: str | None = None


CALM = Condition()

if TYPE_CHECKING:
    Course = Callable[[float, int], Condition]
    """A scenario at work: seconds since it was set and the site's place in the table → what the site is like."""

    CourseMaker = Callable[[str | None, Collection[str]], Course]
    """Reads a scenario's argument (None where there is none), given the names of the wire faults known."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario set on a site at a moment: `since_s` on the mock's clock, `course` as its table row says."""

    text: str
    since_s: float
    course: Course

    def condition(self, now_s: float, index: int) -> Condition:
        """Return what the site with this index (from 0, in the order of the sites' table) is like at a moment."""
        return self.course(now_s - self.since_s, index)


@dataclass(frozen=True, slots=True)
class ScenarioKind:
    """One row of the table: how it is written, what it does, and how its argument becomes a course."""

    name: str
    syntax: str
    meaning: str
    make: CourseMaker


def _always(condition: Condition) -> CourseMaker:
    def make(argument: str | None, _faults: Collection[str]) -> Course:
        if argument is not None:
            message = f"this scenario takes no argument, but was given {argument!r}."
            raise MockUsageError(message)
        return lambda _elapsed_s, _index: condition

    return make


def _outage(argument: str | None, _faults: Collection[str]) -> Course:
    if argument not in {None, "502", "503", "504"}:
        message = f"outage takes 502, 503 or 504, not {argument!r}."
        raise MockUsageError(message)
    condition = Condition(answer=f"edge-{argument or 502}")
    return lambda _elapsed_s, _index: condition


def _slow(argument: str | None, _faults: Collection[str]) -> Course:
    condition = Condition(delay_s=seconds("the delay of slow", argument or "0.2", lowest=0, highest=MAX_DELAY_S))
    return lambda _elapsed_s, _index: condition


def _flapping(argument: str | None, _faults: Collection[str]) -> Course:
    period_s = seconds("the period of flapping", argument or "10", lowest=0.01, highest=_DAY_S)
    down = Condition(answer="edge-502")
    return lambda elapsed_s, _index: down if elapsed_s % period_s >= period_s / 2 else CALM


def _drifted(argument: str | None, _faults: Collection[str]) -> Course:
    condition = Condition(drift=parse_drift(argument or ""))
    return lambda _elapsed_s, _index: condition


def _rollout(argument: str | None, _faults: Collection[str]) -> Course:
    name, _, period = (argument or "").partition(":")
    drifted = Condition(drift=parse_drift(name))
    period_s = seconds("the period of rollout", period or "60", lowest=0.01, highest=_DAY_S)
    return lambda elapsed_s, index: drifted if elapsed_s >= index * period_s else CALM


def _fault(argument: str | None, faults: Collection[str]) -> Course:
    if argument not in faults:
        raise unknown(argument or "", "fault", faults)
    condition = Condition(fault=argument)
    return lambda _elapsed_s, _index: condition


SCENARIOS: Mapping[str, ScenarioKind] = {
    kind.name: kind
    for kind in (
        ScenarioKind("healthy", "healthy", "The endpoint as documented.", _always(CALM)),
        ScenarioKind(
            "outage", "outage[:502|503|504]", "Every answer is the edge's JSON envelope; 502 unless told.", _outage
        ),
        ScenarioKind(
            "edge-html", "edge-html", "Every answer is an HTML page of the edge with 403.",
            _always(Condition(answer="edge-html")),
        ),
        ScenarioKind(
            "server-error", "server-error", "The API itself fails: 500 with a JSON:API error.",
            _always(Condition(answer="500")),
        ),
        ScenarioKind(
            "throttled", "throttled", "Every request with right keys gets 429, whatever is left in the bucket.",
            _always(Condition(answer="429")),
        ),
        ScenarioKind("slow", "slow[:SECONDS]", "Every answer waits; 0.2 s unless told, 60 s at most.", _slow),
        ScenarioKind(
            "flapping", "flapping[:PERIOD_S]", "Up for half of each period, then a 502; period 10 s unless told.",
            _flapping,
        ),
        ScenarioKind(
            "drifted", "drifted:DRIFT[@LOCATION]", "Every answer the drift applies to carries it.", _drifted
        ),
        ScenarioKind(
            "rollout", "rollout:DRIFT[@LOCATION][:PERIOD_S]",
            "The drift reaches one more site, in the table's order, each period; the first at once; 60 s unless told.",
            _rollout,
        ),
        ScenarioKind("fault", "fault:NAME", "Every connection or answer has this wire fault.", _fault),
        ScenarioKind(
            "not-deployed", "not-deployed", "The site does not know the route: 404 with a list of strings.",
            _always(Condition(answer="route")),
        ),
        ScenarioKind(
            "key-rejected", "key-rejected", "Right keys get 403 like wrong ones, as if revoked.",
            _always(Condition(answer="403")),
        ),
        ScenarioKind(
            "no-permission", "no-permission", "Right keys get the 403 of a key that may not read Model Lab.",
            _always(Condition(answer="permission")),
        ),
        ScenarioKind(
            "deleted", "deleted", "No run exists: every id that is an int64 gets 404.",
            _always(Condition(answer="404")),
        ),
    )
}  # fmt: skip
"""Every scenario by name, in the order of the docs."""


def make_scenario(text: str, *, since_s: float, faults: Collection[str] = ()) -> Scenario:
    """Read a scenario as a person writes it; raises `MockUsageError` that names the known ones and the nearest."""
    name, colon, argument = text.strip().partition(":")
    kind = SCENARIOS.get(name)
    if kind is None:
        raise unknown(name, "scenario", SCENARIOS)
    return Scenario(text.strip(), since_s, kind.make(argument if colon else None, faults))
