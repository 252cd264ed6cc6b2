"""The table of drifts: one named change of an answer for each way such APIs have been seen to change.

The kinds are those of some hundred changes to the vendor's published client models. `level` and `rule` are what
holding the answer against the contract alone must say; `none` where only a look at earlier answers could tell.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mock_site import applicability as at
from mock_site import mutations as m
from mock_site.spots import ABSENT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mock_site.spots import Spot

_EXACT_FLOAT = 2**53
_HALVES = 2**50
_LONG_CHARS = 5_000

_ATTRIBUTES = "$.data.attributes"
_SUMMARIES = f"{_ATTRIBUTES}.metric_summaries"

_REMOVED = "response-required-property-removed"
_ADDED = "response-optional-property-added"
_NULLABLE = "response-property-became-nullable"
_RETYPED = "response-property-type-changed"
_GENERALIZED = "response-property-type-generalized"


@dataclass(frozen=True, slots=True)
class Drift:
    """One row: where it applies (`default` unless told otherwise), what it does, and how it must be judged.

    `level` is `breaking`, `warning`, `info` or `none`; `rule` the id the judge must give, empty for `none`.
    `on` tells what it is a drift of: `run` (a 200) or `error`, for the default location.
    """

    name: str
    level: str
    rule: str
    meaning: str
    default: str
    applies: Callable[[Spot], bool]
    mutate: Callable[[m.Place], None]
    on: str = "run"


# --- the table -------------------------------------------------------------------------------------------------------

_BREAKING = (
    # members that go away
    ("required-member-removed", _REMOVED, "A guaranteed member is gone.", f"{_ATTRIBUTES}.name",
     at.required_member, m.removed),
    ("required-member-renamed", _REMOVED, "A guaranteed member has another name.", f"{_ATTRIBUTES}.status",
     at.required_member, m.renamed(lambda name: f"{name}_value")),
    ("required-member-case-changed", _REMOVED, "A guaranteed member's name changes letter case only.",
     f"{_ATTRIBUTES}.created_at", at.required_member, m.renamed(m.camel_case)),
    ("required-member-moved", _REMOVED, "A guaranteed member moves one object up.", f"{_ATTRIBUTES}.name",
     lambda spot: at.required_member(spot) and at.movable(spot), m.moved_up),
    ("members-case-changed", _REMOVED, "All members of an object go from snake_case to camelCase.", _ATTRIBUTES,
     at.snake_object, m.members_renamed(m.camel_case)),
    ("object-wrapped", _REMOVED, "An object is wrapped in another one.", _ATTRIBUTES, at.guaranteed_object,
     m.replaced(lambda value: {"wrapped": value})),
    ("object-flattened", _REMOVED, "An object goes away and its members move into its parent.", _ATTRIBUTES,
     lambda spot: at.required_member(spot) and at.guaranteed_object(spot), m.flattened),
    ("object-variant-replaced", _REMOVED, "Another variant of the object comes, without what was guaranteed.",
     f"{_SUMMARIES}[*]", at.guaranteed_object, m.replaced(lambda _value: {"kind": "reference", "href": "/elsewhere"})),
    # null where none was
    ("nulled", _NULLABLE, "A member is null that never may be.", f"{_ATTRIBUTES}.name",
     lambda spot: at.here(spot) and bool(spot.path) and spot.value is not None and bool(spot.types)
     and "null" not in spot.types, m.replaced(lambda _value: None)),
    ("body-nulled", "response-body-became-nullable", "The whole body is null.", "$",
     lambda spot: not spot.path and at.only(spot, "object"), m.replaced(lambda _value: None)),
    # another type
    ("number-as-string", _RETYPED, "A number arrives as text.", f"{_ATTRIBUTES}.project_id", at.number,
     m.replaced(m.as_text)),
    ("string-as-number", _RETYPED, "Digits arrive as a number.", "$.data.id",
     lambda spot: isinstance(spot.value, str) and at.only(spot, "string") and m.is_written_number(spot.value),
     m.replaced(m.as_number)),
    ("string-as-boolean", _RETYPED, "Text arrives as a boolean.", f"{_ATTRIBUTES}.description",
     lambda spot: isinstance(spot.value, str) and at.only(spot, "string"), m.replaced(lambda _value: True)),
    ("boolean-as-string", _RETYPED, "A boolean arrives as text.", f"{_ATTRIBUTES}.is_pinned", at.boolean,
     m.replaced(lambda value: str(value).lower())),
    ("boolean-as-number", _RETYPED, "A boolean arrives as 0 or 1.", f"{_ATTRIBUTES}.has_children", at.boolean,
     m.replaced(int)),
    ("scalar-wrapped", _RETYPED, "A plain value becomes an object around it.", f"{_ATTRIBUTES}.project_id", at.scalar,
     m.replaced(lambda value: {"value": value})),
    ("list-wrapped", _RETYPED, "A list becomes an object around it, as a JSON:API relationship.",
     f"{_ATTRIBUTES}.tags", at.is_list, m.replaced(lambda value: {"data": value})),
    ("list-as-object", _RETYPED, "A list becomes an object keyed by what the items are called.", _SUMMARIES, at.is_list,
     m.replaced(m.as_keyed_object)),
    ("list-unlisted", _RETYPED, "A list becomes its first item.", _SUMMARIES, at.filled_list,
     m.replaced(lambda value: value[0])),
    ("object-as-list", _RETYPED, "An object becomes a list of one.", "$.data",
     lambda spot: bool(spot.path) and isinstance(spot.value, dict) and at.only(spot, "object"),
     m.replaced(lambda value: [value])),
    ("body-as-list", "response-body-type-changed", "The whole body becomes a list of one.", "$",
     lambda spot: not spot.path and isinstance(spot.value, dict) and at.only(spot, "object"),
     m.replaced(lambda value: [value])),
    # another kind of number
    ("integer-with-fraction", _GENERALIZED, "An integer gets a fraction.", f"{_ATTRIBUTES}.project_id",
     lambda spot: at.within(spot, _HALVES), m.replaced(lambda value: value + 0.5)),
    ("integer-as-float", _GENERALIZED, "An integer is written with a fraction of zero (`5.0`).",
     f"{_ATTRIBUTES}.project_id", lambda spot: at.within(spot, _EXACT_FLOAT), m.replaced(float)),
    ("integer-beyond-int64", "response-property-max-increased", "An integer is above the largest int64.",
     f"{_ATTRIBUTES}.project_id", at.integer, m.replaced(lambda _value: 2**63)),
    ("integer-below-int64", "response-property-min-decreased", "An integer is below the smallest int64.",
     f"{_ATTRIBUTES}.project_id", at.integer, m.replaced(lambda _value: -(2**63) - 1)),
    # values
    ("enum-value-case-changed", "response-property-enum-value-renamed", "A listed value changes its letter case.",
     f"{_ATTRIBUTES}.status", at.enumerated, m.replaced(str.upper)),
    ("constant-changed", "response-property-const-changed", "The only allowed value (the JSON:API type) changes.",
     "$.data.type", at.constant, m.replaced(lambda value: f"model-lab-{value}")),
    ("id-changed", "run-id-mismatch", "Another run comes than was asked for.", "$.data.id", at.identity,
     m.replaced(lambda value: str(int(m.as_number(value)) + 1))),
    ("member-duplicated", "response-body-duplicate-member", "An object names a member twice.", _ATTRIBUTES,
     lambda spot: isinstance(spot.value, dict) and bool(spot.value), m.replaced(m.TwiceNamed)),
    # timestamps
    ("timestamp-with-space", _RETYPED, "A space instead of the `T`.", f"{_ATTRIBUTES}.created_at", at.timestamp,
     m.replaced(m.with_space)),
    ("timestamp-without-zone", _RETYPED, "No zone.", f"{_ATTRIBUTES}.created_at", at.timestamp,
     m.replaced(m.without_zone)),
    ("timestamp-date-only", _RETYPED, "The day without the time.", f"{_ATTRIBUTES}.created_at", at.timestamp,
     m.replaced(m.date_only)),
    ("timestamp-http-date", _RETYPED, "As HTTP headers write it.", f"{_ATTRIBUTES}.created_at", at.timestamp,
     m.replaced(m.http_date)),
    ("timestamp-epoch-s", _RETYPED, "Seconds since the epoch.", f"{_ATTRIBUTES}.created_at", at.timestamp,
     m.replaced(m.epoch_s)),
    ("timestamp-epoch-ms", _RETYPED, "Milliseconds since the epoch.", f"{_ATTRIBUTES}.created_at", at.timestamp,
     m.replaced(m.epoch_ms)),
    ("timestamp-epoch-text", _RETYPED, "Seconds since the epoch, as text.", f"{_ATTRIBUTES}.created_at", at.timestamp,
     m.replaced(lambda value: str(m.epoch_s(value)))),
)  # fmt: skip

_WARNING = (
    ("enum-value-added", "response-property-enum-value-added", "A value the contract does not list.",
     f"{_ATTRIBUTES}.status", at.enumerated, m.replaced(lambda _value: "archived")),
    ("enum-value-replaced", "response-property-enum-value-added", "A listed value is called by another word.",
     f"{_ATTRIBUTES}.status", at.enumerated, m.replaced(m.replacement_of)),
    ("string-lone-surrogate", "response-body-lone-surrogate", "Text is cut in the middle of a character.",
     f"{_ATTRIBUTES}.name", lambda spot: spot.is_plain_text, m.replaced(lambda value: value + "\ud83d")),
    ("errors-as-strings", "response-error-form-changed", "Errors come as strings where objects are documented.", "$",
     at.errors_of(dict), m.replaced(lambda body: {"errors": [str(e.get("title", "Error")) for e in body["errors"]]}),
     "error"),
    ("errors-as-objects", "response-error-form-changed", "Errors come as objects where strings are documented.", "$",
     at.errors_of(str), m.replaced(lambda body: {"errors": [{"title": error} for error in body["errors"]]}), "error"),
)  # fmt: skip

_INFO = (
    ("member-added", _ADDED, "A new member.", _ATTRIBUTES, at.is_object, m.added("is_archived", value=False)),
    ("null-member-added", _ADDED, "A new member that is null.", _ATTRIBUTES, at.is_object,
     m.added("archived_at", None)),
    ("object-member-added", _ADDED, "A new member that is an object.", "$.data", at.is_object,
     m.added("relationships", {"project": {"data": {"id": "7", "type": "projects"}}})),
    ("list-member-added", _ADDED, "A new member that is a list.", f"{_SUMMARIES}[*]", at.is_object,
     m.added("quantiles", [0.5, 0.99])),
    ("optional-member-renamed", _ADDED, "An optional member has another name: to the contract, a new one.",
     f"{_SUMMARIES}[*].mean", at.optional_member, m.renamed(lambda name: f"{name}_value")),
    ("optional-member-case-changed", _ADDED, "An optional member's name changes letter case only.",
     f"{_SUMMARIES}[*].first_step", at.optional_member, m.renamed(m.camel_case)),
    ("optional-member-moved", _ADDED, "An optional member moves one object up.", f"{_ATTRIBUTES}.duration",
     lambda spot: at.optional_member(spot) and at.movable(spot), m.moved_up),
)  # fmt: skip

_NONE = (
    ("optional-member-removed", "An optional member stops coming.", f"{_SUMMARIES}[*].mean",
     at.optional_member, m.removed),
    ("optional-member-filled", "An optional member starts coming.", f"{_ATTRIBUTES}.external_url",
     lambda spot: spot.value is ABSENT and not spot.required and spot.is_member
     and ((at.only(spot, "string") and "format" not in spot.schema) or spot.path[-1] == "stddev"), m.filled),
    ("nullable-member-nulled", "A member is null that may be.", f"{_ATTRIBUTES}.params",
     lambda spot: at.here(spot) and spot.value is not None and "null" in spot.types, m.replaced(lambda _value: None)),
    ("unit-changed", "The same quantity in a unit a thousand times smaller.", f"{_ATTRIBUTES}.duration",
     at.in_thousands, m.replaced(m.times_thousand)),
    ("number-rounded", "A number loses its fraction.", f"{_ATTRIBUTES}.duration",
     lambda spot: spot.path == ("data", "attributes", "duration") and at.fraction(spot), m.replaced(round)),
    ("float-precision-lost", "A number has been through a 32-bit float.", f"{_SUMMARIES}[*].mean", at.float32,
     m.replaced(m.as_float32)),
    ("integer-precision-lost", "A large integer (see the run `extremes`) has been through a double.",
     f"{_ATTRIBUTES}.project_id",
     lambda spot: at.imprecise(spot) and spot.path[-1] == "project_id", m.replaced(lambda value: int(float(value)))),
    ("timestamp-with-offset", "The same instant on a clock two hours east.", f"{_ATTRIBUTES}.created_at", at.timestamp,
     m.replaced(m.with_offset)),
    ("timestamp-nine-digits", "The same instant with nine fraction digits.", f"{_ATTRIBUTES}.created_at",
     lambda spot: at.timestamp(spot) and m.nine_digits(spot.value) != spot.value, m.replaced(m.nine_digits)),
    ("list-reordered", "The same items in another order.", _SUMMARIES, at.uneven_list,
     m.replaced(lambda value: value[::-1])),
    ("list-emptied", "A list has no items any more.", _SUMMARIES,
     lambda spot: at.filled_list(spot) and spot.path[-1:] != ("errors",), m.replaced(lambda _value: [])),
    ("list-cut", "A list has half its items.", f"{_ATTRIBUTES}.params",
     lambda spot: at.is_list(spot) and len(spot.value) > 1, m.replaced(lambda value: value[: len(value) // 2])),
    ("list-item-repeated", "A list has its first item twice.", f"{_ATTRIBUTES}.params", at.filled_list,
     m.replaced(lambda value: [value[0], *value])),
    ("string-emptied", "Text becomes empty.", f"{_ATTRIBUTES}.name",
     lambda spot: spot.is_plain_text and bool(spot.value), m.replaced(lambda _value: "")),
    ("string-lengthened", "Text becomes far longer than ever before.", f"{_ATTRIBUTES}.name",
     lambda spot: spot.is_plain_text, m.replaced(lambda value: value + "x" * _LONG_CHARS)),
)  # fmt: skip

DRIFTS: Mapping[str, Drift] = {
    drift.name: drift
    for drift in (
        *(Drift(row[0], "breaking", *row[1:]) for row in _BREAKING),
        *(Drift(row[0], "warning", *row[1:]) for row in _WARNING),
        *(Drift(row[0], "info", *row[1:]) for row in _INFO),
        *(Drift(row[0], "none", "", *row[1:]) for row in _NONE),
    )
}
"""Every drift by name, the worst first."""
