from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from monitors.model import Kind, Level
from monitors.report import RENDERERS

if TYPE_CHECKING:
    from collections.abc import Callable
    from xml.etree.ElementTree import Element

    from monitors.model import Finding, Observation
    from monitors.report import Report


def parsed(report: Report) -> Element:
    return ET.fromstring(RENDERERS["junit"](report))  # noqa: S314 - our own output


# What the XML schemas in circulation (Ant's, Jenkins', pytest's) have in common.
ATTRIBUTES = {
    "testsuites": {"name", "tests", "failures", "errors", "time"},
    "testsuite": {"name", "tests", "failures", "errors", "skipped", "time", "timestamp"},
    "testcase": {"name", "classname", "time"},
    "failure": {"message", "type"},
    "error": {"message", "type"},
    "skipped": {"message"},
    "system-out": set(),
}
CHILDREN = {
    "testsuites": ["testsuite"],
    "testsuite": ["testcase"],
    "testcase": ["skipped", "error", "failure", "system-out"],
}


def check_shape(root: Element) -> None:
    for element in root.iter():
        assert set(element.attrib) == ATTRIBUTES[element.tag]
        tags = [child.tag for child in element]
        allowed = CHILDREN.get(element.tag, [])
        assert set(tags) <= set(allowed)
        if element.tag == "testcase":
            assert tags == sorted(set(tags), key=allowed.index)
    for name in ("tests", "failures", "errors"):
        assert int(root.attrib[name]) == sum(int(suite.attrib[name]) for suite in root)
    for suite in root:
        assert int(suite.attrib["tests"]) == len(suite)
        for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.attrib[name]) == len(suite.findall(f"testcase/{tag}"))


def test_each_probe_is_a_case_of_its_sites_suite(mixed: Report) -> None:
    root = parsed(mixed)
    check_shape(root)
    assert [suite.attrib["name"] for suite in root][:3] == ["US1", "US3", "US5"]
    assert (root.attrib["tests"], root.attrib["failures"], root.attrib["errors"]) == ("36", "6", "0")
    failure = root.find("testsuite[@name='US5']/testcase[@name='run']/failure")
    assert failure is not None
    assert failure.attrib["message"] == "response-property-type-changed: an integer became a string"
    assert "at $.data.attributes.project_id: an integer became a string (integer -> string)" in str(failure.text)


def test_what_does_not_fail_the_command_is_said_beside_the_passing_case(mixed: Report) -> None:
    case = parsed(mixed).find("testsuite[@name='US1']/testcase[@name='run']")
    assert case is not None
    assert case.find("failure") is None
    assert case.findtext("system-out") == "warning throttled: the rate limit is used up"


def test_the_threshold_decides_what_is_a_failure(
    report: Callable[..., Report], finding: Callable[..., Finding], observation: Callable[..., Observation]
) -> None:
    found = (finding(level=Level.WARNING), finding("throttled", level=Level.INFO, kind=Kind.AVAILABILITY))
    for fail_on, failures in ((Level.BREAKING, 0), (Level.WARNING, 1), (Level.INFO, 1), (None, 0)):
        root = parsed(report(observations=(observation(),), findings=found, fail_on=fail_on))
        check_shape(root)
        assert root.attrib["failures"] == str(failures), fail_on


def test_recorded_answers_are_cases_of_their_files_suite(checked: Report) -> None:
    root = parsed(checked)
    check_shape(root)
    assert [suite.attrib["name"] for suite in root] == ["session.har"]
    assert [case.attrib["name"] for case in root.iter("testcase")] == [
        "session.har#1",
        "session.har#4",
        "session.har#7",
    ]


def test_the_monitors_own_failure_is_an_error_not_a_failure(report: Callable[..., Report]) -> None:
    root = parsed(report(harness_failures=("the disk is full",)))
    check_shape(root)
    assert (root.attrib["failures"], root.attrib["errors"]) == ("0", "1")


def test_a_finding_of_no_probe_gets_a_case_of_its_own(
    report: Callable[..., Report], finding: Callable[..., Finding]
) -> None:
    root = parsed(report(findings=(finding(site=None, check=None),)))
    check_shape(root)
    assert root.attrib["failures"] == "1"


def test_the_document_says_it_is_utf8(mixed: Report) -> None:
    assert RENDERERS["junit"](mixed).startswith("<?xml version='1.0' encoding='utf-8'?>\n")
