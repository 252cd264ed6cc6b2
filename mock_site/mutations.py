"""Single changes to a document in place, each a function of the place it changes. Used by the table of drifts."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from mock_site.spots import Spot

_SECOND = len("2026-01-01T00:00:00")
_TWO_HOURS = timedelta(hours=2)


class TwiceNamed(dict[str, Any]):
    """An object whose first member is written twice; only the written form shows it."""

    def items(self) -> Any:
        """Return the members as they are written."""
        first = next(iter(super().items()))
        return [first, *super().items()]


@dataclass(frozen=True, slots=True)
class Place:
    """One spot inside a document that may be changed; `root` holds the document under the name `""`."""

    root: dict[str, Any]
    spot: Spot

    @property
    def key(self) -> Any:
        """The name or index of the spot in its parent."""
        return self.spot.path[-1] if self.spot.path else ""

    @property
    def parent(self) -> Any:
        """The object or list the spot is in."""
        return self.ancestor(1)

    def ancestor(self, levels: int) -> Any:
        """Return what is `levels` above the spot; the holder of the document is above everything."""
        node: Any = self.root
        for step in ("", *self.spot.path)[: max(0, len(self.spot.path) + 1 - levels)]:
            node = node[step]
        return node


def replaced(by: Callable[[Any], Any]) -> Callable[[Place], None]:
    """Make a mutation that puts `by(value)` in the place of the value."""

    def mutate(place: Place) -> None:
        place.parent[place.key] = by(place.parent[place.key])

    return mutate


def removed(place: Place) -> None:
    """Take the member away."""
    del place.parent[place.key]


def filled(place: Place) -> None:
    """Give an absent member a value that fits its type."""
    place.parent[place.key] = 0.25 if "number" in place.spot.types else "sent from now on"


def added(name: str, value: Any) -> Callable[[Place], None]:
    """Make a mutation that adds a member to the object."""

    def mutate(place: Place) -> None:
        place.parent[place.key][name] = value

    return mutate


def renamed(to: Callable[[str], str]) -> Callable[[Place], None]:
    """Make a mutation that renames the member and leaves it where it stands."""

    def mutate(place: Place) -> None:
        _rename(place.parent, lambda name: to(name) if name == place.key else name)

    return mutate


def members_renamed(to: Callable[[str], str]) -> Callable[[Place], None]:
    """Make a mutation that renames every member of the object."""

    def mutate(place: Place) -> None:
        _rename(place.parent[place.key], to)

    return mutate


def _rename(node: dict[str, Any], to: Callable[[str], str]) -> None:
    members = list(node.items())
    node.clear()
    for name, value in members:
        node[to(name)] = value


def moved_up(place: Place) -> None:
    """Move the member one object up."""
    above = place.ancestor(2)
    above[free_name(above, place.key)] = place.parent.pop(place.key)


def flattened(place: Place) -> None:
    """Take the object away and put its members into its parent."""
    parent = place.parent
    for name, value in parent.pop(place.key).items():
        parent[free_name(parent, name)] = value


def free_name(node: dict[str, Any], name: str) -> str:
    """Return the name, with underscores added until the object has no such member."""
    while name in node:
        name += "_"
    return name


def camel_case(name: str) -> str:
    """Return a snake_case name in camelCase, and one without underscores with a capital first letter."""
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest) if rest else name[:1].upper() + name[1:]


# --- values --------------------------------------------------------------------------------------------------------


def as_keyed_object(items: list[Any]) -> dict[str, Any]:
    """Return a list as an object: by the items' own keys where they have one, else by position."""
    keyed: dict[str, Any] = {}
    for index, item in enumerate(items):
        name = item["key"] if isinstance(item, dict) and isinstance(item.get("key"), str) else str(index)
        keyed[free_name(keyed, name)] = item
    return keyed


_WRITTEN_NUMBER = re.compile(r"-?(0|[1-9]\d{0,15})(\.\d{1,15})?\Z", re.ASCII)


def is_written_number(text: str) -> bool:
    """Tell whether a string is how a JSON number of moderate size is written."""
    return bool(_WRITTEN_NUMBER.match(text))


def as_number(text: str) -> int | float:
    """Return the number a string writes."""
    return float(text) if "." in text else int(text)


def as_text(number: float) -> str:
    """Return a number as text, whole ones without a fraction."""
    return str(int(number)) if float(number).is_integer() else repr(number)


def as_float32(number: float) -> float:
    """Return the number with the precision of a 32-bit float."""
    return float(struct.unpack("<f", struct.pack("<f", number))[0])


STATISTICS = frozenset({"latest", "max", "mean", "min", "stddev"})
"""The members of a metric summary that have the unit of the metric."""


def times_thousand(value: Any) -> Any:
    """Return a number, or the statistics of a metric summary, in a unit a thousand times smaller."""
    if isinstance(value, dict):
        return {name: v * 1000 if name in STATISTICS and v is not None else v for name, v in value.items()}
    return value * 1000


def replacement_of(status: str) -> str:
    """Return the word another product uses for a status of a run."""
    return {"completed": "succeeded", "failed": "errored", "killed": "cancelled"}.get(status, "queued")


# --- timestamps ----------------------------------------------------------------------------------------------------


def moment(text: str) -> datetime:
    """Read a date-time, to the microsecond; raises `ValueError` for another string."""
    cut = re.sub(r"\.(\d+)", lambda match: "." + match[1][:6].ljust(6, "0"), text)
    read = datetime.fromisoformat(cut)
    if read.tzinfo is None:
        message = f"no zone in {text!r}"
        raise ValueError(message)
    return read


def is_zulu(text: str) -> bool:
    """Tell whether this is a date-time in UTC, written with `Z`, not too near the ends of the calendar."""
    try:
        return text.endswith("Z") and 1970 <= moment(text).year < 9999  # noqa: PLR2004  # an epoch and a last year
    except ValueError:
        return False


def with_space(text: str) -> str:
    """Write a space where the `T` stands."""
    return text.replace("T", " ", 1)


def without_zone(text: str) -> str:
    """Drop the zone."""
    return text[:-1]


def date_only(text: str) -> str:
    """Keep the day only."""
    return text[: len("2026-01-01")]


def with_offset(text: str) -> str:
    """Write the same instant as the clock shows it two hours east."""
    shifted = moment(text[:_SECOND] + "Z") + _TWO_HOURS
    return shifted.strftime("%Y-%m-%dT%H:%M:%S").zfill(_SECOND) + text[_SECOND:-1] + "+02:00"


def nine_digits(text: str) -> str:
    """Write the same instant with nine fraction digits."""
    return text[:_SECOND] + "." + text[_SECOND:-1].lstrip(".").ljust(9, "0")[:9] + "Z"


def epoch_s(text: str) -> int:
    """Return whole seconds since the epoch."""
    return int(moment(text).timestamp())


def epoch_ms(text: str) -> int:
    """Return milliseconds since the epoch."""
    return int(moment(text).timestamp() * 1000)


def http_date(text: str) -> str:
    """Write the moment as HTTP headers do."""
    return format_datetime(moment(text).astimezone(UTC), usegmt=True)
