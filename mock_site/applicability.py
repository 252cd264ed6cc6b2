"""Where a drift applies: tests of a spot, each by its value and what the contract promises there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mock_site import mutations as m
from mock_site.spots import ABSENT, Spot

if TYPE_CHECKING:
    from collections.abc import Callable

_INT64_MAX = 2**63 - 1
_NOT_FOUND = 404
_SAFE_MAGNITUDE = 1e300


def here(spot: Spot) -> bool:
    """Tell whether the document has the place at all."""
    return spot.value is not ABSENT


def member(spot: Spot, *, required: bool) -> bool:
    """Tell whether this is a member the contract knows, and guarantees or not."""
    return here(spot) and spot.is_member and spot.required == required


def required_member(spot: Spot) -> bool:
    """Tell whether this is a guaranteed member."""
    return member(spot, required=True)


def optional_member(spot: Spot) -> bool:
    """Tell whether this is an optional member that is there."""
    return member(spot, required=False)


def movable(spot: Spot) -> bool:
    """Tell whether an object stands above the one this is a member of."""
    return len(spot.path) > 1 and isinstance(spot.path[-2], str)


def is_object(spot: Spot) -> bool:
    """Tell whether this is an object the contract names members of."""
    return isinstance(spot.value, dict) and bool(spot.schema.get("properties"))


def guaranteed_object(spot: Spot) -> bool:
    """Tell whether this is an object with at least one guaranteed member."""
    return is_object(spot) and any(name in spot.value for name in spot.schema.get("required", ()))


def snake_object(spot: Spot) -> bool:
    """Tell whether renaming to camelCase hits a guaranteed member."""
    return guaranteed_object(spot) and any(
        name in spot.value and m.camel_case(name) != name for name in spot.schema["required"]
    )


def only(spot: Spot, *types: str) -> bool:
    """Tell whether the contract promises something here, and nothing but these types (null aside)."""
    return bool(spot.types) and spot.types <= {*types, "null"}


def is_list(spot: Spot) -> bool:
    """Tell whether this is a list and promised to be one."""
    return isinstance(spot.value, list) and only(spot, "array")


def filled_list(spot: Spot) -> bool:
    """Tell whether this is a list with items."""
    return is_list(spot) and bool(spot.value)


def uneven_list(spot: Spot) -> bool:
    """Tell whether this is a list that reads differently backwards."""
    return is_list(spot) and spot.value != spot.value[::-1]


def scalar(spot: Spot) -> bool:
    """Tell whether this is a plain value and promised to be one; an error as text has a drift of its own."""
    if spot.path[:-1] == ("errors",):
        return False
    return isinstance(spot.value, str | bool | int | float) and only(spot, "string", "boolean", "integer", "number")


def integer(spot: Spot) -> bool:
    """Tell whether this is an integer and promised to be one."""
    return type(spot.value) is int and only(spot, "integer")


def number(spot: Spot) -> bool:
    """Tell whether this is a number and promised to be one."""
    return type(spot.value) in {int, float} and only(spot, "integer", "number")


def fraction(spot: Spot) -> bool:
    """Tell whether this is a number written with a fraction, where one is promised."""
    return type(spot.value) is float and only(spot, "number")


def boolean(spot: Spot) -> bool:
    """Tell whether this is a boolean and promised to be one."""
    return isinstance(spot.value, bool) and only(spot, "boolean")


def timestamp(spot: Spot) -> bool:
    """Tell whether this is a date-time in UTC and promised to be a date-time."""
    return isinstance(spot.value, str) and spot.schema.get("format") == "date-time" and m.is_zulu(spot.value)


def enumerated(spot: Spot) -> bool:
    """Tell whether this is one of several listed values."""
    return isinstance(spot.value, str) and len(listed := spot.schema.get("enum", ())) > 1 and spot.value in listed


def constant(spot: Spot) -> bool:
    """Tell whether this is the one listed value."""
    return isinstance(spot.value, str) and [spot.value] == spot.schema.get("enum")


def identity(spot: Spot) -> bool:
    """Tell whether this is the id of the run."""
    return spot.path == ("data", "id") and isinstance(spot.value, str) and m.is_written_number(spot.value)


def in_thousands(spot: Spot) -> bool:
    """Tell whether a change of unit here contradicts nothing else: the duration, or all statistics of a metric."""
    if spot.path == ("data", "attributes", "duration"):
        return number(spot) and bool(spot.value)
    if not is_object(spot) or spot.path[:-1] != ("data", "attributes", "metric_summaries"):
        return False
    statistics = [spot.value.get(name) or 0 for name in m.STATISTICS]
    return any(statistics) and all(abs(value) < _SAFE_MAGNITUDE for value in statistics)


def errors_of(kind: type) -> Callable[[Spot], bool]:
    """Make the test for a whole error body whose errors are all of one promised kind."""
    promised = "object" if kind is dict else "string"

    def applies(spot: Spot) -> bool:
        errors = spot.value.get("errors") if isinstance(spot.value, dict) else None
        schema = spot.schema.get("properties", {}).get("errors", {})
        return (
            not spot.path
            and spot.status != _NOT_FOUND  # a list of strings there means that the route does not exist
            and schema.get("items", {}).get("type") == promised
            and isinstance(errors, list)
            and bool(errors)
            and all(isinstance(error, kind) for error in errors)
        )

    return applies


def within(spot: Spot, bound: int) -> bool:
    """Tell whether this is a promised integer nearer to zero than the bound."""
    return integer(spot) and abs(spot.value) < bound


def imprecise(spot: Spot) -> bool:
    """Tell whether this is an int64 that no double holds."""
    return integer(spot) and float(spot.value) != spot.value and abs(int(float(spot.value))) <= _INT64_MAX


def float32(spot: Spot) -> bool:
    """Tell whether this number loses digits in a 32-bit float, well inside its range."""
    return fraction(spot) and 1e-30 < abs(spot.value) < 1e30 and m.as_float32(spot.value) != spot.value  # noqa: PLR2004  # well inside a 32-bit float
