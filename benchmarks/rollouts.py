"""Drifts that roll out over nine sites, and sites that stay healthy, through judge and memory on a simulated clock."""

from __future__ import annotations

import hashlib
import itertools
import json
import random
import sys
import time
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from measure import Row, markdown

import schemas
from mock_site.answers import canned
from mock_site.catalogue import LAST_ORDINARY_ID, NAMED_RUNS, run_body, run_document
from mock_site.drifts import DRIFTS, applicable_locations, apply, dump
from monitors.checks import CHECKS
from monitors.contract import judge
from monitors.memory import Memory, Patience, Session
from monitors.memory.canary import VOLATILE, is_finished
from monitors.model import Level, Observation
from monitors.sites import SITES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    from mock_site.drifts import Drift
    from monitors.memory import Recollection
    from monitors.memory.folding import Baseline
    from monitors.model import Finding

START = datetime(2026, 6, 1, tzinfo=UTC)
CYCLE = timedelta(minutes=5)
HEALTHY_CYCLES = 10_000
IN_TIME_CYCLES = 2
LIVED_SHARE = 0.05
"""How many answers differ from the one before: people edit runs now and then, unfinished ones move on."""
EDITS_OF_PEOPLE = {
    "list-cut", "list-emptied", "list-item-repeated", "nullable-member-nulled", "optional-member-filled",
    "optional-member-removed", "string-emptied", "string-lengthened",
}  # fmt: skip
"""Drifts that, on a member people edit, cannot be told from an edit."""


@dataclass
class InMemory:
    """A shelf for the memory without a disk."""

    memory: Memory = field(default_factory=Memory)
    baselines: dict[tuple[str, str], Baseline] = field(default_factory=dict)

    def locked(self) -> AbstractContextManager[None]:
        """Nobody else is there."""
        return nullcontext()

    def load(self) -> Memory:
        """Return the memory."""
        return self.memory

    def save(self, memory: Memory) -> None:
        """Keep the memory."""
        self.memory = memory

    def baseline(self, site: str, run_id: str) -> Baseline | None:
        """Return a baseline."""
        return self.baselines.get((site, run_id))

    def keep_baseline(self, site: str, run_id: str, baseline: Baseline) -> None:
        """Keep a baseline."""
        self.baselines[site, run_id] = baseline


def answer(site: str, check: str, told: tuple[int, bytes], at: datetime, run_id: int = 0) -> Observation:
    """Return what a probe would have brought, had it been told this status and body."""
    made, (status, body) = CHECKS[check], told
    asked = made.run_id or str(run_id)
    return Observation(
        site=site, check=check, at=at, method="GET", url=f"https://{SITES[site].api_host}/", run_id=asked,
        with_keys=made.with_keys, status=status, headers=(("content-type", "application/json"),), body=body,
    )  # fmt: skip


def cycle(session: Session, seen: Sequence[Observation]) -> tuple[list[Finding], Recollection]:
    """Judge and remember one cycle; return what the contract says and what the memory says."""
    listening = session.judging(judged)
    said = [finding for one in seen for finding in listening(one)]
    return said, session.conclude()


def judged(seen: Observation) -> list[Finding]:
    """Judge as the monitor does; the judge is pure, so it is asked once for the same bytes."""
    found = _judged(seen.check or "", seen.status or 0, seen.body, seen.run_id)
    return [replace(finding, site=seen.site, at=seen.at) for finding in found]


@lru_cache(maxsize=256)
def _judged(check: str, status: int, body: bytes, run_id: str) -> tuple[Finding, ...]:
    return tuple(judge(answer("US1", check, (status, body), START, int(run_id) if run_id.isdecimal() else 0)))


# --- rollouts --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rollout:
    """What one drift, rolled out site by site, came to."""

    name: str
    level: str
    found_after: int | None
    worst: Level | None
    incidents: int
    stray: int
    edit: bool

    @property
    def right(self) -> bool:
        """Tell whether it was found in time, as the same incidents on every site, and nothing was said elsewhere."""
        in_time = self.found_after is not None and self.found_after <= IN_TIME_CYCLES
        return in_time and not self.stray


@lru_cache(maxsize=64)
def healthy(site: str, run_id: int) -> tuple[Any, bytes]:
    """Return a run as document and bytes."""
    return run_document(site, run_id), run_body(site, run_id) or b""


def roll_out(drift: Drift, place: str, run: str, sites: Sequence[str], *, status: int = 200) -> Rollout:
    """Let all sites be healthy for a while, then drift one more site every second cycle, and say what was found."""
    shelf, run_id = InMemory(), NAMED_RUNS[run]
    session = Session(shelf, Patience())
    fingerprints: dict[str, set[str]] = {site: set() for site in sites}
    found_after, stray, worst = None, 0, None
    quiet_cycles = 3
    for number in range(quiet_cycles + 2 * len(sites) + 2):
        reached = 0 if number < quiet_cycles else min(len(sites), (number - quiet_cycles) // 2 + 1)
        at = START + number * CYCLE
        told = [_body(drift.name if i < reached else "", place, run_id, status) for i in range(len(sites))]
        check = "run" if status == 200 else "bad-request"
        seen = [answer(site, check, (status, body), at, run_id) for site, body in zip(sites, told, strict=True)]
        said, recalled = cycle(session, seen)
        assert not recalled.failures, recalled.failures
        for finding in (*said, *recalled.findings):
            if finding.site is None:
                # The finding over all sites names those it is on.
                strangers = set(finding.revision or ()) - set(sites[:reached])  # type: ignore[arg-type]
            else:
                strangers = {finding.site} - set(sites[:reached])
                fingerprints[finding.site].add(finding.fingerprint)
            stray += bool(strangers)
            if finding.site == sites[0]:
                worst = finding.level if worst is None else max(worst, finding.level)
                found_after = number - quiet_cycles + 1 if found_after is None else found_after
    incidents = len(set().union(*fingerprints.values()))
    different = len({frozenset(found) for found in fingerprints.values()}) - 1
    edit = any(place == name or place.startswith((name + ".", name + "[")) for name in VOLATILE)
    return Rollout(f"{drift.name}@{place}", drift.level, found_after, worst, incidents, stray + different, edit)


@lru_cache(maxsize=16)
def _body(drift: str, place: str, run_id: int, status: int) -> bytes:
    """Return the answer, the same on all sites, so that a drift does the same on each."""
    document, body = healthy("US1", run_id) if status == 200 else _error(status)
    return dump(apply(document, DRIFTS[drift], place, status)) if drift else body


def _error(status: int) -> tuple[Any, bytes]:
    body = canned(None)[str(status)].body
    return json.loads(body), body


def rollouts(places_per_drift: int | None = None) -> Iterator[Rollout]:
    """Roll out every drift of the mock at every place it applies to, of a run with all members and of extreme ones."""
    sites = list(SITES)
    for drift in DRIFTS.values():
        # No check of the monitor gets a 429 and a drift of it at once: tests/mock_site judges that one by itself.
        if drift.name == "errors-as-objects":
            continue
        if drift.on == "error":
            yield roll_out(drift, drift.default, "typical", sites, status=400)
            continue
        places: dict[str, str] = {}
        for run in ("all-members", "typical", "extremes"):
            for place in applicable_locations(healthy("US1", NAMED_RUNS[run])[0], drift):
                places.setdefault(place, run)
        for place, run in itertools.islice(places.items(), places_per_drift):
            yield roll_out(drift, place, run, sites)


# --- health ----------------------------------------------------------------------------------------------------------


def lived(document: Any, dice: random.Random, at: datetime) -> Any:
    """Return a run as a later answer may show it: edited by people, written in another order, further if it runs."""
    run = json.loads(json.dumps(document))
    attributes = run["data"]["attributes"]
    edited = (
        f"{max(at, datetime.fromisoformat(attributes['updated_at'])):%Y-%m-%dT%H:%M:%S}.{dice.randrange(10**6):06}Z"
    )
    for _ in range(dice.randrange(3)):
        change = dice.choice(("pin", "rename", "describe", "tag", "untag", "children", "match"))
        attributes["updated_at"] = edited
        if change == "pin":
            attributes["is_pinned"] = not attributes["is_pinned"]
        elif change == "rename":
            attributes["name"] = dice.choice(
                (attributes["name"].upper(), "2026-05-18", f"try {dice.randrange(99)}", "")
            )
        elif change == "describe":
            attributes["description"] = "words " * dice.randrange(400)
        elif change == "tag":
            attributes["tags"].append({"key": f"k{dice.randrange(9)}", "value": dice.choice(("", "true", "17"))})
        elif change == "untag":
            attributes["tags"] = attributes["tags"][1:]
        elif change == "children":
            attributes["has_children"] = True
        else:
            attributes["descendant_match"] = not attributes["descendant_match"]
    if not is_finished(run):
        _progress(attributes, dice)
    names = list(attributes)
    dice.shuffle(names)
    run["data"]["attributes"] = {name: attributes[name] for name in names}
    return run


def _progress(attributes: dict[str, Any], dice: random.Random) -> None:
    for summary in attributes["metric_summaries"]:
        further = dice.randrange(1, 500)
        summary["count"] = min(summary["count"] + further, 2**63 - 1)
        if summary.get("last_step") is not None:
            summary["last_step"] = min(summary["last_step"] + further, 2**63 - 1)
        if summary.get("min") is not None and summary.get("max") is not None:
            summary["latest"] = dice.choice((summary["min"], summary["max"]))
            summary.setdefault("mean", summary["min"])
    if dice.random() < 0.1:
        attributes["metric_summaries"].append({"count": 1, "key": f"late/{dice.randrange(10**6)}"})


def _ids(dice: random.Random) -> int:
    ordinary = [run_id for name, run_id in NAMED_RUNS.items() if name != "huge"]
    return dice.choice(ordinary) if dice.random() < 0.3 else dice.randrange(1, LAST_ORDINARY_ID)


@dataclass(frozen=True)
class Health:
    """What healthy cycles came to: how many, distinct runs, distinct bodies compared, and alarms by level."""

    cycles: int
    runs: int
    bodies: int
    alarms: dict[str, int]
    pending: int
    seconds: float
    told: tuple[str, ...]


def stay_healthy(cycles: int, *, cycles_per_run: int = 12) -> Health:
    """Probe nine healthy sites; every site has a canary run, exchanged for another one every so many cycles."""
    dice, session = random.Random(20260601), Session(InMemory(), Patience())  # noqa: S311 - repeatable on purpose
    others = {"not-found": (404, canned(None)["404"].body), "bad-request": (400, canned(None)["400"].body),
              "unauthenticated": (401, canned(None)["401"].body)}  # fmt: skip
    alarms, told, bodies, runs, pending = dict.fromkeys(map(str, Level), 0), [], set(), set(), 0
    canaries: dict[str, tuple[int, Any, bytes]] = {}
    started = time.perf_counter()
    for number in range(cycles):
        at, seen = START + number * CYCLE, []
        for index, site in enumerate(SITES):
            if (number + index) % cycles_per_run == 0 or site not in canaries:
                document = run_document(site, run_id := _ids(dice))
                canaries[site] = (run_id, document, dump(document))
            run_id, document, body = canaries[site]
            if dice.random() < LIVED_SHARE:
                body = dump(lived(document, dice, at))
            seen.append(answer(site, "run", (200, body), at, run_id))
            runs.add((site, run_id))
            bodies.add(hashlib.sha256(body).digest())
            if number % len(SITES) == index:
                seen += [answer(site, check, other, at) for check, other in others.items()]
        said, recalled = cycle(session, seen)
        assert not recalled.failures, recalled.failures
        pending += len([one for one, _ in recalled.pending if one.level >= Level.WARNING])
        for finding in (*said, *recalled.findings):
            alarms[str(finding.level)] += 1
            if len(told) < 20:
                told.append(f"{finding.site} {finding.rule} {finding.location}: {finding.message}")
    spent = time.perf_counter() - started
    return Health(cycles, len(runs), len(bodies), alarms, pending, spent, tuple(told))


# --- rows ------------------------------------------------------------------------------------------------------------


def rows(*, verbose: bool = False, healthy_cycles: int = HEALTHY_CYCLES) -> list[Row]:
    """Return the figures: drifts found in a rollout, each as one, and no alarm without a drift."""
    schemas.schema_for(200)
    started = time.perf_counter()
    done = list(rollouts())
    spent_s = time.perf_counter() - started
    told = [one for one in done if not (one.edit and one.name.split("@")[0] in EDITS_OF_PEOPLE)]
    found = [one for one in told if one.right]
    if verbose:
        for one in done:
            if not one.right or one.stray:
                print(f"{one}", file=sys.stderr)
    strays = sum(one.stray for one in done)
    slowest = max((one.found_after or 0 for one in found), default=0)
    health = stay_healthy(healthy_cycles)
    if verbose:
        print(health, file=sys.stderr)
    loud = health.alarms["breaking"] + health.alarms["warning"]
    return [
        Row("drifts rolled out over 9 sites, at every place, found on the first site", f"{len(found)} of {len(told)}",
            f"after {slowest} cycles at most, {spent_s:.0f} s in all", f"{len(found) / len(told):.0%}",
            f"all within {IN_TIME_CYCLES} cycles", len(found) == len(told)),
        Row("rollouts told differently on some site, or told of a site not yet reached", str(strays), "–", "–", "0",
            strays == 0),
        Row("drifts of members people edit, no different from an edit: not told, not counted above",
            str(len(done) - len(told)), "–", "–", "a known limit", reached=True),
        Row(f"alarms in {health.cycles:,} healthy cycles of 9 sites ({health.runs:,} runs, {health.bodies:,} bodies)",
            f"{loud}", f"{health.seconds:.0f} s", "–", "0 breaking, 0 warning", loud == 0 and not health.pending),
    ]  # fmt: skip


if __name__ == "__main__":
    print(markdown(rows(verbose="-v" in sys.argv)))
