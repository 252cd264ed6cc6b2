"""What `probe` and `check` print is held to a schema as strictly as the vendor's answers."""

from __future__ import annotations

import copy
from typing import Any

import jsonschema
import jsonschema_rs
import pytest

import schemas
from schemas.formats import FORMATS

REPORT = jsonschema_rs.validator_for(schemas.document("report"), validate_formats=True, formats=dict(FORMATS))


@pytest.mark.parametrize("name", ["full", "nothing-found", "refused"])
def test_a_report_as_printed_is_valid(name: str, reports: dict[str, Any]) -> None:
    jsonschema.validate(
        reports[name], schemas.document("report"), format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )
    assert REPORT.is_valid(reports[name])


def test_every_broken_report_is_refused(broken_reports: dict[str, Any]) -> None:
    assert len(broken_reports) > 400
    assert [name for name, report in broken_reports.items() if REPORT.is_valid(report)] == []


def test_base_and_revision_hold_any_json(reports: dict[str, Any]) -> None:
    for value in (None, True, 1.5, "text", [1], {"a": None}):
        report = copy.deepcopy(reports["full"])
        report["findings"][0] |= {"base": value, "revision": value}
        assert REPORT.is_valid(report)
