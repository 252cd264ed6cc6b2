"""One table of rules: known ids, levels, and a rule for every neutral change in use."""

from __future__ import annotations

import pytest

from monitors.model import Change, Kind, Level
from monitors.rules import RULES, judge, rule_id


def test_every_id_is_its_rows() -> None:
    """The table is keyed by what its rows are called, and every meaning is a sentence."""
    assert all(rule.id == key for key, rule in RULES.items())
    assert all(rule.meaning.endswith(".") for rule in RULES.values())


@pytest.mark.parametrize(
    ("what", "location", "expected"),
    [
        ("type-changed", "$", "response-body-type-changed"),
        ("type-changed", "$.a", "response-property-type-changed"),
        ("required-property-removed", "$.a", "response-required-property-removed"),
        ("body-empty", "$", "response-body-empty"),
        ("run-id-mismatch", "$.data.id", "run-id-mismatch"),
        ("enum-value-added", "$", "response-property-enum-value-added"),
    ],
)
def test_a_change_finds_its_rule(what: str, location: str, expected: str) -> None:
    """The scope of a rule follows from the location."""
    assert rule_id(Change(what, location, None, None, "")) == expected


def test_a_change_without_a_rule_is_a_bug() -> None:
    """An unknown change is refused by name."""
    with pytest.raises(KeyError, match="no rule for the change 'odd'"):
        rule_id(Change("odd", "$", None, None, ""))


def test_judging_keeps_order_and_context() -> None:
    """Findings come in the order of the changes and carry site, check and source."""
    first, second = judge(
        [Change("type-changed", "$.a", 1, 2, "m"), Change("enum-value-added", "$.b", ["x"], "y", "n")],
        site="US5", check="run", source="f",
    )  # fmt: skip
    assert (first.level, first.kind, first.site, first.source) == (Level.BREAKING, Kind.CONTRACT, "US5", "f")
    assert (second.level, second.discriminator) == (Level.WARNING, "y")
