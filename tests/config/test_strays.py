from __future__ import annotations

import pytest

from monitors.config import strays
from monitors.sites import SITES


@pytest.mark.parametrize(
    ("variable", "told"),
    [
        ("DD_API_KEY_US6", "no site is called US6; did you mean DD_API_KEY_US5?"),
        ("DD_APP_KEY_us5", "no site is called us5; did you mean DD_APP_KEY_US5?"),
        ("DD_API_KEY_EU", "no site is called EU; did you mean DD_API_KEY_EU1?"),
        ("MODEL_LAB_RUN_ID_US1FED", "no site is called US1FED; did you mean MODEL_LAB_RUN_ID_US1_FED?"),
        ("DD_APP_KEY_AP3_FILE", "no site is called AP3; did you mean DD_APP_KEY_AP2_FILE?"),
        ("DD_API_KEY_SITE", "no site is called SITE; did you mean DD_API_KEY_US1?"),
    ],
)
def test_a_variable_of_no_site_is_told_with_the_nearest(variable: str, told: str) -> None:
    (line,) = strays({variable: "not-to-be-printed"})
    assert line == f"{variable} is not read: {told}"


@pytest.mark.parametrize(
    "variable",
    [
        "DD_API_KEY",
        "DD_APP_KEY_FILE",
        "DD_API_KEY_SECRET_ARN",
        "DD_API_KEY_SSM_NAME",
        "DD_SITE",
        "MODEL_LAB_RUN_ID",
        *(f"DD_API_KEY_{site.env_suffix}{end}" for site in SITES.values() for end in ("", "_FILE")),
    ],
)
def test_variables_somebody_reads_are_none(variable: str) -> None:
    assert not list(strays({variable: "x"}))


def test_an_empty_variable_counts_as_unset() -> None:
    assert not list(strays({"DD_API_KEY_US6": ""}))
