"""How the monitor itself is: its network, its clock, its disk. What is wrong with it is never said of a site."""

from __future__ import annotations

import shutil
import socket
import statistics
import threading
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from monitors.model import Finding, Kind, Phase
from monitors.rules import RULES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from monitors.model import Observation

    Dial = Callable[[str, int, float], None]

OFFLINE, CLOCK, DISK = "monitor-offline", "monitor-clock-off", "monitor-disk-low"
PROBING, STORE, SINK, CONFIG = (
    "monitor-probe-failed",
    "monitor-store-failed",
    "monitor-sink-failing",
    "monitor-config-refused",
)
_DIAL_TIMEOUT_S = 3.0
_ON_THE_WAY = {Phase.RESOLVE, Phase.CONNECT, Phase.TLS}
_OF_TIME = {"tls-certificate-expired", "tls-certificate-not-yet-valid", "tls-certificate-expires-soon"}
_ENOUGH_SITES = 2
_AGREED_S = 60.0
_MB = 10**6


def own(rule: str, message: str, at: datetime, *, about: str = "") -> Finding:
    """Return a finding about the monitor itself; `about` names which of several things it is about."""
    return Finding(rule, RULES[rule].level, Kind.MONITOR, message, at=at, discriminator=about)


# --- network ---------------------------------------------------------------------------------------------------------


def answered(seen: Observation) -> bool:
    """Tell whether anything at all came back from a site: then there is a way out of here."""
    return seen.status is not None or (seen.failure is not None and seen.failure.phase not in _ON_THE_WAY)


def dial(host: str, port: int, timeout_s: float) -> None:
    """Connect and hang up; raises `OSError` where that cannot be done."""
    socket.create_connection((host, port), timeout_s).close()


def reachable(places: Sequence[str], dialled: Dial = dial, timeout_s: float = _DIAL_TIMEOUT_S) -> list[str]:
    """Return which of some `host:port` answer, all asked at once and none waited for longer than the time-out."""
    found: list[str] = []

    def ask(place: str) -> None:
        host, _, port = place.rpartition(":")
        try:
            dialled(host.strip("[]"), int(port), timeout_s)
        except (OSError, UnicodeError):
            return
        found.append(place)

    threads = [threading.Thread(target=ask, args=(place,), name=f"reach-{place}", daemon=True) for place in places]
    started = []
    for place, thread in zip(places, threads, strict=True):
        try:
            thread.start()
        except RuntimeError:
            # A machine without threads to spare is asked this at just that time.
            ask(place)
        else:
            started.append(thread)
    for thread in started:
        # A resolver that hangs cannot be interrupted; its thread ends by itself.
        thread.join(timeout_s + 1.0)
    return [place for place in places if place in found]


def network_trouble(places: Sequence[str], at: datetime, dialled: Dial = dial) -> Finding | None:
    """Return the finding that this machine is offline, None where a well-known place answers or none is configured."""
    if not places or reachable(places, dialled):
        return None
    message = f"no site answers, and neither does {' nor '.join(places)}: this machine is offline, nothing is judged"
    return own(OFFLINE, message, at)


# --- clock -----------------------------------------------------------------------------------------------------------


def clock_error_s(observations: Iterable[Observation]) -> float | None:
    """Return by how many seconds this machine's clock is ahead of the sites', None where they do not tell.

    Each site's `Date` header (RFC 9110, to the second) against the time the answer was here. Two sites at least, and
    most of them, have to agree within a minute: one site whose own clock is wrong says nothing of ours.
    """
    by_site: dict[str, float] = {}
    for seen in observations:
        told = _date(seen.header("date"))
        if told is not None and seen.at is not None and seen.site is not None:
            ahead = (seen.at - told).total_seconds() + seen.phases.total_s
            by_site[seen.site] = ahead
    if len(by_site) < _ENOUGH_SITES:
        return None
    usual = statistics.median_low(by_site.values())
    agreeing = [ahead for ahead in by_site.values() if abs(ahead - usual) <= _AGREED_S]
    if len(agreeing) < _ENOUGH_SITES or 2 * len(agreeing) <= len(by_site):
        return None
    return statistics.median(agreeing)


def tells_time(observations: Sequence[Observation]) -> bool:
    """Tell whether answers say anything of our clock: one site, or sites that contradict each other, do not.

    Where none says what time it is, that they answered at all means that their certificates are in order.
    """
    answers = [seen for seen in observations if answered(seen)]
    if any(_date(seen.header("date")) is not None for seen in answers):
        return clock_error_s(answers) is not None
    return bool(answers)


def _date(header: str | None) -> datetime | None:
    if header is None:
        return None
    try:
        told = parsedate_to_datetime(header)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return told if told.tzinfo is not None else told.replace(tzinfo=UTC)


def clock_trouble(observations: Sequence[Observation], at: datetime, most_s: float) -> Finding | None:
    """Return the finding that this machine's clock is wrong, None where nothing speaks for it.

    A clock far off makes every certificate look expired or not yet valid, so that is a sign of it as well: no two
    sites let theirs expire at once.
    """
    ahead_s = clock_error_s(observations)
    if ahead_s is not None:
        if abs(ahead_s) <= most_s:
            return None
        word = "ahead of" if ahead_s > 0 else "behind"
        return own(CLOCK, f"this machine's clock is {abs(ahead_s):.0f} s {word} the sites'", at)
    rules = {seen.site: seen.failure.rule for seen in observations if seen.failure is not None}
    if (
        len(rules) >= _ENOUGH_SITES
        and len(rules) == len({s.site for s in observations})
        and set(rules.values()) <= _OF_TIME
    ):
        sites = ", ".join(str(site) for site in rules)
        return own(
            CLOCK, f"the certificates of {sites} all look out of date: the clock says {at:%Y-%m-%d %H:%M} UTC", at
        )
    return None


def is_of_time(finding: Finding) -> bool:
    """Tell whether a finding is only as good as this machine's clock."""
    return finding.rule in _OF_TIME


# --- disk ------------------------------------------------------------------------------------------------------------


def disk_trouble(
    folder: Path | None,
    least_mb: int,
    at: datetime,
    free: Callable[[Path], int] = lambda path: shutil.disk_usage(path).free,
) -> Finding | None:
    """Return the finding that the disk of the store is nearly full; None where there is room, or no such disk.

    A folder that is gone is the store's trouble: the disk is asked on which it would be made anew.
    """
    if folder is None or not least_mb:
        return None
    try:
        left_mb = free(next((each for each in (folder, *folder.parents) if each.exists()), folder)) // _MB
    except OSError as error:
        return own(DISK, f"the disk of {folder} cannot be asked: {(error.strerror or str(error)).lower()}", at)
    if left_mb >= least_mb:
        return None
    return own(DISK, f"{left_mb} MB are left on the disk of {folder}, fewer than the {least_mb} that are to be", at)


# --- sinks -----------------------------------------------------------------------------------------------------------


def sinks_trouble(failing: Iterable[tuple[str, datetime, str]], at: datetime, after_s: float) -> dict[str, Finding]:
    """Return a finding for each sink that takes nothing for `after_s` seconds, by problem: name, since when, error."""
    found: dict[str, Finding] = {}
    for sink, since, error in failing:
        if (at - since).total_seconds() >= after_s:
            said = f"{sink} takes no notices since {since:%Y-%m-%d %H:%M} UTC: {error}"
            found[f"{SINK}:{sink}"] = own(SINK, said, at, about=sink)
    return found
