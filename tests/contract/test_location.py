"""Places are written as JSONPath that names every member unambiguously."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from monitors.location import EACH, indexes, location


def test_plain_and_odd_names() -> None:
    """Plain names stand after a dot, others quoted; list indexes are generalised."""
    assert location(("a", 3, "b_c", EACH, "x y", "it's", "\x1b")) == "$.a[*].b_c[*]['x y']['it\\'s']['\\u001b']"
    assert location(()) == "$"
    assert indexes(("a", 3, "b", 0)) == (3, 0)


def test_a_long_name_is_cut() -> None:
    """A hostile name of a megabyte does not become a location of a megabyte."""
    assert len(location(("x" * 1_000_000,))) < 200


@given(st.lists(st.text(max_size=10)), st.lists(st.text(max_size=10)))
def test_different_paths_have_different_locations(one: list[str], two: list[str]) -> None:
    """Quoting is injective and never prints a control character."""
    assert (location(one) == location(two)) == (one == two)
    assert location(one).isprintable()
