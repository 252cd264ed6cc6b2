"""JUnit XML: one test case for each probe or recorded answer, one suite for each site or file."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from monitors.report.grouping import Problem
from monitors.report.text import plain
from monitors.report.value import place_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitors.model import Finding
    from monitors.report.value import Layout, Place, Report

_NAME = "model-lab-monitor"
_WHOLE = "(whole report)"


def render(report: Report, layout: Layout) -> str:  # noqa: ARG001 - every renderer has one signature
    """Return one `testsuites` document; a case fails by the finding that makes the command fail.

    Findings below that stand in the case's `system-out`. What was skipped is a skipped case.
    """
    cases = _cases(report)
    root = Element("testsuites", _totals(_NAME, [case for suite in cases.values() for case in suite]))
    for name, suite in cases.items():
        element = SubElement(root, "testsuite", _totals(name, suite))
        element.set("skipped", str(_number(suite, "skipped")))
        element.set("timestamp", report.at.strftime("%Y-%m-%dT%H:%M:%S"))
        element.extend(suite)
    indent(root)
    return f"<?xml version='1.0' encoding='utf-8'?>\n{tostring(root, encoding='unicode')}\n"


def _cases(report: Report) -> dict[str, list[Element]]:
    suites: dict[str, list[Element]] = {}
    places = report.findings_by_place()
    for seen in report.observations:
        found = places.pop(place_of(seen), [])
        _suite(suites, place_of(seen)).append(_case(report, place_of(seen), seen.phases.total_s, found))
    for place, found in places.items():
        _suite(suites, place).append(_case(report, place, 0, found))
    for entry in report.skipped:
        case = _named((entry.site, entry.check, None), 0)
        SubElement(case, "skipped", {"message": plain(entry.reason)})
        _suite(suites, (entry.site, None, None)).append(case)
    for line in report.harness_failures:
        case = _named((None, "monitor", None), 0)
        SubElement(case, "error", {"message": plain(line), "type": "HarnessError"})
        _suite(suites, (None, None, None)).append(case)
    return suites


def _suite(suites: dict[str, list[Element]], place: Place) -> list[Element]:
    site, _, source = place
    name = plain(site or (source or _WHOLE).rsplit("#", 1)[0])
    return suites.setdefault(name, [])


def _named(place: Place, time_s: float) -> Element:
    site, check, source = place
    classname = f"{_NAME}.{plain(site)}" if site else _NAME
    name = plain(check or source or _WHOLE)
    return Element("testcase", {"name": name, "classname": classname, "time": f"{time_s:.3f}"})


def _case(report: Report, place: Place, time_s: float, found: Sequence[Finding]) -> Element:
    case = _named(place, time_s)
    failing = [finding for finding in found if report.fails(finding)]
    if failing:
        worst = max(failing, key=lambda finding: finding.level)
        message = f"{worst.rule}: {plain(worst.message)}"
        SubElement(case, "failure", {"message": message, "type": worst.rule}).text = _lines(failing)
    if lesser := [finding for finding in found if not report.fails(finding)]:
        SubElement(case, "system-out").text = _lines(lesser)
    return case


def _lines(findings: Sequence[Finding]) -> str:
    return "\n".join(_line(finding) for finding in findings)


def _line(finding: Finding) -> str:
    where = f" at {plain(finding.location)}" if finding.location else ""
    problem = Problem(finding, finding.level)
    moved = problem.moved
    words = f" ({' -> '.join(moved)})" if moved else ""
    accepted = f" [{plain(acceptance)}]" if (acceptance := problem.acceptance) else ""
    return f"{finding.level} {finding.rule}{where}: {plain(finding.message)}{words}{accepted}"


def _totals(name: str, cases: Sequence[Element]) -> dict[str, str]:
    time_s = sum(float(case.get("time", "0")) for case in cases)
    return {
        "name": name,
        "tests": str(len(cases)),
        "failures": str(_number(cases, "failure")),
        "errors": str(_number(cases, "error")),
        "time": f"{time_s:.3f}",
    }


def _number(cases: Sequence[Element], tag: str) -> int:
    return sum(1 for case in cases if case.find(tag) is not None)
