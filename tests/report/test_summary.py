from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors.model import Kind, Level
from monitors.recordings import LeftAside
from monitors.report.summary import sentence
from monitors.report.text import counted, listed, milliseconds, percent

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitors.model import Finding, Observation
    from monitors.report import Report


def test_all_well_names_the_slowest(report: Callable[..., Report], observation: Callable[..., Observation]) -> None:
    assert sentence(report(observations=(observation(),))) == "All well (1 probe of 1 site, the slowest in 198 ms)."


def test_nothing_judged_is_not_all_well(report: Callable[..., Report]) -> None:
    assert sentence(report()) == "Nothing was judged (0 probes of 0 sites)."
    aside = (LeftAside("a.har", "another operation", 3),)
    assert sentence(report("check", left_aside=aside)) == "Nothing was judged (0 judged, 3 left aside)."


def test_recordings_that_keep_the_contract_say_so(
    report: Callable[..., Report], observation: Callable[..., Observation]
) -> None:
    seen = tuple(observation(None, None, source=f"a.har#{number}") for number in range(1_204))
    assert sentence(report("check", observations=seen)) == "Every answer keeps the contract (1,204 judged)."


def test_outages_in_recordings_name_no_site(report: Callable[..., Report], finding: Callable[..., Finding]) -> None:
    found = finding("edge-answer", kind=Kind.AVAILABILITY, site=None, check=None, source="a.har#1")
    assert sentence(report("check", findings=(found,))) == "1 answer from no working site (edge-answer) (0 judged)."


def test_a_break_everywhere_is_said_in_a_word(
    report: Callable[..., Report], observation: Callable[..., Observation], finding: Callable[..., Finding]
) -> None:
    seen = (observation("US5"), observation("EU1"))
    found = (finding(site="US5"), finding(site="EU1"))
    text = sentence(report(observations=seen, findings=found))
    assert text == "The contract is broken on all 2 sites (2 probes of 2 sites)."


def test_one_problem_on_two_sites_is_one_warning(
    report: Callable[..., Report], finding: Callable[..., Finding]
) -> None:
    found = tuple(finding(level=Level.WARNING, site=site) for site in ("US5", "EU1"))
    assert sentence(report(findings=found)).startswith("1 warning (")


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ([], ""),
        (["a"], "a"),
        (["a", "b"], "a and b"),
        (["a", "b", "c"], "a, b and c"),
        (list("abcd"), "a, b and 2 more"),
    ],
)
def test_words_are_listed_as_a_person_would(words: list[str], text: str) -> None:
    assert listed(words, 3) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (0.0, "<1 ms"),
        (0.001, "1 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1.00 s"),
        (9.994, "9.99 s"),
        (9.996, "10.0 s"),
        (300, "300.0 s"),
    ],
)
def test_durations_take_few_characters(seconds: float | None, text: str) -> None:
    assert milliseconds(seconds) == text


def test_numbers_agree_with_their_nouns() -> None:
    assert [counted(number, "site") for number in (0, 1, 2_000)] == ["0 sites", "1 site", "2,000 sites"]
    assert counted(2, "entry", "entries") == "2 entries"


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (None, "-"), (0.0, "0 %"), (1.0, "100 %"), (0.25, "25.00 %"), (0.57, "57.00 %"), (1 / 3, "33.33 %"),
        (0.00001, "<0.01 %"), (0.0001, "0.01 %"), (0.999999999999, "99.99 %"), (0.9999, "99.99 %"),
    ],
)  # fmt: skip
def test_a_share_is_rounded_down_and_whole_only_where_it_is(share: float | None, text: str) -> None:
    assert percent(share) == text


@given(total=st.integers(1, 10**7), data=st.data())
def test_a_share_of_a_count_is_never_told_as_more_than_it_is(total: int, data: st.DataObject) -> None:
    part = data.draw(st.integers(0, total))
    text = percent(part / total)
    assert (text == "100 %", text == "0 %") == (part == total, part == 0)
    if not text.startswith("<"):
        assert 0 <= Fraction(part, total) * 100 - Fraction(text.removesuffix(" %")) < Fraction(1, 100)
