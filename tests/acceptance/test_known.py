"""Problems come from reports as they are printed; a fingerprint that is not among them is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from monitors.acceptance.known import Known, chosen, merged, read_report
from monitors.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

FINDING: dict[str, Any] = {
    "rule": "response-property-became-nullable", "level": "breaking", "kind": "contract", "location": "$.data.id",
    "message": "m", "base": "string", "revision": "null", "fingerprint": "00000000000000a1", "site": "US5",
    "check": "run", "source": None, "at": "2026-11-23T10:00:00Z",
}  # fmt: skip


def report(*findings: dict[str, Any]) -> str:
    seen = [{"site": site, "check": "run", "status": 200} for site in ("US5", "EU1")]
    return json.dumps({"verdict": "breaking", "findings": list(findings), "observations": seen})


def test_a_problem_knows_its_sites_statuses_and_first_day() -> None:
    later = FINDING | {"site": "EU1", "at": "2026-11-24T10:00:00Z"}
    [known] = read_report(report(later, FINDING), "r")
    assert (known.sites, known.statuses) == (("EU1", "US5"), (200,))
    assert known.first_seen is not None
    assert known.first_seen.isoformat() == "2026-11-23T10:00:00+00:00"
    assert known.words == "response-property-became-nullable at $.data.id"


def test_a_recording_gives_files_not_entries() -> None:
    [known] = read_report(
        report(*(FINDING | {"site": None, "check": None, "source": s} for s in ("a.har#1", "a.har#2"))), "r"
    )
    assert (known.sources, known.statuses) == (("a.har",), ())


@pytest.mark.parametrize(
    "text",
    ["", "no", "[]", '{"findings": []}', '{"verdict": "none"}', '{"verdict": "none", "findings": [{}]}',
     '{"verdict": "none", "findings": [1]}', report(FINDING | {"at": "then"}), report(FINDING | {"rule": 7}),
     report(FINDING | {"location": 7}), report(FINDING | {"check": [1]}),
     '{"verdict": "none", "findings": [], "observations": [{"site": []}]}',
     '{"verdict": "none", "findings": [], "observations": 1}',
     '{"verdict": "none", "findings": [], "observations": [1]}'],
)  # fmt: skip
def test_what_is_no_report_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"^r: no report"):
        read_report(text, "r")


def test_fingerprints_are_found_in_any_letter_case_each_once(known: Callable[..., Known]) -> None:
    one, other = known(fingerprint="00000000000000a1"), known(fingerprint="00000000000000b2")
    assert chosen([one, other], ["00000000000000B2", " 00000000000000b2", "00000000000000a1"]) == [other, one]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("00000000000000a2", "'00000000000000a2' is not in the report; did you mean 00000000000000a1 (throttled)?"),
        ("zzz", "'zzz' is not in the report. It has 00000000000000a1 (throttled)."),
    ],
)
def test_an_unknown_fingerprint_is_refused_with_the_nearest(
    asked: str, message: str, known: Callable[..., Known]
) -> None:
    with pytest.raises(UsageError) as caught:
        chosen([known("throttled", fingerprint="00000000000000a1", location=None)], [asked])
    assert str(caught.value) == message


def test_an_empty_report_has_no_fingerprints(known: Callable[..., Known]) -> None:
    with pytest.raises(UsageError, match="the report has no findings"):
        chosen([], ["a"])
    many = [known(fingerprint=f"{number:016x}") for number in range(9)]
    with pytest.raises(UsageError, match=r"and 4 more\.$"):
        chosen(many, ["zzz"])


def test_merging_keeps_the_first_and_joins_where(known: Callable[..., Known]) -> None:
    one = known(sites=("US5",), first_seen=None)
    assert merged([one, replace(one, sites=("EU1",), statuses=())]) == [replace(one, sites=("US5", "EU1"))]
