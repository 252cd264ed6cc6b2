from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import jsonschema_rs
import pytest

import schemas
from monitors.commands.ledger_views import as_table
from monitors.memory.ledger import Ledger, Row, Seen
from monitors.memory.traits import Trait
from monitors.memory.view import Entry
from monitors.report.value import Layout
from monitors.sites import SITES

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Cli

REPORT = jsonschema_rs.Draft202012Validator(schemas.document("report"))
CHANGED = "US5=drifted:unit-changed@$.data.attributes.duration"
PROBE = ("probe", "--site", "US5,EU1", "--run-id", "US5=1004", "--state-dir", "state", "--mock")


@pytest.fixture
def story(cli: Cli) -> Cli:
    """Probe two mock sites three times; on US5 a member is new from the second time on."""
    for scenario in ("healthy", "US5=drifted:member-added", "US5=drifted:member-added"):
        assert cli(*PROBE, scenario).code == 0
    return cli


def test_a_drift_is_pending_then_breaks(cli: Cli) -> None:
    assert cli(*PROBE).code == 0
    first = cli(*PROBE, CHANGED, "--format", "json")
    report = json.loads(first.out)
    REPORT.validate(report)
    (pending,) = report["summary"]["pending"]
    assert (first.code, report["verdict"], pending["rule"], pending["seen"]) == (
        0, "none", "response-property-unit-changed", 1,
    )  # fmt: skip
    second = cli(*PROBE, CHANGED)
    assert second.code == 1
    assert "response-property-unit-changed · run on US5" in second.out


def test_what_is_pending_stands_below_the_table(cli: Cli) -> None:
    cli(*PROBE)
    out = " ".join(cli(*PROBE, CHANGED).out.split())
    assert "Seen once, not confirmed yet: response-property-unit-changed on US5 at $.data.attributes.duration" in out


def test_mock_sites_are_not_remembered_unless_a_directory_is_named(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home"))
    assert cli("probe", "--mock", "--site", "US5").code == 0
    assert cli(*PROBE[:3], "--mock", "--no-state").code == 0
    assert list(tmp_path.iterdir()) == []


def test_a_memory_that_does_not_read_is_told_before_anything_is_probed(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "memory.json").write_text("{")
    ran = cli(*PROBE)
    assert (ran.code, ran.out) == (4, "")
    assert "state/memory.json: not JSON; restore it, or move it away to start afresh" in ran.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("probe", "--mock", "--state-dir", "x", "--no-state"), "--state-dir and --no-state contradict each other"),
        (("ledger", "--state-dir", "nowhere"), "there is no such directory; `probe --state-dir nowhere` makes it"),
        (("ledger", "--state-dir", ".", "--site", "US9"), "unknown site 'US9'"),
        (("ledger", "--state-dir", ".", "--new-baseline", "US9"), "unknown site 'US9'"),
    ],
)
def test_mistakes_are_one_line(arguments: tuple[str, ...], message: str, cli: Cli) -> None:
    ran = cli(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err


def test_the_matrix_shows_what_changed_and_where(story: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    out = story("ledger", "--state-dir", "state").out
    lines = out.splitlines()
    assert lines[0].split() == ["US5", "EU1"]
    assert lines[2].startswith("run $.data.attributes.is_archived  boolean  first on US5, 20")
    assert lines[3].split()[1] == "-"
    assert lines[-1].startswith("1 change (24 answers of 2 sites since 20")
    assert max(map(len, lines)) <= 80


def test_nine_sites_fit_eighty_columns(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    cli("probe", "--mock", "--check", "run", "--state-dir", "state")
    out = cli("ledger", "--state-dir", "state", "--all").out
    assert out.splitlines()[0].split() == ["US1", "US3", "US5", "EU1", "AP1", "AP2", "UK1", "US1-FED", "US2-FED"]
    assert max(map(len, out.splitlines())) <= 80
    assert out.splitlines()[-1].startswith("No change, ")


@pytest.mark.parametrize("columns", [40, 60, 70])
def test_where_nine_columns_have_no_room_each_date_stands_beside_its_site(
    columns: int, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    for scenario in ("healthy", "US5=drifted:member-added", "healthy"):
        cli("probe", "--mock", scenario, "--check", "run", "--run-id", "US5=1004", "--state-dir", "state")
    monkeypatch.setenv("COLUMNS", str(columns))
    out = cli("ledger", "--state-dir", "state").out
    assert max(map(len, out.splitlines())) <= columns
    words = " ".join(out.split())
    assert "…" not in out
    assert re.search(r" US1 - US3 - US5 \(\d\d:\d\d\) EU1 - AP1 - AP2 - UK1 - US1-FED - US2-FED - First seen", words)


def test_a_date_in_brackets_is_never_cut() -> None:
    """A month in brackets is wider than any name of a site."""
    first = datetime(2025, 10, 1, tzinfo=UTC)
    sites = [*SITES]
    seen = {site: Seen(first + number * timedelta(days=60), first) for number, site in enumerate(sites)}
    entry = Entry(Row("run", Trait("$.a", "string")), seen, frozenset(), documented=False, change=True)
    for width in (60, 80, 120):
        out = as_table(Ledger(), sites, [entry], Layout(width))
        assert max(map(len, out.splitlines())) <= width
        assert all(f"({each.first:%Y-%m})" in out for each in seen.values())
        assert ("  US1       US3       US5 " in out) == (width == 120), "one matrix where it has room"


def test_the_ledger_as_json_and_markdown(story: Cli) -> None:
    found = json.loads(story("ledger", "--state-dir", "state", "--format", "json").out)
    (row,) = found["rows"]
    assert (row["location"], row["first_on"], row["documented"], row["change"]) == (
        "$.data.attributes.is_archived", ["US5"], False, True,
    )  # fmt: skip
    assert (row["sites"]["US5"]["count"], row["sites"]["US5"]["latest"]) == (2, True)
    assert found["sites"]["EU1"]["run"]["count"] == 3
    page = story("ledger", "--state-dir", "state", "--format", "markdown", "--all").out
    assert page.splitlines()[0] == "| check | location | seen | first on | US5 | EU1 |"
    assert "| **`$.data.attributes.is_archived`** | `boolean` |" in page
    only = story("ledger", "--state-dir", "state", "--format", "markdown", "--site", "EU1").out
    assert only.startswith("No change (12 answers of 1 site since ")


def test_an_empty_memory_says_so(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = "Nothing is remembered yet; `model-lab-monitor probe` does.\n"
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home"))
    assert cli("ledger").out == nothing
    assert "US5: 0 canary runs forgotten" in cli("ledger", "--new-baseline", "US5").err
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setenv("MODEL_LAB_MONITOR_STATE_DIR", str(tmp_path / "state"))
    (tmp_path / "state").mkdir()
    assert cli("ledger").out == nothing


def test_a_new_baseline_ends_a_drift_that_is_here_to_stay(cli: Cli) -> None:
    for scenario in ("healthy", CHANGED, CHANGED):
        cli(*PROBE, scenario)
    ran = cli("ledger", "--state-dir", "state", "--new-baseline", "us5")
    assert ran.err == "US5: 1 canary run forgotten; the next answer is the new baseline\n"
    assert [cli(*PROBE, CHANGED).code for _ in range(4)][-1] == 0
