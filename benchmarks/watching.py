"""What `watch` costs beside bare probes, over 24 simulated hours of real probes; and clocks that jump.

The mock sites run in a process of their own. Time is simulated where nothing is under way: the loop waits for nothing,
and every probe, transaction and notice is real.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import certifi
from measure import Row, markdown

from monitors.checks import CHECKS
from monitors.config import Credentials, SiteSettings
from monitors.config.alerting import DEFAULT_INTERVALS_S, Retention, Thresholds, WatchSettings
from monitors.contract import judge
from monitors.cycle import run_cycle
from monitors.incidents.model import EventKind
from monitors.memory import Notes
from monitors.probe import target_for
from monitors.sites import SITES
from monitors.store import open_store, sqlite_url
from monitors.transport import parse_overrides, tls_context
from monitors.watching.asking import Mailbox
from monitors.watching.clock import SimulatedClock
from monitors.watching.current import Current
from monitors.watching.files import Changes
from monitors.watching.keeper import Keeper, Rules
from monitors.watching.loop import Watch
from monitors.watching.parts import Parts, Setup
from monitors.watching.systemd import Systemd
from monitors.watching.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Iterator

HOURS = int(os.environ.get("WATCH_HOURS", "24"))
IDLE_S = 10.0
_SERVED = """
import sys, time
from mock_site.server import MockSites
with MockSites() as mock:
    print(mock.tls_port, mock.ca_file, flush=True)
    sys.stdin.read()
"""


class SimulatedInbox(Mailbox):
    """Waits for what is under way in real time, and for nothing else at all."""

    def __init__(self, clock: SimulatedClock) -> None:
        """Wait by a clock."""
        super().__init__()
        self.clock = clock
        self.in_flight: dict[str, float] = {}

    def get(self, timeout_s: float) -> Any:
        """Return what comes, or let the time pass that was to be waited."""
        found = super().get(30.0 if self.in_flight and timeout_s > 0 else 0.0)
        if found is None and timeout_s > 0:
            self.clock.advance(timeout_s)
        return found


class NoDelivery:
    """Nobody to deliver to."""

    def wake(self) -> None:
        """Do nothing."""

    def failing(self) -> list[Any]:
        """Return nothing."""
        return []


@dataclass
class Loop:
    """A watch over the mock sites, its clock, and what happened."""

    watch: Watch
    clock: SimulatedClock
    inbox: SimulatedInbox
    events: list[Any]
    probes: Counter[str]

    def run(self, seconds: float) -> None:
        """Let the loop work for so long."""
        until = self.clock.seconds + seconds
        while self.clock.seconds < until:
            self.inbox.in_flight = self.watch._asking.in_flight  # noqa: SLF001 - what a real clock need not know
            self.watch.step()


def loop(folder: str, port: int, ca_file: str, store: Any) -> Loop:
    """Return a watch over the mock sites behind a port."""
    clock = SimulatedClock()
    inbox = SimulatedInbox(clock)
    targets = {target.site.key: target for target in made_targets(port, ca_file)}
    tasks = {(site, check): seconds for site in targets for check, seconds in DEFAULT_INTERVALS_S.items()}
    rules = Rules(Thresholds(), watched=frozenset(tasks), vantage="here")
    settings = WatchSettings(connectivity=(), jitter_s=5, budget_per_minute=60)
    setup = Setup(lambda: targets, CHECKS, tasks, rules, settings, Retention(), judge)
    keeper = Keeper(Current(store), rules, lambda findings: findings)
    events: list[Any] = []
    probes: Counter[str] = Counter()

    def kept(done: Any) -> None:
        events.extend(done.events)
        probes.update(result.observation.site for result in done.batch.results)

    def quiet(*_: Any, **__: Any) -> None:
        """Say nothing."""

    def upkeep(at: datetime, retention: Retention) -> None:
        store.roll_up()
        store.retain(at, retention)
        store.backup()

    parts = Parts(
        store_folder=Path(folder), keeper=keeper,
        vault=Vault(keeper, clock, mend=lambda: "", reopen=lambda: "", alarm=lambda _notices: None, say=quiet),
        notes=Notes(keeper), delivery=NoDelivery(), clock=clock, inbox=inbox, systemd=Systemd(), say=quiet,
        reload=lambda: setup, adopt=lambda _setup: None, changes=Changes(), upkeep=upkeep, status=quiet, kept=kept,
    )  # fmt: skip
    return Loop(Watch(setup, parts), clock, inbox, events, probes)


def made_targets(port: int, ca_file: str) -> list[Any]:
    """Return the nine sites, reached on loopback."""
    context = tls_context(Path(ca_file), {})
    overrides = parse_overrides(connect_to=[f"::127.0.0.1:{port}"])
    keys = Credentials("mock-api-key", "mock-app-key")
    return [
        target_for(SiteSettings(site, keys, 42), context=context, overrides=overrides, environ={})
        for site in SITES.values()
    ]


def bare_s(targets: list[Any], cycles: int) -> float:
    """Return the CPU seconds of one probe, judged, and nothing more, in threads as the loop has them."""
    checks = [CHECKS["run"]]
    start = cpu_s()
    for _ in range(cycles):
        run_cycle(targets, checks, judge)
    return (cpu_s() - start) / (cycles * len(targets))


def cpu_s() -> float:
    """Return the processor seconds of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def rss_mb() -> float:
    """Return the memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def rows() -> list[Row]:
    """Measure costs, then set the clocks."""
    server = subprocess.Popen([sys.executable, "-c", _SERVED], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    assert server.stdin is not None
    port, ca_file = server.stdout.readline().split()
    try:
        with tempfile.TemporaryDirectory() as folder, open_store(sqlite_url(Path(folder) / "monitor.sqlite")) as store:
            return [*costs(folder, int(port), ca_file, store), *jumps(folder, int(port), ca_file, store)]
    finally:
        server.stdin.close()
        server.wait()


def costs(folder: str, port: int, ca_file: str, store: Any) -> Iterator[Row]:
    """Measure what watching costs, hour by hour, with bare probes in between."""
    targets = made_targets(port, ca_file)
    bare_s(targets, 20)
    watched = loop(folder, port, ca_file, store)
    ratios, ours, theirs, sizes = [], [], [], []
    for hour in range(HOURS):
        before, start = watched.probes.total(), cpu_s()
        watched.run(3600)
        each = (cpu_s() - start) / (watched.probes.total() - before)
        bare = bare_s(targets, 20)
        ratios.append(each / bare)
        ours.append(each)
        theirs.append(bare)
        sizes.append(rss_mb())
        print(f"  hour {hour + 1}: {each * 1e3:.2f} ms against {bare * 1e3:.2f} ms, {sizes[-1]:.0f} MB", flush=True)
    ratio = median(ratios)
    yield Row("CPU per probe in `watch`, everything kept", f"{median(ours) * 1e3:.2f} ms",
        f"{median(theirs) * 1e3:.2f} ms bare probe", f"{ratio:.2f} ×", "≤ 1.5 ×", ratio <= 1.5)  # fmt: skip
    early, late = max(sizes[: max(HOURS // 4, 1)]), max(sizes[-max(HOURS // 4, 1) :])
    yield Row(f"memory over {HOURS} simulated hours, {watched.probes.total():,} probes", f"{late:.0f} MB last quarter",
        f"{early:.0f} MB first quarter", f"{late / early:.2f} ×", "≤ 1.1 ×", late / early <= 1.1)  # fmt: skip
    yield idle()


def idle() -> Row:
    """Watch with nothing due, in real time, in a process of its own."""
    code = (
        "import time, watching as w; from monitors.store import *; from pathlib import Path; import tempfile\n"
        "from monitors.watching.clock import SystemClock; from monitors.watching.asking import Mailbox\n"
        "from dataclasses import replace\n"
        "with tempfile.TemporaryDirectory() as f, open_store(sqlite_url(Path(f) / 'm.sqlite')) as s:\n"
        "    made = w.loop(f, 1, w.ca(), s); setup = replace(made.watch.setup, intervals_s={})\n"
        "    parts = replace(made.watch.parts, clock=SystemClock(), inbox=Mailbox())\n"
        "    watch = w.Watch(setup, parts); watch.step(); start = w.cpu_s()\n"
        f"    until = time.monotonic() + {IDLE_S}\n"
        "    while time.monotonic() < until: watch.step()\n"
        "    print(w.cpu_s() - start)\n"
    )
    here = Path(__file__).parent
    done = subprocess.run([sys.executable, "-c", code], cwd=here, capture_output=True, text=True, check=True)
    share = float(done.stdout) / IDLE_S
    return Row("CPU of `watch` idle", f"{share:.3%} of a core", f"{IDLE_S:.0f} s", "", "≤ 0.5 %", share <= 0.005)


def ca() -> str:
    """Return authorities nobody asks."""
    return certifi.where()


def jumps(folder: str, port: int, ca_file: str, store: Any) -> Iterator[Row]:
    """Set the clocks apart in every way a machine knows; then look for what nobody wants."""
    hour = timedelta(hours=1)
    kinds = {
        "step of + 1 h": lambda clock: setattr(clock, "at", clock.at + hour),
        "step of − 1 h": lambda clock: setattr(clock, "at", clock.at - hour),
        "sleep of 8 h, seconds stand still": lambda clock: setattr(clock, "at", clock.at + 8 * hour),
        "sleep of 8 h, seconds go on": lambda clock: clock.advance(8 * 3600),
    }
    for name, jump in kinds.items():
        watched = loop(folder, port, ca_file, store)
        watched.run(600)
        before = watched.probes.copy()
        jump(watched.clock)
        watched.run(1)
        burst = max((watched.probes - before).values(), default=0)
        watched.run(600)
        opened = sum(event.kind is EventKind.OPENED for event in watched.events)
        most = len(DEFAULT_INTERVALS_S)
        yield Row(f"clock: {name}", f"{opened} incidents, {burst} probes a site at once", f"{most} checks a site", "",
            "no incident, no check twice", not opened and burst <= most)  # fmt: skip


if __name__ == "__main__":
    print(markdown(rows()))
