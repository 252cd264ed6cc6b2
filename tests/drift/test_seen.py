"""Values and names in another form: points in time, numbers in other units, spellings."""

from __future__ import annotations

from typing import Any

import pytest

from monitors.drift.formats import format_of, moment, number_in
from monitors.drift.names import alike, spelled, words
from monitors.drift.seen import Seen, form_changes, unit_factor


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-05-18T15:55:50.38705Z", "date-time"),
        ("2026-05-18T15:55:36Z", "date-time"),
        ("2026-05-18t15:55:36z", "date-time"),
        ("2026-05-18T15:55:36+02:00", "date-time"),
        ("2026-05-18T15:55:36+0200", None),
        ("2026-05-18 15:55:36 UTC", None),
        ("2026-13-18T15:55:36Z", None),
        ("2026-05-18T15:55:36", None),
        ("2026-05-18", "date"),
        ("2026-05-32", None),
        ("not a date", None),
        ("3f0c7a52-6b1e-4d0a-9a51-0c8f2f1f9a10", "uuid"),
        ("3f0c7a52-6b1e-4d0a-9a51-0c8f2f1f9a1g", None),
        ("x" * 1000, None),
        ("", None),
    ],
)
def test_formats_are_recognised_strictly(text: str, expected: str | None) -> None:
    """Only what is surely of a format is said to be."""
    assert format_of(text) == expected


@pytest.mark.parametrize(
    ("text", "style"),
    [
        ("2026-05-18T15:55:36Z", "TZ"),
        ("2026-05-18 15:55:36 UTC", " UTC"),
        ("2026-05-18T15:55:36", "Tno zone"),
        ("2026-05-18T15:55:36-0130", "Toffset of 5 characters"),
        ("Mon, 18 May 2026 15:55:36 GMT", "HTTP date"),
    ],
)
def test_moments_keep_their_style(text: str, style: str) -> None:
    """The instant and the way it is written are told apart."""
    read = moment(text)
    assert read is not None
    assert read.style == style


@pytest.mark.parametrize("text", ["Mon, 99 May 2026 15:55:36 GMT", "2026-05-18T15:55:36+99:99", "2026-99-18 15:55:36"])
def test_impossible_moments_are_none(text: str) -> None:
    """A text of the right form that is no point in time is just text."""
    assert moment(text) is None


@pytest.mark.parametrize(("text", "expected"), [("12", 12), ("-1.5e3", -1500.0), ("012", None), ("1" * 99, None)])
def test_numbers_in_text(text: str, expected: float | None) -> None:
    """Text that spells a number as JSON would is one."""
    assert number_in(text) == expected


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (83, 83000, 1000.0), (83000, 83, 0.001), (12.5, 750.0, 60.0), (1.5, 1.5e9, 1e9), (1, 1000, None), (0, 5, None),
        (-45, -45000, 1000.0), (1234.5, 123450, 100.0), (60, 3600, None),
    ],
)  # fmt: skip
def test_units_are_told_from_chance(old: float, new: float, expected: float | None) -> None:
    """A factor between units counts where the number has enough digits."""
    found = unit_factor(old, new)
    assert found == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (0.123456789, 0.123, ["precision-lost"]),
        (31781629558784.5, 3.178e13, []),
        (3.14159265, 3.1415, ["precision-lost"]),
        (3.14159265, 2.7, []),
        (12.5, 12, []),
        (float("inf"), 1.0, []),
        ("ONE_OF", "one_of", ["text-reformatted"]),
        ("one", "two", []),
        ("same", "same", []),
        ("2026-05-18T15:55:36Z", "2026-05-18", ["timestamp-reformatted"]),
        (True, 1, []),
        ("1", 1, []),
    ],
)
def test_forms_of_values(old: Any, new: Any, expected: list[str]) -> None:
    """The same value in another form is told from another value."""
    assert [delta.what for delta in form_changes(old, new)] == expected


@pytest.mark.parametrize("name", ["failedRules", "failed_rules", "Failed-Rules", "FAILED_RULES", "failed rules"])
def test_spellings_of_a_name_are_equal(name: str) -> None:
    """Letter case and separators do not make another name."""
    assert (words(name), spelled(name)) == (("failed", "rules"), "failedrules")


def test_names_without_letters_stay_themselves() -> None:
    """What has no word in it is equal to itself only."""
    assert spelled("--") == "--"
    assert not alike("--", "++")


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("embeddedQueries", "queries", True), ("total_count", "total", True), ("desc", "description", True),
        ("query", "queries", True), ("colour", "color", True), ("created_at_time", "created_at_date", True),
        ("mode", "override_type", False), ("alias", "team", False), ("url", "uri_list", False),
    ],
)  # fmt: skip
def test_names_alike(one: str, other: str, expected: bool) -> None:  # noqa: FBT001  # a parameter of the table
    """Names that may name one thing are told from others."""
    assert alike(one, other) is expected
    assert alike(other, one) is expected


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("text", "text", 2), (True, True, 1), ([], [], 1), ({"a": 1, "b": 2}, {"a": 1, "b": 3}, 2),
        ({"a": 1}, {"b": 1}, 0), ([{"a": 1}], [{"a": 2}], 1), ([1], [], 1), ("x", "y", 0), (1, "1", 0), (1, 1.0, 1),
        ({}, {"a": 1}, 1),
    ],
)  # fmt: skip
def test_values_as_evidence(one: Any, other: Any, expected: int) -> None:
    """An equal value that is no chance speaks for a rename, another value against it."""
    assert Seen(one).alike(Seen(other)) == expected
