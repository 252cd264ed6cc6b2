"""The runs of the mock: any id gives the same run forever, made anew when asked for, nothing held in memory.

How often members are absent, null, empty or whole follows what real answers look like. Each site has runs of its
own: the same id is another run there, of the same kind.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mock_site.dice import Dice
from mock_site.moments import Moment
from mock_site.names import MODELS, ORGANS, OWNERS_BUCKETS, PARAMETERS, PARTS, TAGS, WORDS

if TYPE_CHECKING:
    from collections.abc import Mapping

LAST_ORDINARY_ID = 1_000_000
"""Every id from 1 to this exists on every site; beyond it only the named ones do."""

STATUSES = ("pending", "running", "completed", "failed", "killed", "unresponsive", "paused")
_STATUS_SHARES = ("completed",) * 14 + ("running",) * 2 + ("failed",) * 2 + ("killed",) + STATUSES[5:] + ("pending",)
_FINISHED = frozenset({"completed", "failed", "killed"})

INT64_MAX = 2**63 - 1
INT64_MIN = -(2**63)
_BEYOND_DOUBLES = INT64_MAX - 1022  # next to the largest int64 a double can hold, but not one
_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a run is made of; None leaves it to chance. `fraction_digits` are those of every timestamp.

    `optional` says of every optional member whether it is there: by chance, `absent`, `null` or `present`.
    """

    status: str | None = None
    summaries: int | None = None
    params: int | None = None
    no_params: bool | None = None
    tags: int | None = None
    fraction_digits: int | None = None
    optional: str | None = None
    description: str | None = None
    extreme: bool = False
    foreign: bool = False


_FULL = Recipe(status="completed", no_params=False, summaries=3, params=3, tags=2, optional="present")

_NAMED: tuple[tuple[str, int, str, Recipe], ...] = (
    ("typical", 42, "About 9 KB: 30 metric summaries, 110 parameters.",
     Recipe(status="completed", summaries=30, params=110, no_params=False, tags=3)),
    ("empty", 1001, "Nothing optional; `metric_summaries`, `params` and `tags` are empty lists.",
     Recipe(status="pending", summaries=0, params=0, no_params=False, tags=0, optional="absent", description="")),
    ("null-params", 1002, "`params` is null, as of a run without parameters.", Recipe(no_params=True, summaries=2)),
    ("all-nulls", 1003, "Every member that may be null is null.",
     Recipe(status="running", summaries=3, no_params=True, tags=1, optional="null")),
    ("all-members", 1004, "Every member is there, `deleted_at` and `stddev` included.", _FULL),
    ("bare-completed", 1005, "Completed, yet without `completed_at` and `duration`: real ones can be so.",
     Recipe(status="completed", summaries=4, params=4, no_params=False, optional="absent")),
    *((f"status-{status}", 1010 + i, f"A run that is {status}.", Recipe(status=status))
      for i, status in enumerate(STATUSES)),
    *((f"fraction-{digits}", 1020 + digits, f"Timestamps with {digits or 'no'} fraction digits.",
       replace(_FULL, fraction_digits=digits)) for digits in (0, *range(2, 10))),
    ("unicode", 1030, "Names and values in many scripts, emoji, quotes, control characters.",
     replace(_FULL, foreign=True, summaries=12, params=12)),
    ("extremes", 1031, "The ends of int64, the largest and smallest doubles, exponents.",
     replace(_FULL, extreme=True, summaries=8)),
    ("huge", 1040, "About 1 MB: 5,000 metric summaries, 2,000 parameters.",
     Recipe(status="completed", summaries=5_000, params=2_000, no_params=False, tags=50)),
    ("long-text", 1041, "A description of 100,000 characters.",
     replace(_FULL, description="All work and no play makes a dull run. " * 2_565)),
    ("large-id", 2**53 + 1, "An id no double can hold: readers that go through one ask for another run.", Recipe()),
)  # fmt: skip

NAMED_RUNS: Mapping[str, int] = {name: run_id for name, run_id, _, _ in _NAMED}
"""Ids of runs that are worth trying, by what they show."""

NOTES: Mapping[str, str] = {name: note for name, _, note, _ in _NAMED}
"""One line on each named run."""

_RECIPES: Mapping[int, Recipe] = {run_id: recipe for _, run_id, _, recipe in _NAMED}


def exists(run_id: int) -> bool:
    """Tell whether a run with this id exists; it then does on every site."""
    return 1 <= run_id <= LAST_ORDINARY_ID or run_id in _RECIPES


def run_document(site: str, run_id: int, *, like: int | None = None) -> dict[str, Any] | None:
    """Return the body of a run as parsed JSON, or None where it does not exist.

    `like` is the id of a named run whose kind this one shall have.
    """
    if not exists(run_id):
        return None
    recipe = _RECIPES.get(run_id if like is None else like, Recipe())
    dice = Dice(f"{site}/{run_id}")
    return {"data": {"attributes": _attributes(dice, recipe), "id": str(run_id), "type": "runs"}}


def run_body(site: str, run_id: int, *, like: int | None = None) -> bytes | None:
    """Return the body of a run as bytes, or None where it does not exist."""
    document = run_document(site, run_id, like=like)
    return None if document is None else json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _attributes(dice: Dice, recipe: Recipe) -> dict[str, Any]:
    status = recipe.status or dice.pick(_STATUS_SHARES)
    name = f"{dice.pick(MODELS)}-{dice.pick(WORDS)}-{dice.between(1, 9999)}"
    description = "" if dice.chance(0.4) else f"{dice.pick(WORDS).capitalize()} of {dice.pick(MODELS)}."
    times, duration_s = _times(dice, recipe, status)
    members: dict[str, Any] = {
        **times,
        "descendant_match": dice.chance(0.05),
        "description": description if recipe.description is None else recipe.description,
        "duration": duration_s,
        "external_url": f"https://ci.example/jobs/{dice.between(1, 99999)}" if _there(dice, recipe, 0.1) else None,
        "has_children": dice.chance(0.1),
        "is_pinned": dice.chance(0.1),
        "metric_summaries": _summaries(dice, recipe),
        "mlflow_artifact_location": f"s3://{dice.pick(OWNERS_BUCKETS)}/{dice.hexadecimal(12)}/artifacts",
        "name": _FOREIGN if recipe.foreign else name,
        "owner_id": _uuid(dice) if _there(dice, recipe, 0.8) else None,
        "params": _params(dice, recipe),
        "project_id": _BEYOND_DOUBLES if recipe.extreme else dice.between(1, 5000),
        "status": status,
        "tags": _tags(dice, recipe),
    }
    kept = {k: members[k] for k in sorted(members) if _kept(k, members[k], recipe)}
    return {**kept, "metric_summaries": [_optional_kept(s, recipe) for s in members["metric_summaries"]]}


_OPTIONAL = ("completed_at", "deleted_at", "duration", "external_url", "owner_id")
_OPTIONAL_OF_SUMMARY = ("first_step", "last_step", "latest", "max", "mean", "min", "stddev")


def _kept(name: str, value: Any, recipe: Recipe) -> bool:
    return value is not None or name not in _OPTIONAL or recipe.optional == "null"


def _optional_kept(summary: dict[str, Any], recipe: Recipe) -> dict[str, Any]:
    if recipe.optional == "null":
        return {**summary, **dict.fromkeys(_OPTIONAL_OF_SUMMARY)}
    if recipe.optional == "absent":
        return {name: value for name, value in summary.items() if name not in _OPTIONAL_OF_SUMMARY}
    return summary


def _there(dice: Dice, recipe: Recipe, share: float) -> bool:
    by_chance = dice.chance(share)
    return by_chance if recipe.optional is None else recipe.optional == "present"


def _uuid(dice: Dice) -> str:
    return "-".join((dice.hexadecimal(8), dice.hexadecimal(4), "4" + dice.hexadecimal(3),
                     "a" + dice.hexadecimal(3), dice.hexadecimal(12)))  # fmt: skip


# --- times -----------------------------------------------------------------------------------------------------------


def _times(dice: Dice, recipe: Recipe, status: str) -> tuple[dict[str, str | None], float | int | None]:
    """Return the timestamps, in order whatever their precision, and the duration in seconds that fits them."""
    created = Moment.thrown(dice, recipe.fraction_digits)
    started = created if dice.chance(0.2) else created.later(dice, dice.amount(1, 120))
    ended = started.later(dice, dice.amount(1, 200_000))
    updated = ended.later(dice, dice.amount(1, 5_000))
    deleted = updated.later(dice, dice.amount(1, 9_000))
    finished = status in _FINISHED and _there(dice, recipe, 0.85)
    times = {
        "completed_at": ended.text if finished else None,
        "created_at": created.text,
        "deleted_at": deleted.text if recipe.optional == "present" else None,
        "started_at": started.text,
        "updated_at": (deleted if recipe.optional == "present" else updated).text,
    }
    return times, _number((ended.at_ns - started.at_ns) / _NS) if finished else None


def _number(value: float) -> float | int:
    """Write a whole number without a fraction, as the real API does."""
    return int(value) if value.is_integer() and abs(value) < INT64_MAX else value


# --- metrics, parameters, tags ---------------------------------------------------------------------------------------


def _summaries(dice: Dice, recipe: Recipe) -> list[dict[str, Any]]:
    few = 0 if dice.chance(0.15) else dice.between(1, 30)
    count = few if recipe.summaries is None else recipe.summaries
    return [_summary(dice, recipe, index) for index in range(count)]


def _summary(dice: Dice, recipe: Recipe, index: int) -> dict[str, Any]:
    low, mean, latest, high = _statistics(dice)
    first = dice.between(0, 100)
    count = dice.between(1, 50_000)
    last = first + count * dice.pick((1, 1, 1, 10)) - 1
    if recipe.extreme:
        first, last, count = INT64_MIN, INT64_MAX, INT64_MAX
        low, high = -1.7976931348623157e308, 1.7976931348623157e308
        mean, latest = dice.pick((5e-324, -2.2250738585072014e-308, 1e22, -0.0)), dice.pick((1e-7, 9007199254740993.0))
    summary = {
        "count": count,
        "first_step": first,
        "key": _metric_key(dice, recipe, index),
        "last_step": last,
        "latest": _number(latest),
        "max": _number(high),
        "mean": _number(mean),
        "min": _number(low),
    }
    if recipe.optional == "present":
        summary["stddev"] = _number(min(high - low, 1e300) / 4)
    return summary


def _statistics(dice: Dice) -> tuple[float, float, float, float]:
    """Return min, mean, latest and max of one metric: losses, rates, byte counts and tiny learning rates."""
    kind = dice.between(0, 9)
    if kind == 0:
        whole = float(dice.between(0, 40_000_000_000_000))
        return 0.0, whole / 2, whole, whole
    scale = dice.pick((1e-9, 1e-6, 1e-6, 1.0, 1.0, 1.0, 1.0, 100.0, 1e6))
    values = sorted(float(f"{dice.amount(0, scale):.{dice.pick((3, 6, 16))}g}") for _ in range(3))
    low, middle, high = values
    if kind == 1:
        low = 0.0
    return low, middle, low if dice.chance(0.3) else middle, high


def _metric_key(dice: Dice, recipe: Recipe, index: int) -> str:
    if recipe.foreign:
        return f"{_SCRIPTS[index % len(_SCRIPTS)]}/{index}"
    return f"{dice.pick(PARTS)}/{dice.pick(ORGANS)}_{dice.pick(WORDS)}" + (f"_{index}" if dice.chance(0.3) else "")


def _params(dice: Dice, recipe: Recipe) -> list[dict[str, str]] | None:
    none = dice.chance(0.3)
    many = dice.between(0, 110)
    if none if recipe.no_params is None else recipe.no_params:
        return None
    count = many if recipe.params is None else recipe.params
    return [_param(dice, recipe, index) for index in range(count)]


def _param(dice: Dice, recipe: Recipe, index: int) -> dict[str, str]:
    if recipe.foreign:
        return {"key": f"p{index}", "value": _SCRIPTS[index % len(_SCRIPTS)]}
    values = (
        str(dice.between(0, 4096)),
        f"{dice.amount(0, 1):.4g}",
        str(dice.chance(0.5)),
        dice.pick(WORDS),
        "None",
        "",
    )
    return {"key": f"{dice.pick(PARAMETERS)}.{dice.pick(ORGANS)}_{index}", "value": dice.pick(values)}


def _tags(dice: Dice, recipe: Recipe) -> list[dict[str, str]]:
    count = dice.between(0, 4) if recipe.tags is None else recipe.tags
    return [{"key": dice.pick(TAGS), "value": dice.pick(WORDS)} for _ in range(count)]


_SCRIPTS = (
    "naïve", "Ångström", "学習率", "学習‍率", "потеря", "نسبة", "אובדן", "हानि", "🧪🔬", "👩🏽‍🔬", "e\u0301", "\u00e9",
    'quo"te', "back\\slash", "tab\tline\nend", "nul\u0000", "\u2028\u2029", "\U0010ffff", "\ufeffbom", "</script>",
)  # fmt: skip
_FOREIGN = "試し-" + "🧪" * 3 + "-проба"
