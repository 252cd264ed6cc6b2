from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from rich.cells import cell_len

from monitors.model import Kind, Level, Phases
from monitors.report import RENDERERS, Layout

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitors.model import Finding, Observation
    from monitors.report import Report

table = RENDERERS["table"]


def test_nothing_found_is_the_grid_and_one_calm_line(
    report: Callable[..., Report], observation: Callable[..., Observation]
) -> None:
    seen = tuple(
        observation(site, phases=Phases(first_byte_s=first_byte_s))
        for site, first_byte_s in (("US1", 0.1), ("EU1", 0.25))
    )
    assert table(report(observations=seen), Layout(80)) == (
        "site   run\n"
        "US1    ✓ 200 100 ms\n"
        "EU1    ✓ 200 250 ms\n"
        "\n"
        "✓ All well (2 probes of 2 sites, the slowest in 250 ms on EU1).\n"
    )


def test_problems_stand_below_the_grid_worst_first_each_once(mixed: Report) -> None:
    text = table(mixed, Layout(80))
    assert re.findall(r"^[▼✗▲•] (\S+)  (.*)$", text, re.MULTILINE) == [
        ("unavailable", "127.0.0.1 refused the connection"),
        ("breaking", "an integer became a string"),
        ("warning", "the rate limit is used up"),
        ("note", "a member the contract does not know"),
    ]
    assert "  $.data.attributes.project_id  integer → string\n" in text
    assert "  response-property-type-changed · run on US5 and AP1\n" in text
    assert "  connection-refused · every check on EU1\n" in text


def test_a_site_that_is_down_shows_why_in_a_word(mixed: Report) -> None:
    assert re.search(r"^EU1 +▼ refused +▼ refused +▼ refused +▼ refused$", table(mixed, Layout(80)), re.MULTILINE)


def test_checks_not_made_are_marked_and_explained(mixed: Report) -> None:
    text = table(mixed, Layout(200))
    assert re.search(r"^US3 +· +· +· +✓ 401 198 ms", text, re.MULTILINE)
    assert "Not made: run, not-found and bad-request on US3, AP2 and UK1: no keys" in text


@pytest.mark.parametrize("width", [1, 40, 60, 80, 120, 200])
def test_no_line_is_wider_than_the_terminal(mixed: Report, width: int) -> None:
    text = table(mixed, Layout(width, verbose=True))
    assert max(cell_len(line) for line in text.splitlines()) <= max(width, 40)


def test_a_wide_terminal_has_room_for_the_median_of_each_phase(mixed: Report) -> None:
    text = table(mixed, Layout(130))
    assert re.search(r"^US1 .* 1 ms +12 ms +24 ms +161 ms +<1 ms$", text, re.MULTILINE)
    assert "first byte" not in table(mixed, Layout(80))


@pytest.mark.parametrize("width", range(40, 140))
def test_every_width_shows_whole_sites_and_every_mark(mixed: Report, width: int) -> None:
    """Nothing in the grid is cut, whatever there is room for beside the marks."""
    grid = table(mixed, Layout(width)).split("\n\n")[0]
    assert "…" not in grid
    lines = grid.splitlines()[-9:]
    assert [line.split()[0] for line in lines] == mixed.sites
    marks = [re.findall("[✓✗▲▼•·]", line) for line in lines]
    assert marks[1] == ["·", "·", "·", "✓"]
    assert marks[2] == ["✗", "✓", "✓", "✓"]
    assert marks[3] == ["▼"] * 4


def test_a_narrow_terminal_gets_less_of_each_probe(mixed: Report) -> None:
    def us1(width: int) -> str:
        return next(line for line in table(mixed, Layout(width)).splitlines() if line.startswith("US1 "))

    assert us1(80) == "US1       ▲ 200 198 ms   ✓ 404 198 ms   ✓ 400 198 ms   ✓ 401 198 ms"
    assert us1(65) == "US1       ▲ 200       ✓ 404       ✓ 400         ✓ 401"
    assert us1(52) == "US1      ▲ 200      ✓ 404      ✓ 400      ✓ 401"
    assert us1(40) == "US1     ▲   ✓     ✓       ✓"


def test_a_long_heading_is_broken_where_it_has_to_be(mixed: Report) -> None:
    assert table(mixed, Layout(40)).splitlines()[:2] == [
        "            not-  bad-    unauthen",
        "site    run found request ticated",
    ]


def test_phases_come_as_soon_as_they_fit(mixed: Report) -> None:
    first = next(width for width in range(72, 200) if "first byte" in table(mixed, Layout(width)))
    assert max(cell_len(line) for line in table(mixed, Layout(first)).split("\n\n")[0].splitlines()) == first


def test_verbose_lists_each_probe_with_its_phases_size_and_certificate(mixed: Report) -> None:
    text = table(mixed, Layout(120, verbose=True))
    assert re.search(r"^US1 +run +1 ms +12 ms +24 ms +161 ms +<1 ms +9.0 kB +90 d$", text, re.MULTILINE)


def test_a_terminal_without_unicode_gets_ascii(mixed: Report) -> None:
    text = table(mixed, Layout(80, unicode=False))
    assert text.isascii()
    assert "integer -> string" in text
    assert re.search(r"^EU1 +v refused", text, re.MULTILINE)


def test_colour_comes_only_when_asked_for(mixed: Report) -> None:
    assert "\x1b" not in table(mixed, Layout(80))
    assert "\x1b[31m" in table(mixed, Layout(80, colour=True))
    stripped = re.sub(r"\x1b\[[0-9;]*m", "", table(mixed, Layout(80, colour=True)))
    assert [line.rstrip() for line in stripped.splitlines()] == table(mixed, Layout(80)).splitlines()


def test_thousands_of_problems_are_capped(report: Callable[..., Report], finding: Callable[..., Finding]) -> None:
    many = tuple(finding(location=f"$.data.m{number}") for number in range(10_000))
    text = table(report(findings=many), Layout(80))
    assert text.count("✗ breaking") == 40
    assert "and 9,960 more; --format json shows all" in text


def test_sites_that_say_different_things_are_each_quoted(
    report: Callable[..., Report], finding: Callable[..., Finding]
) -> None:
    said = tuple(
        finding("run-not-found", kind=Kind.AVAILABILITY, site=f"S{number}", message=f"run {number} does not exist")
        for number in range(5)
    )
    text = table(report(findings=said), Layout(200))
    assert "run 0 does not exist (S0); run 1 does not exist (S1); run 2 does not exist (S2); and 2 more" in text


def test_recordings_have_no_grid_and_say_what_was_left_aside(checked: Report) -> None:
    assert table(checked, Layout(80)) == (
        "✗ breaking  an integer became a string\n"
        "  $.data.id  string → 7\n"
        "  response-property-type-changed · session.har#4\n"
        "\n"
        "Left aside: 15 entries (15 another operation)\n"
        "\n"
        "✗ The contract is broken in 1 answer (3 judged, 15 left aside).\n"
    )


def test_verbose_lists_recorded_answers_with_their_site(
    report: Callable[..., Report], observation: Callable[..., Observation], finding: Callable[..., Finding]
) -> None:
    seen = (observation("US5", None, source="a.har#1"), observation(None, None, 404, source="a.har#2"))
    broken = finding(site=None, check=None, source="a.har#2")
    text = table(report("check", observations=seen, findings=(broken,)), Layout(80, verbose=True))
    assert text.startswith("✓ 200 a.har#1 · US5\n✗ 404 a.har#2\n\n✗ breaking")


def test_many_recorded_answers_are_capped(
    report: Callable[..., Report], observation: Callable[..., Observation]
) -> None:
    seen = tuple(observation(None, None, source=f"a.har#{number}") for number in range(1, 1_204))
    text = table(report("check", observations=seen), Layout(80, verbose=True))
    assert "✓ 200 a.har#1000\nand 203 more\n\n✓ Every answer" in text


def test_the_monitors_own_failure_is_said_as_such(report: Callable[..., Report]) -> None:
    text = table(report(harness_failures=("the disk is full",)), Layout(80))
    assert text == "The monitor itself failed: the disk is full\n✗ The monitor itself failed (0 probes of 0 sites).\n"


def test_a_warning_alone_ends_in_a_warning_sign(report: Callable[..., Report], finding: Callable[..., Finding]) -> None:
    text = table(report(findings=(finding(level=Level.WARNING),)), Layout(80))
    assert text.splitlines()[-1].startswith("▲ 1 warning")


@pytest.mark.parametrize("command", ["probe", "check"])
def test_nothing_judged_gets_no_tick(command: str, report: Callable[..., Report]) -> None:
    assert table(report(command), Layout(80)).startswith("▲ Nothing was judged")


def test_a_check_asked_of_one_site_alone_leaves_the_other_cells_empty(
    report: Callable[..., Report], observation: Callable[..., Observation]
) -> None:
    seen = (observation("US1", "run"), observation("EU1", "not-found", 404))
    assert table(report(observations=seen), Layout(80)).splitlines()[:3] == [
        "site   run            not-found",
        "US1    ✓ 200 198 ms",
        "EU1                   ✓ 404 198 ms",
    ]


@pytest.mark.parametrize(("number", "text"), [(None, ""), (999, "999 B"), (1_000, "1.0 kB"), (10_485_760, "10.5 MB")])
def test_sizes_are_for_people(
    report: Callable[..., Report], observation: Callable[..., Observation], number: int | None, text: str
) -> None:
    seen = observation(body_size=number, tls=None)
    printed = table(report(observations=(seen,)), Layout(120, verbose=True))
    assert printed.splitlines()[4].split("<1 ms")[1].strip() == text


def test_a_problem_of_many_answers_names_the_first(
    report: Callable[..., Report], finding: Callable[..., Finding]
) -> None:
    many = tuple(finding(site=None, check=None, source=f"a.har#{number}") for number in range(1, 8))
    assert "response-property-type-changed · 7 answers, first a.har#1\n" in table(
        report("check", findings=many), Layout(100)
    )
