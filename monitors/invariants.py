"""What must hold between the members of one run. Not documented, hence a warning and never a break."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from monitors.location import EACH, Step, location
from monitors.model import Change

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_TOLERANCE = 1e-6
_FRACTION = re.compile(r"\.(\d+)")


def broken(run: Any) -> list[Change]:
    """Return the invariants a run (a whole 200 body, valid under the contract) breaks.

    Clocks: `started_at` ≤ `completed_at`, `created_at` ≤ `updated_at`. Each metric summary: `count` ≥ 0,
    `first_step` ≤ `last_step`, `min` ≤ `max`, `mean` and `latest` between them (up to rounding), `stddev` ≥ 0.
    `created_at` and `started_at` are not compared: a run that is imported started long before it was created.
    A completed run may lack `completed_at` and `duration`: real ones do.
    """
    data = run.get("data") if isinstance(run, dict) else None
    attributes = data.get("attributes") if isinstance(data, dict) else None
    if not isinstance(attributes, dict):
        return []  # the contract, widened, allows it
    changes = [
        _change(("data", "attributes", later), f"at or after `{earlier}`", f"`{later}` is before `{earlier}`", 1)
        for earlier, later in (("started_at", "completed_at"), ("created_at", "updated_at"))
        if _reversed(attributes.get(earlier), attributes.get(later))
    ]
    duration = attributes.get("duration")
    if isinstance(duration, int | float) and duration < 0:
        changes.append(_change(("data", "attributes", "duration"), "0 or more seconds", "a negative duration", 1))
    summaries = attributes.get("metric_summaries")
    return changes + list(_of_summaries(summaries if isinstance(summaries, list) else []))


def _change(path: tuple[Step, ...], base: str, message: str, count: int) -> Change:
    times = f" ({count} times)" if count > 1 else ""
    return Change("run-invariant-broken", location(path), base, "contradicted", message + times, count)


_SECOND = len("2026-01-01T00:00:00")


def _reversed(earlier: Any, later: Any) -> bool:
    if not isinstance(earlier, str) or not isinstance(later, str):
        return False
    if earlier[:_SECOND] < later[:_SECOND] and earlier[-1:] == later[-1:] == "Z":
        return False  # the usual case, told without reading either
    first, second = _moment(earlier), _moment(later)
    return first is not None and second is not None and second < first


def _moment(text: Any) -> datetime | None:
    """Read a date-time to the microsecond; real ones carry up to nine fraction digits."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(_FRACTION.sub(lambda match: "." + match[1][:6].ljust(6, "0"), text))
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _above(low: Any, high: Any) -> bool:
    """Tell whether `low` is really above `high`: sums of doubles are off by a few of their last bits."""
    if low is None or high is None:
        return False
    return bool(low - high > _TOLERANCE * max(abs(low), abs(high), _TOLERANCE))


_SUMMARY: tuple[tuple[str, str, str, Callable[[dict[str, Any]], bool]], ...] = (
    ("count", "0 or more", "a negative `count`", lambda s: s["count"] < 0),
    ("last_step", "at or after `first_step`", "`last_step` is before `first_step`",
     lambda s: None not in (s.get("first_step"), s.get("last_step")) and s["last_step"] < s["first_step"]),
    ("max", "at or above `min`", "`max` is below `min`", lambda s: _above(s.get("min"), s.get("max"))),
    ("mean", "between `min` and `max`", "`mean` is outside `min` to `max`",
     lambda s: _above(s.get("min"), s.get("mean")) or _above(s.get("mean"), s.get("max"))),
    ("latest", "between `min` and `max`", "`latest` is outside `min` to `max`",
     lambda s: _above(s.get("min"), s.get("latest")) or _above(s.get("latest"), s.get("max"))),
    ("stddev", "0 or more", "a negative `stddev`", lambda s: s.get("stddev") is not None and s["stddev"] < 0),
)  # fmt: skip


def _consistent(summary: dict[str, Any]) -> bool:
    """Tell, in one breath, whether nothing of the table below can be wrong with a summary: nearly all are."""
    get = summary.get
    low, high, mean, latest = get("min"), get("max"), get("mean"), get("latest")
    if low is not None and (
        (mean is not None and mean < low) or (latest is not None and latest < low) or (high is not None and high < low)
    ):
        return False
    if high is not None and ((mean is not None and mean > high) or (latest is not None and latest > high)):
        return False
    first, last, spread = get("first_step"), get("last_step"), get("stddev")
    steps = first is None or last is None or first <= last
    return bool(steps and summary["count"] >= 0 and (spread is None or spread >= 0))


def _either(told: Callable[[dict[str, Any]], bool], summary: Any, *, otherwise: bool) -> bool:
    """Return what is told of a summary; a contract widened for other types allows what cannot be compared."""
    try:
        return told(summary)
    except (TypeError, KeyError, AttributeError):
        return otherwise


def _of_summaries(summaries: list[dict[str, Any]]) -> Iterator[Change]:
    suspects = [summary for summary in summaries if not _either(_consistent, summary, otherwise=True)]
    for member, base, message, breaks in _SUMMARY if suspects else ():
        count = sum(_either(breaks, summary, otherwise=False) for summary in suspects)
        if count:
            yield _change(("data", "attributes", "metric_summaries", EACH, member), base, message, count)
