"""A year of nine sites, probed every minute, with a script of 200 troubles: what came of it, its size, how quick it is.

Everything but the network is the monitor's own: decisions, transactions, roll-ups, retention, and the commands at the
end, timed as whole processes.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from measure import Row

from monitors.config.alerting import Maintenance, Retention, SinkSettings, Thresholds
from monitors.cycle import Result
from monitors.incidents.model import EventKind
from monitors.incidents.problems import OUTAGE, problem_of
from monitors.model import Finding, Kind, Level, Observation, Phases
from monitors.sites import SITES
from monitors.store import Filter, open_store, sqlite_url
from monitors.watching.current import Current
from monitors.watching.keeper import Batch, Keeper, Rules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitors.store import Store

MINUTES = int(os.environ.get("SIMULATED_DAYS", "365")) * 24 * 60
TROUBLES = {"outage": 110, "flap": 30, "rollout": 40, "maintenance": 20}
CHUNK = 60
# The commands look back from now, so the year ends with it.
START = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=MINUTES)
NAMES = tuple(SITES)
OUTAGES = ("server-error", "timeout", "connection-refused", "edge-answer", "tls-certificate-expired")
RUN = "/api/v2/model-lab-api/runs/42"


@dataclass(frozen=True)
class Trouble:
    """One entry of the script: from minute `begin` to `end`, on each site from its own minute on."""

    kind: str
    problem: str
    begin: int
    end: int
    sites: dict[str, int]
    finding: Finding

    def shows(self, site: str, minute: int) -> bool:
        """Tell whether a probe of a site shows it in a minute of the year."""
        if not self.sites.get(site, MINUTES) <= minute < self.end:
            return False
        # A flapping site fails three minutes and answers for one.
        return self.kind != "flap" or (minute - self.begin) % 4 != 3


def script(dice: random.Random) -> list[Trouble]:
    """Return the troubles of the year: those of one problem never overlap, so that each is an incident of its own."""
    kinds = [kind for kind, count in TROUBLES.items() for _ in range(count)]
    dice.shuffle(kinds)
    width = MINUTES // len(kinds)
    return [trouble(kind, number, number * width, width, dice) for number, kind in enumerate(kinds)]


def trouble(kind: str, number: int, begin: int, width: int, dice: random.Random) -> Trouble:
    """Return one trouble of a kind, somewhere in the stretch of the year that is its own."""
    begin += dice.randrange(30, width // 4)
    length = dice.randrange(8, width // 2)
    sites = dice.sample(NAMES, dice.randrange(1, len(NAMES) + 1))
    if kind == "rollout":
        finding = Finding(
            "response-property-became-nullable", Level.BREAKING, Kind.CONTRACT, "is null",
            f"$.data.attributes.member_{number}", "string", "null", check="run",
        )  # fmt: skip
        starts = {site: begin + step * length // (2 * len(sites)) for step, site in enumerate(sites)}
        return Trouble(kind, problem_of(finding), begin, begin + length, starts, finding)
    rule = dice.choice(OUTAGES)
    finding = Finding(rule, Level.BREAKING, Kind.AVAILABILITY, rule.replace("-", " "))
    return Trouble(kind, OUTAGE, begin, begin + length, dict.fromkeys(sites, begin), finding)


def windows(troubles: list[Trouble]) -> tuple[Maintenance, ...]:
    """Return a maintenance window around each outage that is planned, and one that comes every Sunday night."""
    planned = [
        Maintenance(
            f"planned-{number}",
            tuple(trouble.sites),
            start=START + timedelta(minutes=trouble.begin - 5),
            end=START + timedelta(minutes=trouble.end + 5),
        )
        for number, trouble in enumerate(troubles)
        if trouble.kind == "maintenance"
    ]
    return tuple(planned)


def batches(troubles: list[Trouble], dice: random.Random) -> Iterator[Batch]:
    """Yield the year, a round a minute; now and then a single probe fails for no reason, which is no incident."""
    active: list[Trouble] = []
    waiting = sorted(troubles, key=lambda trouble: trouble.begin, reverse=True)
    noise = Finding("timeout", Level.BREAKING, Kind.AVAILABILITY, "timeout")
    for minute in range(MINUTES):
        while waiting and waiting[-1].begin <= minute:
            active.append(waiting.pop())
        active = [trouble for trouble in active if minute < trouble.end]
        at = START + timedelta(minutes=minute)
        results = []
        for site in NAMES:
            findings = tuple(trouble.finding for trouble in active if trouble.shows(site, minute))
            if not findings and dice.random() < 0.0002:
                findings = (noise,)
            results.append(Result(answer(site, at, findings, dice), findings))
        yield Batch(at, tuple(results))


def answer(site: str, at: datetime, findings: tuple[Finding, ...], dice: random.Random) -> Observation:
    """Return what a probe saw: a time that varies, and a status unless the site is down."""
    down = any(finding.kind is Kind.AVAILABILITY for finding in findings)
    first = 0.04 + dice.random() * 0.06
    return Observation(
        site, "run", at, "GET", RUN, "42", True,
        status=None if down else 200,
        body=b"",
        phases=Phases(0.002, 0.011, 0.023, first, 0.001),
    )  # fmt: skip


def rows() -> list[Row]:
    """Live through the year, then look back."""
    dice = random.Random(2026)  # noqa: S311 - the same every time
    troubles = script(dice)
    expected = Counter(trouble.problem for trouble in troubles if trouble.kind != "maintenance")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "monitor.sqlite"
        with open_store(sqlite_url(path)) as store:
            events, spent_s = play(store, troubles, dice)
            store.vacuum()
            probes = sum(row.probes for row in store.uptime(Filter(), by="site"))
        size_mb = path.stat().st_size / 1e6
        timed = {name: command_s(folder, *words) for name, words in COMMANDS.items()}
    opened = Counter(problem for kind, problem in events if kind is EventKind.OPENED)
    ended = Counter(problem for kind, problem in events if kind is EventKind.RESOLVED)
    right = sum(min(opened[problem], ended[problem], count) for problem, count in expected.items())
    others = sum(opened.values()) - sum((opened & expected).values())
    real = sum(expected.values())
    wanted = MINUTES * len(NAMES)
    each, bodies = f"{spent_s / probes * 1e6:.0f} µs each", f"{probes * 9_000 / 1e9:.0f} GB of bodies"
    planned = f"{len(troubles) - real} planned, noise"
    return [
        Row("a year's troubles opened once and resolved once", f"{right}", f"{real} real", "", "all", right == real),
        Row("other incidents in the year", f"{others}", planned, "", "none", not others),
        Row("probes kept", f"{probes:,}", f"{wanted:,}", each, "all", probes == wanted),
        Row("the store after a year", f"{size_mb:.0f} MB", bodies, "", "≤ 200 MB", size_mb <= 200),
        *(
            Row(
                f"`{' '.join(COMMANDS[name])}`",
                f"{spent:.2f} s",
                f"`--help` {base:.2f} s",
                f"{spent / base:.1f} ×",
                "< 1 s",
                spent < 1,
            )
            for name, (spent, base) in timed.items()
        ),
    ]


def play(store: Store, troubles: list[Trouble], dice: random.Random) -> tuple[list[tuple[EventKind, str]], float]:
    """Live through the year; returns what happened to incidents and the seconds it took."""
    rules = Rules(
        Thresholds(update_interval_s=300),
        sinks=(SinkSettings("team", "stdout"),),
        maintenance=windows(troubles),
        watched=frozenset((site, "run") for site in NAMES),
        vantage="here",
    )
    keeper = Keeper(Current(store), rules, lambda findings: findings)
    happened: list[tuple[EventKind, str]] = []
    problems: dict[int, str] = {}
    begin = time.perf_counter()
    chunk: list[Batch] = []
    for number, batch in enumerate(batches(troubles, dice), start=1):
        chunk.append(batch)
        if len(chunk) < CHUNK and number < MINUTES:
            continue
        for done in keeper.keep_all(chunk):
            for event in done.events:
                if event.kind is EventKind.OPENED:
                    problems[event.incident] = done.book.incidents[event.incident].problem
                if event.kind in {EventKind.OPENED, EventKind.RESOLVED}:
                    happened.append((event.kind, problems[event.incident]))
        chunk = []
        if number % (24 * 60) == 0:
            store.roll_up()
            store.retain(batch.at, Retention())
            if number % (30 * 24 * 60) == 0:
                print(f"  {number // (24 * 60)} days, {time.perf_counter() - begin:.0f} s", flush=True)
    store.roll_up()
    return happened, time.perf_counter() - begin


COMMANDS = {
    "history": ("history", "--since", "1d"),
    "uptime": ("uptime", "--since", "365d"),
    "incidents": ("incidents", "list", "--state", "all"),
}


def command_s(folder: str, *words: str) -> tuple[float, float]:
    """Return the median seconds of a command and of `--help`, whole processes, in turn."""
    environ = {**os.environ, "MODEL_LAB_MONITOR_STATE_DIR": folder}
    program = str(Path(sys.executable).parent / "model-lab-monitor")
    spent: tuple[list[float], list[float]] = ([], [])
    for _ in range(5):
        for side, arguments in enumerate((words, ("--help",))):
            start = time.perf_counter()
            done = subprocess.run([program, *arguments], capture_output=True, env=environ, check=False)
            spent[side].append(time.perf_counter() - start)
            assert done.returncode in {0, 1, 3}, done.stderr.decode()
    return median(spent[0]), median(spent[1])
