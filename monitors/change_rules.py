"""Rows of the table of rules for differences between two contracts, and for how answers change their form.

A row names a change without its scope; the id gets `response-body-` or `response-property-` in front. Where a level
is not oasdiff's (release 1.28), the reason stands beside the row.
"""

from __future__ import annotations

from monitors.model import Level

_INFO, _WARNING, _BREAKING = Level.INFO, Level.WARNING, Level.BREAKING

# Loosened limits are warnings, where oasdiff calls them errors: the value still has the type, and decodes; only what
# a reader assumed of its size is wrong. `pattern` is a warning where oasdiff says nothing: texts come that never came.
# A first variant beside a single form (wrapped-in-one-of) breaks, one more variant of a union is a warning: who reads
# a union already looks which variant came.

BOTH: tuple[tuple[str, Level, str], ...] = (
    ("type-changed", _BREAKING, "The type or the format is another one."),
    ("type-generalized", _BREAKING, "More values of a wider type or format may come, e.g. fractions in an integer."),
    ("type-specialized", _INFO, "The type or format is narrower than before."),
    ("type-compatible", _INFO, "The type or format is written differently but means the same to readers."),
    ("list-of-types-widened", _BREAKING, "A further type may come."),
    ("list-of-types-narrowed", _INFO, "A type no longer comes."),
    ("became-nullable", _BREAKING, "Null may come where none came."),
    ("became-not-nullable", _INFO, "Null no longer comes."),
    ("const-changed", _BREAKING, "The single allowed value is another one."),
    ("const-removed", _BREAKING, "A constant may have any value."),
    ("const-added", _INFO, "A value is constant now."),
    ("one-of-removed", _INFO, "A variant no longer comes."),
    ("max-increased", _BREAKING, "Numbers beyond a machine's integer may come."),
    ("min-decreased", _BREAKING, "Numbers beyond a machine's integer may come."),
    ("max-length-increased", _WARNING, "Longer text may come."),
    ("max-length-unset", _WARNING, "Text of any length may come."),
    ("min-length-decreased", _WARNING, "Shorter text may come."),
    ("min-items-decreased", _WARNING, "Shorter lists may come."),
    ("min-items-unset", _WARNING, "Empty lists may come."),
    ("max-contains-increased", _BREAKING, "More items of a kind may come."),
    ("max-contains-decreased", _INFO, "Fewer items of a kind come."),
    ("min-contains-decreased", _BREAKING, "Items of a kind a reader relies on may be missing."),
    ("min-contains-increased", _INFO, "More items of a kind are promised."),
    ("contains-added", _INFO, "An item of a kind is promised."),
    ("contains-removed", _BREAKING, "An item of a kind is no longer promised."),
    ("prefix-items-added", _BREAKING, "A list has a place more than it ever had."),
    ("content-encoding-changed", _BREAKING, "Text is encoded differently."),
    ("content-media-type-changed", _BREAKING, "Text holds another media type."),
    ("content-schema-added", _INFO, "What text holds is described."),
    ("content-schema-removed", _BREAKING, "What text holds is no longer described."),
    ("dependent-required-added", _INFO, "A member now comes with another one."),
    ("dependent-required-changed", _BREAKING, "A member no longer comes with another one."),
    ("dependent-required-removed", _BREAKING, "A member no longer comes with others."),
    ("dependent-schema-added", _INFO, "More follows from a member."),
    ("dependent-schema-removed", _BREAKING, "Nothing follows from a member any more."),
    ("if-added", _INFO, "A condition restricts values."),
    ("if-removed", _BREAKING, "A condition no longer restricts values."),
    ("then-added", _INFO, "Where a condition holds, more is promised."),
    ("then-removed", _BREAKING, "Where a condition holds, less is promised."),
    ("else-added", _INFO, "Where a condition does not hold, more is promised."),
    ("else-removed", _BREAKING, "Where a condition does not hold, less is promised."),
    ("pattern-property-added", _INFO, "Members whose names match a pattern are described."),
    ("pattern-property-removed", _BREAKING, "Members whose names match a pattern are no longer described."),
    ("property-names-added", _INFO, "Names of members are restricted."),
    ("property-names-removed", _BREAKING, "Names of members are no longer restricted."),
    ("unevaluated-items-added", _INFO, "Items nothing describes are restricted."),
    ("unevaluated-items-removed", _BREAKING, "Items nothing describes are no longer restricted."),
    ("unevaluated-properties-added", _INFO, "Members nothing describes are restricted."),
    ("unevaluated-properties-removed", _BREAKING, "Members nothing describes are no longer restricted."),
    ("default-value-added", _INFO, "A default value is documented."),
    ("default-value-changed", _INFO, "The documented default value is another one."),
    ("default-value-removed", _INFO, "No default value is documented any more."),
    ("discriminator-added", _INFO, "A member tells variants apart."),
    ("discriminator-removed", _INFO, "No member tells variants apart any more."),
    ("discriminator-property-name-changed", _INFO, "Another member tells variants apart."),
)
"""oasdiff has these for the body as a whole and for members."""

PROPERTY: tuple[tuple[str, Level, str], ...] = (
    ("became-optional", _BREAKING, "A member is no longer promised."),
    ("became-required", _INFO, "A member is promised now."),
    ("enum-value-added", _WARNING, "A value comes that the contract does not list."),
    ("enum-value-removed", _INFO, "A listed value no longer comes."),
    ("pattern-added", _INFO, "Text matches a pattern now."),
    ("pattern-changed", _WARNING, "Text matches another pattern."),
    ("pattern-removed", _WARNING, "Text need not match a pattern any more."),
    ("deprecated", _INFO, "A member is deprecated."),
    ("reactivated", _INFO, "A member is no longer deprecated."),
)
"""oasdiff has these for members only; they serve the body as a whole too."""

WHOLE: tuple[tuple[str, Level, str], ...] = (
    ("response-body-wrapped-in-one-of", _BREAKING, "One form became several, not all of which its readers know."),
    ("response-optional-property-removed", _WARNING, "A member that was optional no longer comes."),
    ("response-required-property-added", _INFO, "A member is new, and promised."),
    ("response-success-status-removed", _BREAKING, "A success no longer has this status."),
    ("response-success-status-added", _INFO, "A success may have another status."),
    ("response-non-success-status-removed", _INFO, "An error status is no longer documented."),
    ("response-non-success-status-added", _INFO, "Another error status is documented."),
    ("response-body-media-type-schema-added", _INFO, "A media type is described by a schema."),
    ("response-body-media-type-schema-removed", _WARNING, "A media type is no longer described by a schema."),
    ("required-response-header-removed", _BREAKING, "A promised header no longer comes."),
    ("optional-response-header-removed", _WARNING, "A header that was optional no longer comes."),
    ("response-header-added", _INFO, "A header is new."),
    ("response-header-became-optional", _BREAKING, "A header is no longer promised."),
    ("response-header-became-nullable", _BREAKING, "A header may be null."),
    ("response-header-became-not-nullable", _INFO, "A header is no longer null."),
    ("response-header-type-changed", _BREAKING, "A header has another type."),
    ("response-header-type-generalized", _BREAKING, "A header has a wider type."),
    ("response-header-type-specialized", _INFO, "A header has a narrower type."),
)
"""oasdiff's ids that have no scope."""

OWN: tuple[tuple[str, Level, str], ...] = (
    ("object-replaced", _BREAKING, "An object keeps none of its members and has others instead."),
    ("enum-opened", _WARNING, "Any value may come where only listed ones came."),
    ("enum-introduced", _INFO, "Only listed values come now."),
    ("one-of-flattened", _BREAKING, "Several forms became one that mixes them."),
    ("range-widened", _WARNING, "Numbers outside the documented range may come, of the same machine type."),
    ("multiple-of-changed", _WARNING, "Numbers need no longer be multiples of a step."),
    ("max-items-increased", _WARNING, "Longer lists may come."),
    ("unique-items-unset", _WARNING, "Items may repeat."),
    ("items-opened", _WARNING, "Lists may be longer than their described places."),
    ("items-closed", _INFO, "Lists are no longer than their described places."),
    ("max-properties-increased", _WARNING, "Objects with more members may come."),
    ("min-properties-decreased", _WARNING, "Objects with fewer members may come."),
    ("constraint-tightened", _INFO, "A limit is stricter than before."),
    ("format-changed", _WARNING, "Text has another format, which readers see as text all the same."),
    ("format-removed", _WARNING, "Text no longer has the documented format, which readers see as text all the same."),
    # oasdiff calls an opened `unevaluatedProperties` an error; to a reader both ways of opening are additions.
    ("additional-properties-opened", _INFO, "Members not listed may come; readers ignore them."),
    ("additional-properties-closed", _INFO, "Members not listed no longer come."),
    ("additional-properties-described", _INFO, "Members not listed are described."),
    ("additional-properties-removed", _WARNING, "The members of a map no longer come."),
    ("property-names-changed", _WARNING, "Other names of members may come."),
    ("contains-changed", _WARNING, "An item of another kind is promised."),
    ("unevaluated-items-changed", _WARNING, "Items nothing describes may be of another kind."),
    ("unevaluated-properties-changed", _WARNING, "Members nothing describes may be of another kind."),
    ("content-schema-changed", _WARNING, "What text holds may be of another kind."),
    ("if-changed", _WARNING, "A condition is another one."),
    ("not-added", _INFO, "More values are ruled out."),
    ("not-changed", _WARNING, "Values that were ruled out may come."),
    ("schema-not-compared", _WARNING, "The schemas are too deep or too tangled to compare from some place on."),
)
"""Ours, for the body as a whole and for members."""

OWN_WHOLE: tuple[tuple[str, Level, str], ...] = (
    ("response-property-wrapped-in-one-of", _BREAKING, "One form became several, not all of which its readers know."),
    ("response-property-renamed", _BREAKING, "A member is there under another name: the old one never comes again."),
    ("response-property-moved", _BREAKING, "A member is there under another parent: the old place stays empty."),
    ("operation-removed", _BREAKING, "An operation is no longer described."),
    ("operation-added", _INFO, "An operation is new."),
    ("response-header-changed", _WARNING, "A header changed in another way than by type."),
    ("response-undeclared-property-removed", _INFO, "A member no contract ever listed no longer comes."),
    ("response-property-value-nulled", _INFO, "A value became null where the contract allows null."),
    ("response-property-absent-unlike-others", _INFO, "An optional member other resources always had is absent."),
    ("response-property-unlike-others", _WARNING, "A value differs in form from what other resources always had."),
    ("response-property-unit-changed", _BREAKING, "A number is the earlier one in another unit."),
    ("response-property-precision-lost", _WARNING, "A value is the earlier one with fewer digits."),
    ("response-property-timestamp-reformatted", _WARNING, "A point in time is written differently."),
    ("response-property-text-reformatted", _WARNING, "A text no longer has the form it always had."),
    ("response-property-array-reordered", _WARNING, "The items of a list come in another order."),
    ("response-property-value-changed", _WARNING, "A finished run has another value than when it was first seen."),
    ("response-property-value-added", _INFO, "A finished run has a value where it was first seen without one."),
    ("response-property-value-rewritten", _INFO, "A value is written differently but means the same to readers."),
    ("response-property-not-on-all-sites", _INFO, "A member the contract does not know comes from some sites only."),
    ("response-property-unlike-other-sites", _WARNING, "A value has another type or format than on the other sites."),
)
"""Ours, with ids that have no scope, or for answers compared with earlier answers."""


def rows() -> list[tuple[str, Level, str, bool]]:
    """Return id, level, meaning, and whether the id is ours, of every row."""
    scoped = [(BOTH, ("body", "property"), False), (PROPERTY, ("property",), False), (OWN, ("body", "property"), True)]
    found = [
        (f"response-{scope}-{name}", level, meaning, own)
        for table, scopes, own in scoped
        for name, level, meaning in table
        for scope in scopes
    ]
    found.extend((*row, False) for row in WHOLE)
    found.extend((*row, True) for row in OWN_WHOLE)
    return found
