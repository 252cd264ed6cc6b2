from __future__ import annotations

import pytest
from rich.cells import cell_len

from monitors.report import Layout
from monitors.report.tables import lined_up

HEAD = ("site", "host", "run")
ROWS = (("US1", "api.datadoghq.com", "-"), ("US2-FED", "api.us2.ddog-gov.com", "9223372036854775807"))


def test_rows_stand_below_their_head() -> None:
    assert lined_up(HEAD, ROWS, Layout(80)) == (
        "site      host                   run\n"
        "US1       api.datadoghq.com      -\n"
        "US2-FED   api.us2.ddog-gov.com   9223372036854775807\n"
    )


def test_where_a_row_has_no_room_it_is_a_paragraph() -> None:
    assert lined_up(HEAD, ROWS, Layout(40)) == (
        "US1\n host api.datadoghq.com\n run  -\nUS2-FED\n host api.us2.ddog-gov.com\n run  9223372036854775807\n"
    )


@pytest.mark.parametrize("width", [1, 40, 50, 60, 80])
def test_nothing_is_lost_at_any_width(width: int) -> None:
    prose = " ".join(["a sentence that goes on"] * 6)
    text = lined_up(("rule", "meaning"), [("response-property-type-changed", prose)], Layout(width))
    assert max(cell_len(line) for line in text.splitlines()) <= max(width, 40)
    words = text.split()
    assert "response-property-type-changed" in words
    assert words.count("sentence") == 6
