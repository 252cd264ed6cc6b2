"""Judging a body (parse, repeated names, unknown members) against jsonschema's validation and json.loads."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from jsonschema import Draft202012Validator, FormatChecker
from measure import Row, interleaved, markdown

import schemas
from mock_site.catalogue import NAMED_RUNS, run_body
from monitors.contract import judge
from monitors.model import Observation


def observation(body: bytes, run_id: int) -> Observation:
    """Return a probe's observation of a run."""
    headers = (("content-type", "application/json"),)
    return Observation(
        "US5", "run", datetime.now(UTC), "GET", "https://api.us5.datadoghq.com/", str(run_id), True, 200, headers, body
    )


def rows() -> list[Row]:
    """Measure both sizes; raises `AssertionError` where the judge finds anything in these valid runs."""
    measured = []
    small_id, large_id = NAMED_RUNS["typical"], NAMED_RUNS["huge"]
    small, large = run_body("US5", small_id), run_body("US5", large_id)
    seen = observation(small, small_id)
    assert judge(seen) == []
    reference = Draft202012Validator(schemas.document("run"), format_checker=FormatChecker())
    value = json.loads(small)
    ours_s, theirs_s = interleaved(
        lambda: judge(seen), lambda: reference.is_valid(value), rounds=9, ours_n=200, theirs_n=10
    )
    faster = theirs_s / ours_s
    measured.append(
        Row(
            f"judging a run of {len(small):,} bytes against `jsonschema`'s validation alone",
            f"{ours_s * 1e6:.0f} µs", f"{theirs_s * 1e6:,.0f} µs", f"{faster:.1f} × faster", "≥ 20 ×", faster >= 20,
        )
    )  # fmt: skip
    huge = observation(large, large_id)
    assert judge(huge) == []
    ours_s, theirs_s = interleaved(lambda: judge(huge), lambda: json.loads(large), rounds=9, ours_n=5, theirs_n=5)
    cost = ours_s / theirs_s
    measured.append(
        Row(
            f"judging a run of {len(large):,} bytes against `json.loads` of it",
            f"{ours_s * 1e3:.1f} ms", f"{theirs_s * 1e3:.1f} ms", f"{cost:.2f} ×", "≤ 5 ×", cost <= 5,
        )
    )  # fmt: skip
    return measured


if __name__ == "__main__":
    print(markdown(rows()))
