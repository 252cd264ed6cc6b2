from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from monitors.commands.moments import Moment
from monitors.config.alerting import Retention
from monitors.model import Finding, Kind, Level, Observation, Phases
from monitors.store import FILE_NAME, Probed, StoreShelf, open_store, sqlite_url

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Cli

NOW = datetime.now(UTC).replace(second=0, microsecond=0)
MINUTE = timedelta(minutes=1)
STATE = ("--state-dir", "state")


def probed(site: str, minutes_ago: float, **more: Any) -> Probed:
    at = NOW - minutes_ago * MINUTE
    seen = Observation(
        site=site,
        check=more.pop("check", "run"),
        at=at,
        method="GET",
        url="https://127.0.0.1/",
        run_id="1",
        with_keys=True,
        status=more.pop("status", 200),
        body=more.pop("body", b""),
        phases=Phases(0.001, 0.002, 0.003, more.pop("total_s", 0.1) - 0.006, None),
    )
    return Probed(seen, **{"keep_body": bool(seen.body), **more})


def outage(site: str, minutes_ago: float, rule: str = "unreachable") -> Probed:
    found = Finding(rule, Level.BREAKING, Kind.AVAILABILITY, "no \x1b[2J answer", site=site, check="run")
    return probed(site, minutes_ago, status=None, findings=(found,), verdict="breaking", available=False)


@pytest.fixture
def keep(cli: Cli) -> Callable[..., None]:
    """Keep probes in the state directory of this test, where `cli` runs."""
    assert cli

    def kept(*probes: Probed, vantage: str = "") -> None:
        with open_store(sqlite_url(Path("state") / FILE_NAME)) as store, store.writing() as writing:
            writing.add_probes(vantage, probes)

    return kept


@pytest.fixture
def story(keep: Callable[..., None], cli: Cli) -> Cli:
    """Let US5 go away for half an hour, two hours ago, and EU1 do well."""
    for n in range(180, 0, -1):
        keep_one = outage("US5", n) if 90 < n <= 120 else probed("US5", n)
        keep(keep_one)
    keep(*(probed("EU1", n, check="not-found", status=404) for n in range(100, 0, -50)))
    return cli


def test_probes_that_went_the_same_way_are_one_line(story: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    ran = story("history", *STATE)
    assert (ran.code, ran.err) == (0, "")
    began = [f"{NOW - n * MINUTE:%m-%d %H:%M}" for n in (180, 120, 100, 90)]
    assert ran.out.splitlines()[:-2] == [
        "   from (UTC)      for  site  check      probes  median  outcome",
        f"✓  {began[0]}  59 min  US5   run            60  100 ms  200",
        f"▼  {began[1]}  29 min  US5   run            30          unreachable",
        f"✓  {began[2]}  50 min  EU1   not-found       2  100 ms  404",
        f"✓  {began[3]}  89 min  US5   run            90  100 ms  200",
    ]
    last = ran.out.splitlines()[-1]
    assert last.startswith("182 probes of 2 sites since ")
    assert last.endswith(" UTC: 30 found it unavailable.")
    assert max(map(len, ran.out.splitlines())) <= 80


def test_what_is_asked_for_is_shown_alone(story: Cli) -> None:
    def ago(minutes: int) -> str:
        return (NOW - minutes * MINUTE).isoformat()

    def first(*arguments: str) -> str:
        return story("history", *STATE, *arguments).out.splitlines()[-1]

    assert first("--site", "eu1").startswith("2 probes of 1 site since")
    assert first("--check", "run", "--until", ago(60)).startswith("120 probes of 1 site since")
    assert first("--unavailable").startswith("30 probes")
    assert first("--available", "--site", "US5").endswith("UTC: all well.")
    assert first("--verdict", "warning", "--verdict", "breaking").startswith("30 probes")
    assert first("--since", ago(30)).startswith("30 probes of 1 site")


def test_lines_left_out_are_told(story: Cli) -> None:
    out = story("history", *STATE, "--limit", "2").out
    assert out.startswith("2 earlier lines left out; --limit shows more\n")
    assert out.count("✓") == 2


def test_all_the_ways_a_probe_can_go_have_a_sign(keep: Callable[..., None], cli: Cli) -> None:
    keep(
        probed("US1", 9, available=None, status=429),
        probed("US3", 8, verdict="info"),
        probed("US5", 7, verdict="warning"),
        probed("EU1", 6, verdict="breaking", status=500),
        outage("AP1", 5),
    )
    keep(probed("AP2", 3), probed("AP2", 0), vantage="home\x1b")
    out = cli("history", *STATE).out
    assert [line[0] for line in out.splitlines()[1:7]] == ["·", "•", "▲", "✗", "▼", "✓"]
    assert "from home\\x1b" in out
    assert " 1 found it unavailable, 2 found something, 1 said nothing of it." in " ".join(out.split())


def test_a_rule_with_no_room_beside_stands_below(
    keep: Callable[..., None], cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    keep(outage("US1-FED", 5, "response-property-became-nullable"), probed("US5", 4))
    out = cli("history", *STATE).out
    at = [f"{NOW - n * MINUTE:%m-%d %H:%M}" for n in (5, 4)]
    assert out.splitlines()[:-2] == [
        "   from (UTC)   for  site     check  probes  median  outcome",
        f"▼  {at[0]}       US1-FED  run         1",
        "   response-property-became-nullable",
        f"✓  {at[1]}       US5      run         1  100 ms  200",
    ]
    monkeypatch.setenv("COLUMNS", "100")
    assert "  run         1          response-property-became-nullable\n" in cli("history", *STATE).out


@pytest.mark.parametrize("columns", [40, 50, 60, 70, 80, 120])
@pytest.mark.parametrize("place", [("US5", "run"), ("US1-FED", "unauthenticated")], ids=["short", "long"])
def test_no_word_is_cut_or_broken_whatever_the_width(
    columns: int, place: tuple[str, str], keep: Callable[..., None], cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    site, check = place
    keep(*[probed(site, n, check=check, status=401) for n in range(1_200, 0, -1)])
    keep(outage(site, 0, "response-property-became-nullable"), outage("EU1", 0, "edge-answer"))
    out = cli("history", *STATE).out
    assert max(map(len, out.splitlines())) <= columns
    words = " ".join(out.split())
    for word in ("1,200", "100 ms", "19 h", *place, "401", "response-property-became-nullable", "edge-answer"):
        assert word in words
    assert ("from (UTC)" in out) != (f"{NOW:%m-%d %H:%M} UTC EU1" in out), "where no head has room, each line says it"


def test_where_probes_were_sent_from_is_told_where_it_differs(keep: Callable[..., None], cli: Cli) -> None:
    keep(probed("US5", 5))
    keep(probed("US5", 4), vantage="home")
    assert [line.split()[-1] for line in cli("history", *STATE).out.splitlines()[1:3]] == ["200", "home"]


def test_less_than_a_minute_is_told_in_seconds(keep: Callable[..., None], cli: Cli) -> None:
    keep(probed("US1", 5), probed("US1", 4.2), probed("US3", 5), probed("US3", 4))
    out = cli("history", *STATE).out
    assert "   48 s  US1" in out
    assert "  1 min  US3" in out


def test_a_day_and_more_is_told_in_one_unit(keep: Callable[..., None], cli: Cli) -> None:
    keep(probed("US1", 60 * 24 * 5), probed("US1", 0), probed("US3", 200), probed("US3", 0))
    out = cli("history", *STATE, "--since", "10d").out
    assert "  5 d  US1" in out
    assert "  3 h  US3" in out


def test_json_lists_each_probe_with_what_it_found(story: Cli) -> None:
    found = json.loads(story("history", *STATE, "--format", "json").out)["probes"]
    assert len(found) == 182
    assert found == sorted(found, key=lambda probe: str(probe["at"]))
    lost = next(probe for probe in found if not probe["available"])
    assert lost["at"].endswith("Z")
    assert (lost["status"], lost["verdict"], lost["rule"]) == (None, "breaking", "unreachable")
    assert lost["phases_ms"] == {"resolve": 1.0, "connect": 2.0, "tls": 3.0, "first_byte": 94.0, "transfer": None}
    assert lost["total_ms"] == 100.0
    assert [finding["message"] for finding in lost["findings"]] == ["no \x1b[2J answer"]


def test_lines_of_json_and_csv_say_the_same(story: Cli) -> None:
    lines = [json.loads(line) for line in story("history", *STATE, "--format", "ndjson").out.splitlines()]
    rows = list(csv.DictReader(io.StringIO(story("history", *STATE, "--format", "csv").out)))
    assert lines == json.loads(story("history", *STATE, "--format", "json").out)["probes"]
    assert [row["at"] for row in rows] == [line["at"] for line in lines]
    assert {row["available"] for row in rows} == {"true", "false"}
    lost = next(row for row in rows if row["available"] == "false")
    assert (lost["status"], lost["rule"], lost["tls_ms"], lost["transfer_ms"]) == ("", "unreachable", "3.0", "")


def test_a_limit_takes_the_newest_probes_in_order(story: Cli) -> None:
    whole = [json.loads(line) for line in story("history", *STATE, "--format", "ndjson").out.splitlines()]
    some = [
        json.loads(line) for line in story("history", *STATE, "--format", "ndjson", "--limit", "5").out.splitlines()
    ]
    assert some == whole[-5:]


@pytest.mark.parametrize(
    ("format_", "out"), [("json", '{"probes": []}\n'), ("ndjson", ""), ("csv", None), ("table", None)]
)
def test_nothing_kept_is_said_in_every_format(format_: str, out: str | None, cli: Cli) -> None:
    ran = cli("history", "--format", format_)
    assert ran.code == 0
    if format_ == "csv":
        assert ran.out.count("\n") == 1
    elif format_ == "table":
        assert ran.out.startswith("No such probe is kept since ")
        assert "`model-lab-monitor watch` makes" in ran.out
    else:
        assert ran.out == out


def test_a_body_that_was_kept_is_printed(keep: Callable[..., None], cli: Cli) -> None:
    keep(probed("US5", 5, verdict="warning", body=b'{"token": "geheim", "a": "\xc3\xa9"}'))
    (found,) = json.loads(cli("history", *STATE, "--format", "json").out)["probes"]
    ran = cli("history", *STATE, "--body", found["body"].upper())
    assert (ran.code, ran.out) == (0, '{"token": "***", "a": "é"}')


@pytest.mark.parametrize("arguments", [(), STATE])
def test_a_body_that_was_not_kept_is_a_mistake(arguments: tuple[str, ...], keep: Callable[..., None], cli: Cli) -> None:
    keep(probed("US5", 5))
    ran = cli("history", *arguments, "--body", "abc")
    assert (ran.code, ran.out) == (2, "")
    assert "--body abc: no body of that hash is kept; `history --format json` names them" in ran.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("history", "--since", "soon"), "'soon' is neither a time nor a span of time such as 90s, 30m, 2h"),
        (("history", "--since", "1d", "--until", "2d"), "is not after --since"),
        (("history", "--site", "US9"), "unknown site 'US9'"),
        (("history", "--check", "runs"), "unknown check 'runs'; did you mean run?"),
        (("history", "--state-dir", "nowhere"), "there is no such directory; `watch --state-dir nowhere` makes it"),
        (("uptime", "--since", "2026-06-02", "--until", "2026-06-01"), "--until 2026-06-01 00:00 is not after --since"),
        (("uptime", "--site", "US9"), "unknown site 'US9'"),
    ],
)
def test_mistakes_are_one_line(arguments: tuple[str, ...], message: str, cli: Cli) -> None:
    ran = cli(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err
    assert ran.err.count("\n") == 1


# --- uptime ----------------------------------------------------------------------------------------------------------


def test_uptime_has_a_line_for_each_check(story: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    ran = story("uptime", *STATE)
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert lines[:-2] == [
        "   site  check      probes   uptime     p50     p95     p99  outages",
        "▼  US5   run           180  83.33 %  100 ms  100 ms  100 ms        1",
        "✓  EU1   not-found       2    100 %  100 ms  100 ms  100 ms        0",
    ]
    assert lines[-1].startswith("182 probes of 2 sites since ")
    assert lines[-1].endswith(" UTC: 83.51 % available.")


def test_uptime_by_site_and_in_other_formats(story: Cli) -> None:
    by_site = story("uptime", *STATE, "--by", "site")
    assert by_site.out.split()[:3] == ["site", "probes", "uptime"], "a column that says the same everywhere is none"
    assert story("uptime", *STATE, "--by", "site", "--format", "markdown").out.startswith("| site | probes |")
    found = json.loads(story("uptime", *STATE, "--format", "json", "--site", "US5").out)
    (row,) = found["rows"]
    assert (row["site"], row["check"], row["probes"], row["unavailable"], row["outages"]) == ("US5", "run", 180, 30, 1)
    assert abs(row["p95_ms"] - 100) <= 1
    assert found["since"].endswith("Z")
    page = story("uptime", *STATE, "--format", "markdown").out
    assert page.startswith("| site | check | probes | uptime | p50 | p95 | p99 | outages |\n|---|---|---:|")
    assert "| US5 | run | 180 | 83.33 % | 100 ms |" in page


def test_uptime_is_never_rounded_up(keep: Callable[..., None], cli: Cli) -> None:
    keep(*[probed("US5", 5)] * 99_999, outage("US5", 4))
    assert "99.99 %" in cli("uptime", *STATE).out
    assert "▲" in cli("uptime", *STATE).out


@pytest.mark.parametrize("columns", [40, 60, 80])
@pytest.mark.parametrize("by", ["site", "check"])
def test_no_number_is_cut_off_on_a_narrow_terminal(
    columns: int, by: str, keep: Callable[..., None], cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    keep(*[probed("US1-FED", 5, check="unauthenticated", status=401, total_s=12.0)] * 1_200, outage("US5", 4))
    keep(*[probed("US1-FED", 3, check="unauthenticated", available=False)] * 138)
    out = cli("uptime", *STATE, "--by", by).out
    assert max(map(len, out.splitlines())) <= columns
    assert "…" not in out
    words = " ".join(out.split())
    assert all(said in words for said in ("1,338", "89.68 %", "12.0 s", "0 %", "US1-FED"))
    assert ("unauthenticated" in out) == (by == "check")


def test_a_check_that_says_nothing_has_no_uptime(keep: Callable[..., None], cli: Cli) -> None:
    keep(probed("US5", 5, available=None, status=429))
    out = cli("uptime", *STATE).out
    assert out.splitlines()[1].split() == ["·", "US5", "run", "0", "of", "1", "-", "-", "-", "-", "0"]
    assert " UTC. 1 of them does not count: it looked again at what was just seen, or was throttled." in (
        " ".join(out.split())
    )


def test_no_uptime_is_said(cli: Cli) -> None:
    assert cli("uptime").out.startswith("Nothing is kept since ")
    assert cli("uptime", "--format", "markdown").out.startswith("Nothing is kept since ")
    assert json.loads(cli("uptime", "--format", "json").out)["rows"] == []


# --- which store -----------------------------------------------------------------------------------------------------


def test_the_store_is_the_one_that_is_named_first(
    keep: Callable[..., None], cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    keep(probed("US5", 5))
    for name, site in (("by-url", "EU1"), ("by-file", "AP1"), ("by-variable", "US3"), ("by-default", "AP2")):
        folder = tmp_path / name if name != "by-default" else tmp_path / "home" / "model-lab-monitor"
        with open_store(sqlite_url(folder / FILE_NAME)) as store, store.writing() as writing:
            writing.add_probes("", [probed(site, 5)])
    Path("model-lab-monitor.toml").write_text(f'[store]\nurl = "sqlite:///{tmp_path}/by-file/{FILE_NAME}"\n')

    def sites(*arguments: str) -> list[str]:
        ran = cli("uptime", *arguments, "--format", "json")
        assert ran.code == 0, ran.err
        return [row["site"] for row in json.loads(ran.out)["rows"]]

    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MODEL_LAB_MONITOR_STATE_DIR", str(tmp_path / "by-variable"))
    monkeypatch.setenv("MODEL_LAB_MONITOR_STORE_URL", f"sqlite:///{tmp_path}/by-url/{FILE_NAME}")
    assert sites(*STATE) == ["US5"]
    assert sites() == ["EU1"]
    monkeypatch.delenv("MODEL_LAB_MONITOR_STORE_URL")
    assert sites() == ["AP1"]
    Path("model-lab-monitor.toml").unlink()
    assert sites() == ["US3"]
    monkeypatch.delenv("MODEL_LAB_MONITOR_STATE_DIR")
    assert sites() == ["AP2"]


def test_looking_at_a_store_makes_none(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for command in ("history", "uptime", "ledger"):
        assert cli(command, "--state-dir", "empty").code == 0
    assert list((tmp_path / "empty").iterdir()) == []


def test_probe_keeps_its_memory_in_the_store_that_is_configured(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    probe = ("probe", "--mock", "--site", "US5", "--run-id", "1004", "--state-dir", "state")
    assert cli(*probe).code == 0
    with open_store(sqlite_url(Path("state") / FILE_NAME)) as store:
        assert StoreShelf(store).load().ledger.answers
    monkeypatch.setenv("MODEL_LAB_MONITOR_STORE_URL", "sqlite:///elsewhere.sqlite")
    assert "No change (" in cli("ledger", "--state-dir", "state").out
    assert "Nothing is remembered yet" in cli("ledger").out


def test_a_body_on_a_terminal_moves_nothing_there(
    keep: Callable[..., None], cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(probed("US5", 5, verdict="warning", body=b"<p>\x1b[2J</p>\n\xff"))
    (found,) = json.loads(cli("history", *STATE, "--format", "json").out)["probes"]
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert cli("history", *STATE, "--body", found["body"]).out == "<p>\\x1b[2J</p>\n\\xff\n"


@pytest.mark.parametrize("since", ["999999w", "0001-01-01T00:00+23:00"])
def test_a_time_beyond_the_calendar_is_a_mistake(since: str, cli: Cli) -> None:
    ran = cli("history", "--since", since)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.count("\n") == 1
    assert "calendar" in ran.err


def test_what_stands_in_for_sites_has_a_history_of_its_own(cli: Cli) -> None:
    ran = cli("watch", "--once", "--mock")
    assert (ran.code, ran.out) == (2, "")
    assert "name a directory for it with --state-dir" in ran.err


def test_a_moment_that_is_one_already_stays_so() -> None:
    assert Moment().convert(NOW, None, None) == NOW


def test_of_probes_that_do_not_all_count_it_is_said_how_many_do(keep: Callable[..., None], cli: Cli) -> None:
    keep(probed("US5", 9), outage("US5", 8), *(replace(outage("US5", n), again=True) for n in (7, 6)))
    keep(probed("US5", 5, available=None, status=429), probed("EU1", 5))
    lines = cli("uptime", *STATE).out.splitlines()
    rows = [line.split() for line in lines if " run " in line]
    assert [row[3:7] for row in rows if "US5" in row] == [["2", "of", "5", "50.00"]]
    assert [row[3:6] for row in rows if "EU1" in row] == [["1", "100", "%"]]
    said = " ".join(" ".join(lines).split())
    assert ": 66.66 % available. 3 of them do not count: they looked again at what was just seen, or were " in said


def test_uptime_for_a_spreadsheet(keep: Callable[..., None], cli: Cli) -> None:
    keep(probed("US5", 9), outage("US5", 8))
    (row,) = csv.DictReader(io.StringIO(cli("uptime", *STATE, "--format", "csv").out))
    (known,) = json.loads(cli("uptime", *STATE, "--format", "json").out)["rows"]
    assert row == {name: str(value) for name, value in known.items()}
    by_site = cli("uptime", *STATE, "--by", "site", "--format", "csv").out.splitlines()
    assert by_site[0].startswith("site,check,probes,available,unavailable,uptime,p50_ms,")
    assert by_site[1].startswith("US5,,2,1,1,0.5,")


# --- what lay between ------------------------------------------------------------------------------------------------


def lines_of(out: str) -> list[str]:
    return [line for line in out.splitlines() if "run" in line and "unreachable" in line]


def test_outages_with_good_probes_between_stay_apart_however_they_are_asked_for(
    keep: Callable[..., None], cli: Cli
) -> None:
    bad = {*range(90, 100), *range(40, 45)}
    keep(*(outage("US5", n) if n in bad else probed("US5", n) for n in range(120, 0, -1)))
    for arguments in ((), ("--unavailable",), ("--verdict", "breaking")):
        found = lines_of(cli("history", *STATE, *arguments).out)
        assert [line.split()[3:5] for line in found] == [["9", "min"], ["4", "min"]], arguments
    assert lines_of(cli("history", *STATE, "--available").out) == []


def test_outages_stay_apart_after_what_lay_between_is_deleted_and_the_footer_says_from_when_all_is_kept(
    keep: Callable[..., None], cli: Cli
) -> None:
    day = 24 * 60
    bad = {20 * day, 20 * day - 20, 18 * day}
    span = [n for begin in (21, 19) for n in range(begin * day, begin * day - 2 * day, -20)]
    keep(*(outage("US5", n) if n in bad else probed("US5", n) for n in span))
    with open_store(sqlite_url(Path("state") / FILE_NAME)) as store:
        store.roll_up()
        store.retain(NOW, Retention(keep_successes_days=14))
    out = cli("history", *STATE, "--since", "30d").out
    assert [line.split()[3:-1] for line in lines_of(out)] == [["20", "min", "US5", "run", "2"], ["US5", "run", "1"]]
    said = " ".join(out.split())
    assert said.endswith(
        f"Before {NOW - 14 * day * MINUTE:%Y-%m-%d %H:%M} UTC only probes that found something are kept; "
        "the sums of `model-lab-monitor uptime` count all of them."
    )
    assert "are kept; the sums" not in " ".join(cli("history", *STATE, "--since", "10d").out.split())


def test_the_table_in_markdown(keep: Callable[..., None], cli: Cli) -> None:
    keep(probed("US5", 9), probed("US5", 8), outage("US5", 7, "odd|rule"), probed("US5", 5, verdict="warning"))
    out = cli("history", *STATE, "--format", "markdown", "--limit", "2").out
    at = [f"{NOW - n * MINUTE:%Y-%m-%d %H:%M}" for n in (7, 5)]
    since = out.partition("since ")[2][:16]
    assert out == (
        "| from (UTC) | for | site | check | probes | median | outcome |\n"
        "|---|---:|---|---|---:|---:|---|\n"
        f"| {at[0]} |  | US5 | run | 1 |  | down: odd&#124;rule |\n"
        f"| {at[1]} |  | US5 | run | 1 | 100 ms | warning: 200 |\n"
        "\n1 earlier line left out; --limit shows more\n"
        f"\n4 probes of 1 site since {since} UTC: 1 found it unavailable, 1 found something.\n"
    )
    assert cli("history", *STATE, "--since", "1min", "--format", "markdown").out.startswith("No such probe is kept ")
