from __future__ import annotations

from typing import TYPE_CHECKING

from monitors.model import Skipped
from monitors.recordings import LeftAside
from monitors.report.notes import notes

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitors.report import Report


def no_keys(site: str, check: str) -> Skipped:
    suffix = site.replace("-", "_")
    return Skipped(site, check, f"no keys: set DD_API_KEY_{suffix} and DD_APP_KEY_{suffix}")


def test_sites_that_lack_the_same_are_told_in_one_line(report: Callable[..., Report]) -> None:
    skipped = [no_keys(site, check) for site in ("US1", "US1-FED", "EU1") for check in ("run", "not-found")]
    (line,) = notes(report(skipped=tuple(skipped)))
    assert line == (
        "Not made: run and not-found on US1, US1-FED and EU1: no keys: set DD_API_KEY_SITE and DD_APP_KEY_SITE, "
        "e.g. DD_API_KEY_US1"
    )


def test_a_reason_without_a_variable_has_no_example(report: Callable[..., Report]) -> None:
    skipped = tuple(Skipped(site, "run", f"{site} throttles") for site in ("US1", "EU1"))
    assert notes(report(skipped=skipped)) == ["Not made: run on US1 and EU1: SITE throttles"]


def test_a_single_site_is_named_in_its_reason(report: Callable[..., Report]) -> None:
    skipped = (Skipped("AP2", "run", "AP2 throttles: an earlier check got 429"), no_keys("US5", "run"))
    assert notes(report(skipped=skipped)) == [
        "Not made: run on AP2: AP2 throttles: an earlier check got 429",
        "Not made: run on US5: no keys: set DD_API_KEY_US5 and DD_APP_KEY_US5",
    ]


def test_sites_that_lack_different_checks_have_a_line_each(report: Callable[..., Report]) -> None:
    skipped = (no_keys("US1", "run"), no_keys("US3", "run"), no_keys("US3", "not-found"))
    assert [note.split(":")[1] for note in notes(report(skipped=skipped))] == [
        " run on US1",
        " run and not-found on US3",
    ]


def test_what_was_left_aside_is_counted_by_reason_most_first(report: Callable[..., Report]) -> None:
    aside = (LeftAside("a", "no answer", 1), LeftAside("a", "another operation", 1_200), LeftAside("b", "no answer", 2))
    assert notes(report(left_aside=aside)) == ["Left aside: 1,203 entries (1,200 another operation and 3 no answer)"]


def test_a_report_with_nothing_to_add_adds_nothing(report: Callable[..., Report]) -> None:
    assert notes(report()) == []
