"""Rows of the table of rules for what the vendor publishes about the operation, beside the bodies of its responses.

Ids of parameters are oasdiff's, with its levels; it has none for sites, and calls a deprecation harmless, which it is
not for who would be surprised by the end.
"""

from __future__ import annotations

from monitors.model import Level

_INFO, _WARNING, _BREAKING = Level.INFO, Level.WARNING, Level.BREAKING

_OASDIFF: tuple[tuple[str, Level, str], ...] = (
    ("new-required-request-parameter", _BREAKING, "A request needs a parameter it did not need."),
    ("new-optional-request-parameter", _INFO, "A request may carry a further parameter."),
    ("request-parameter-removed", _WARNING, "A parameter is no longer described."),
    ("request-parameter-became-required", _BREAKING, "A parameter that could be left out is required."),
    ("request-parameter-became-optional", _INFO, "A required parameter may be left out."),
    ("request-parameter-type-changed", _BREAKING, "A parameter has another type or format."),
    ("request-parameter-enum-value-removed", _BREAKING, "A value of a parameter is no longer accepted."),
    ("request-parameter-enum-value-added", _INFO, "A parameter may have a further value."),
)
_OWN: tuple[tuple[str, Level, str], ...] = (
    ("site-added", _INFO, "The vendor lists a site the contract does not know."),
    ("site-removed", _WARNING, "The vendor no longer lists a site of the contract."),
    ("site-endpoint-changed", _BREAKING, "The vendor lists a site with another endpoint than the contract."),
    ("endpoint-path-changed", _BREAKING, "The operation has another path on every site."),
    ("preview-ended", _INFO, "The vendor no longer calls the operation a preview."),
    ("operation-deprecated", _WARNING, "The vendor calls the operation deprecated."),
)


def rows() -> list[tuple[str, Level, str, bool]]:
    """Return id, level, meaning, and whether the id is ours, of every row."""
    return [*((*row, False) for row in _OASDIFF), *((*row, True) for row in _OWN)]
