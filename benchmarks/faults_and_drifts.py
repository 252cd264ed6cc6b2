"""Every fault and every drift of the mock, through the whole monitor: right rule, right level, in time, in memory."""

from __future__ import annotations

import resource
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from measure import Row, markdown
from servers import KEYS, Mock, mock_sites

from mock_site.catalogue import NAMED_RUNS, run_document
from mock_site.drifts import DRIFTS, applicable_locations
from mock_site.faults import FAULTS
from monitors.checks import CHECKS
from monitors.config import Credentials, SiteSettings
from monitors.contract import judge
from monitors.probe import probe, target_for
from monitors.sites import SITES
from monitors.transport import parse_overrides, tls_context

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitors.model import Finding

DEADLINE_S, OVERSHOOT_S, MEMORY_MIB = 3.0, 0.25, 150
SITE = "US5"


@dataclass(frozen=True)
class Case:
    """One thing the mock does wrong, and what the monitor said."""

    name: str
    expected: tuple[str, str]
    said: tuple[tuple[str, str], ...]
    wall_s: float

    @property
    def right(self) -> bool:
        """Tell whether the expected rule is the worst said, at the expected level, and all of it in time."""
        level = self.expected[1]
        in_time = self.wall_s <= DEADLINE_S + OVERSHOOT_S
        if level == "none":
            return not self.said and in_time
        return bool(self.said) and self.expected in self.said and self.said[0][1] == level and in_time


def ask(mock: Mock, scenario: str, check: str = "run", run: str = "typical") -> tuple[list[Finding], float]:
    """Probe the site once under a scenario; return the findings and the wall seconds."""
    site = SITES[SITE]
    port = mock.set_scenario(SITE, scenario)
    overrides = parse_overrides(connect_to=[f"{site.api_host}:443:127.0.0.1:{port}"])
    target = target_for(
        SiteSettings(site, Credentials(*KEYS), NAMED_RUNS[run]),
        context=tls_context(Path(mock.ca_file), {}), overrides=overrides, environ={}, timeout_s=DEADLINE_S,
    )  # fmt: skip
    start = time.perf_counter()
    observation = probe(target, CHECKS[check])
    findings = judge(observation)
    return findings, time.perf_counter() - start


def case(name: str, expected: tuple[str, str], answer: tuple[list[Finding], float]) -> Case:
    """Note what was said of one case."""
    findings, wall_s = answer
    return Case(name, expected, tuple((finding.rule, str(finding.level)) for finding in findings), wall_s)


def faults(mock: Mock) -> Iterator[Case]:
    """Every fault of the mock, by the check `run` of one site."""
    for fault in FAULTS.values():
        yield case(fault.name, (fault.rule or "", fault.level), ask(mock, f"fault:{fault.name}"))


def drifts(mock: Mock) -> Iterator[Case]:
    """Every drift of the mock at every location of a run with all members it applies to."""
    run = run_document(SITE, NAMED_RUNS["all-members"])
    for drift in DRIFTS.values():
        # No check of the monitor gets a 429 and a drift of it at once: tests/mock_site judges that one by itself.
        if drift.name == "errors-as-objects":
            continue
        on_run = drift.on == "run"
        for place in applicable_locations(run, drift) if on_run else [drift.default]:
            answer = ask(mock, f"drifted:{drift.name}@{place}", "run" if on_run else "bad-request", "all-members")
            yield case(f"{drift.name}@{place}", (drift.rule, drift.level), answer)


def rows(*, verbose: bool = False) -> list[Row]:
    """Return how many faults and drifts were judged rightly, and the peak memory of the monitor's process."""
    found = []
    with mock_sites() as mock:
        for title, cases in (
            ("faults", list(faults(mock))),
            ("drifts, at every place they apply to", list(drifts(mock))),
        ):
            right = sum(one.right for one in cases)
            for one in cases:
                if verbose and not one.right:
                    print(f"{one.name}: expected {one.expected}, said {one.said}, {one.wall_s:.2f} s")
            slowest = max(cases, key=lambda one: one.wall_s)
            found.append(
                Row(f"{title} of the mock judged rightly (rule, level, within {DEADLINE_S:.0f} s)",
                    f"{right} of {len(cases)}", f"slowest {slowest.wall_s:.2f} s", f"{right / len(cases):.0%}", "all",
                    right == len(cases))
            )  # fmt: skip
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [*found, Row("peak memory of the monitor over all of these", f"{peak_mib:.0f} MiB", "–", "–",
                        f"< {MEMORY_MIB} MB", peak_mib * 1.048576 < MEMORY_MIB)]  # fmt: skip


if __name__ == "__main__":
    print(markdown(rows(verbose="-v" in sys.argv)))
