"""`incidents`: what is open, what was, the life of one, and what people do about it."""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from markdown_it import MarkdownIt

from monitors.config.alerting import SinkSettings, Thresholds
from monitors.incidents.deciding import Result, Round, decide
from monitors.incidents.planning import Surroundings, plan
from monitors.model import Finding, Kind, Level
from monitors.sites import SITES as ALL_SITES
from monitors.store import open_store, sqlite_url

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from conftest import Cli

    from monitors.store import Store

HOSTILE = "\x1b[2J\u202eevil\n::error::<img src=x>|`[a](http://x)` @everyone \N{BELL}"
SEE = "; see model-lab-monitor incidents {} --help"
SPAN = "a span of time such as 90s, 30m, 2h, 1d or 1d 12h"
SITES = ("US5", "EU1", "AP1")
THRESHOLDS = Thresholds(1, 1, 1, confirm_count=1, update_interval_s=0)


def outage(message: str = "503 Service Unavailable") -> Finding:
    return Finding("server-error", Level.BREAKING, Kind.AVAILABILITY, message, check="run")


def broken(
    message: str = "is null", location: str = "$.data.attributes.name", level: Level = Level.BREAKING
) -> Finding:
    rule = "response-property-became-nullable"
    return Finding(rule, level, Kind.CONTRACT, message, location, base="string", revision=HOSTILE, check="run")


def own() -> Finding:
    return Finding("monitor-offline", Level.BREAKING, Kind.MONITOR, "no site answers: this machine is offline")


class Past:
    """A store that rounds are played into, an hour ago."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.at = (datetime.now(UTC) - timedelta(hours=1)).replace(microsecond=0)
        self.thresholds = THRESHOLDS
        self.sinks: tuple[str, ...] = ("team",)
        self.opened().close()

    def opened(self) -> Store:
        return open_store(sqlite_url(self.folder / "monitor.sqlite"))

    def round(
        self, failing: Mapping[str, Sequence[Finding]] | None = None, *, own: Mapping[str, Finding | None] | None = None
    ) -> None:
        self.at += timedelta(minutes=1)
        results = tuple(Result(site, "run", self.at, tuple((failing or {}).get(site, ()))) for site in SITES)
        watched = frozenset((site, "run") for site in SITES)
        with self.opened() as store, store.writing() as tx:
            book = tx.book()
            decision = decide(book, Round(self.at, results, own=own or {}, watched=watched), self.thresholds)
            sinks = tuple(SinkSettings(name, "stdout") for name in self.sinks)
            planned = plan(decision.book, Surroundings(self.at, sinks, self.thresholds, watched=len(SITES)))
            tx.put_book(book, decision.book, (*decision.events, *planned.events))
            tx.put_book(decision.book, planned.book)
            tx.queue(planned.notices)


@pytest.fixture
def past(cli: Cli, tmp_path: Path) -> Past:
    del cli
    return Past(tmp_path / "state")


def listed(cli: Cli, *arguments: str) -> dict[str, Any]:
    return dict(json.loads(cli("incidents", "list", "--format", "json", "--state-dir", "state", *arguments).out))


# --- the list ---


@pytest.mark.parametrize("format_", ["table", "markdown"])
def test_before_anything_was_kept_the_list_says_how_to_begin(format_: str, cli: Cli, tmp_path: Path) -> None:
    ran = cli("incidents", "--format", format_)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == "Nothing has been kept yet; `model-lab-monitor watch` begins.\n"
    assert list(tmp_path.iterdir()) == [], "looking makes no store"


def test_before_anything_was_kept_json_lists_nothing(cli: Cli) -> None:
    ran = cli("incidents", "list", "--format", "json")
    document = json.loads(ran.out)
    assert document.pop("at")
    assert (ran.code, document) == (
        0,
        {"incidents": [], "more": 0, "pending": [], "silences": [], "maintenance": [], "known": {}},
    )


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        ("open", "No open incident."),
        ("resolved", "None resolved."),
        ("pending", "None pending."),
        ("all", "No open incident, none resolved, none pending."),
    ],
)
@pytest.mark.usefixtures("past")
def test_no_incident_is_said_in_a_sentence(state: str, sentence: str, cli: Cli) -> None:
    for format_ in ("table", "markdown"):
        ran = cli("incidents", "--state", state, "--state-dir", "state", "--format", format_)
        assert (ran.code, ran.out) == (0, f"{sentence}\n")


def test_the_exit_code_tells_what_is_open(cli: Cli, past: Past) -> None:
    def code(*arguments: str) -> int:
        return cli("incidents", *arguments, "--state-dir", "state").code

    past.round({"US5": [broken(level=Level.WARNING)]})
    assert [code(), code("--fail-on", "warning"), code("--fail-on", "never")] == [0, 1, 0]
    past.round({"US5": [broken()]})
    assert [code(), code("--fail-on", "never")] == [1, 0]
    past.round({"US5": [broken()], "EU1": [outage()]})
    assert [code(), code("--site", "EU1"), code("--site", "US5"), code("--site", "AP1")] == [1, 3, 1, 0]
    past.round({"US5": [broken()], "EU1": [outage()]}, own={"monitor-offline": own()})
    assert [code(), code("--fail-on", "never"), code("--state", "resolved")] == [4, 0, 4]
    past.round(own={"monitor-offline": None})
    assert code() == 0


def test_the_list_says_what_where_since_when_and_who_has_it(cli: Cli, past: Past, monkeypatch: Any) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    past.round({"US5": [broken()]})
    past.round({"US5": [broken()], "EU1": [outage()]})
    cli("incidents", "ack", "1", "--by", "ada", "--reason", "asked the vendor", "--state-dir", "state")
    out = cli("incidents", "--state-dir", "state").out
    assert max(map(len, out.splitlines())) <= 80
    words = " ".join(out.split())
    since = past.at - timedelta(minutes=1)
    assert "1 breaking is null" in words
    assert "2 down 503 Service Unavailable" in words
    assert f"US5 · since {since:%Y-%m-%d %H:%M} UTC, for 59 min · acknowledged by ada: asked the vendor" in words
    assert words.endswith("2 open incidents.")
    assert out.index("503 Service") < out.index("is null"), "the newest first"


def test_states_are_listed_by_themselves_and_together(cli: Cli, past: Past) -> None:
    past.round({"US5": [outage()]})
    past.round({"US5": []})
    past.thresholds = replace(THRESHOLDS, failure_threshold=3, failure_window=5)
    past.round({"EU1": [outage()]})
    assert [entry["state"] for entry in listed(cli, "--state", "all")["incidents"]] == ["resolved"]
    assert listed(cli)["incidents"] == []
    [pending] = listed(cli, "--state", "pending")["pending"]
    assert (pending["site"], pending["results"], pending["rule"]) == ("EU1", "x", "server-error")
    assert listed(cli, "--state", "pending", "--site", "US5")["pending"] == []
    out = cli("incidents", "--state", "all", "--state-dir", "state").out
    assert "Seen, but not often enough yet to be believed:" in out
    assert out.endswith("No open incident, 1 resolved, 1 pending.\n")
    assert "recovered after 1 min" in " ".join(out.split())


def test_the_list_may_be_cut_by_time_and_number(cli: Cli, past: Past) -> None:
    for number in range(3):
        past.round({"US5": [broken(location=f"$.n{number}")]})
        past.round()
    resolved = ("--state", "resolved")
    assert [entry["id"] for entry in listed(cli, *resolved, "--limit", "2")["incidents"]] == [3, 2]
    assert listed(cli, *resolved, "--since", "1m")["incidents"] == []
    assert len(listed(cli, *resolved, "--since", "2h")["incidents"]) == 3
    since = (past.at - timedelta(minutes=3)).isoformat()
    assert len(listed(cli, *resolved, "--since", since)["incidents"]) == 2
    assert len(listed(cli, *resolved, "--since", "0001-01-01")["incidents"]) == 3


def test_several_messages_of_one_incident_are_counted(cli: Cli, past: Past) -> None:
    past.round({"US5": [outage("503")], "EU1": [outage("502")], "AP1": [outage("504")]})
    assert "504; and 2 other messages" in cli("incidents", "--state-dir", "state").out.replace("\n", " ")


def test_what_is_left_out_is_counted_and_the_exit_code_speaks_of_all(cli: Cli, past: Past) -> None:
    past.round({"EU1": [outage()]})
    past.round({"EU1": [outage()], "US5": [broken(location=f"$.n{number}") for number in range(3)]})
    past.round({"EU1": [outage()], "US5": [broken(location="$.n0")]})
    state = ("--state-dir", "state")
    for format_ in ("table", "markdown"):
        ran = cli("incidents", "--site", "EU1", "--limit", "1", "--format", format_, *state)
        assert (ran.code, " more" in ran.out) == (3, False)
        ran = cli("incidents", "--limit", "1", "--format", format_, *state)
        assert (ran.code, "and 1 more; a higher --limit lists them\n" in ran.out) == (1, True)
        assert ran.out.endswith("\n2 open incidents.\n")
        ran = cli("incidents", "--limit", "3", "--state", "all", "--format", format_, *state)
        assert (ran.code, "and 1 more; a higher" in ran.out) == (1, True)
        assert ran.out.endswith("\n2 open incidents, 2 resolved, none pending.\n")
    found = listed(cli, "--limit", "1", "--state", "all")
    assert (len(found["incidents"]), found["more"]) == (1, 3)


def test_whatever_is_listed_the_exit_code_speaks_of_what_is_open(cli: Cli, past: Past) -> None:
    past.round({"US5": [broken()]})
    past.round({"EU1": [outage()]})
    for format_ in ("table", "markdown"):
        arguments = ("--format", format_, "--state-dir", "state")
        ran = cli("incidents", "--state", "resolved", *arguments)
        assert (ran.code, ran.out.splitlines()[-1]) == (3, "1 resolved; 1 open incident not listed.")
        ran = cli("incidents", "--state", "pending", *arguments)
        assert (ran.code, ran.out) == (3, "None pending; 1 open incident not listed.\n")
    assert cli("incidents", "--state", "resolved", "--site", "US5", "--state-dir", "state").code == 0


@pytest.mark.parametrize("rule", ["key-rejected", "throttled", "endpoint-not-deployed", "run-not-found"])
def test_only_an_outage_is_down(rule: str, cli: Cli, past: Past) -> None:
    past.round({"US5": [replace(outage("what the site says"), rule=rule)]})
    ran = cli("incidents", "--state-dir", "state")
    assert ran.code == 3
    assert " ".join(ran.out.split()).startswith("✗ 1 breaking what the site says")
    past.round({"US5": [outage()]})
    assert "▼ 2 down 503" in " ".join(cli("incidents", "--state-dir", "state").out.split())


def test_markdown_has_rules_people_pending_problems_and_silences(cli: Cli, past: Past) -> None:
    past.round({"US5": [broken()]})
    past.thresholds = replace(THRESHOLDS, confirm_count=3)
    past.round({"US5": [broken()], "EU1": [broken("is gone", "$.other")]})
    state = ("--state-dir", "state")
    assert cli("incidents", "ack", "1", "--by", "ada", "--reason", "asked the vendor", *state).code == 0
    silence = ("--until", "2099-12-01", "--reason", "moves", "--by", "bob")
    assert cli("incidents", "silence", "--rule", "response-*", *silence, *state).code == 0
    out = cli("incidents", "--state", "all", "--format", "markdown", *state).out
    [row] = [line for line in out.splitlines() if line.startswith("| 1 |")]
    assert "| `response-property-became-nullable` |" in row
    assert row.endswith("| open, acknowledged by ada: asked the vendor |")
    assert "\n\nPending, EU1 run: is gone\n\n" in out
    assert "\n\nSilence 1: response-\\* until 2099-12-01 00:00 UTC, by bob: moves\n\n" in out


# --- maintenance ---


def test_windows_that_overlap_are_one_and_what_comes_within_them_is_no_next_one(
    cli: Cli, tmp_path: Path, past: Past
) -> None:
    del past
    now = datetime.now(UTC).replace(microsecond=0)
    until = now + timedelta(hours=30)
    at = [f"{now + timedelta(hours=hours):%Y-%m-%dT%H:%M:%SZ}" for hours in (-1, 1, 2, 3, 30)]
    (tmp_path / "model-lab-monitor.toml").write_text(
        f"""
        [maintenance.first]
        sites = ["US5", "EU1"]
        start = {at[0]}
        end = {at[2]}
        [maintenance.second]
        sites = ["EU1", "US5"]
        start = {at[1]}
        end = {at[4]}
        [maintenance.within]
        sites = ["EU1"]
        start = {at[1]}
        end = {at[2]}
        """,
        "utf-8",
    )
    expected = f"US5 and EU1 in maintenance until {until:%Y-%m-%d %H:%M} UTC (first, second)"
    said = " ".join(cli("incidents", "--state-dir", "state").out.split())
    assert said.removesuffix(" No open incident.") in {expected, expected.replace("US5 and EU1", "EU1 and US5")}


def test_a_window_that_begins_anew_before_it_ends_is_told_to_its_end(cli: Cli, tmp_path: Path, past: Past) -> None:
    del past
    now = datetime.now(UTC)
    hours = ",".join(str((now + timedelta(hours=number)).hour) for number in range(-2, 3))
    (tmp_path / "model-lab-monitor.toml").write_text(
        f'[maintenance.often]\nsites = ["US5"]\ncron = "*/5 {hours} * * *"\nduration_s = 3600\n', "utf-8"
    )
    until = (now + timedelta(hours=3)).replace(minute=55)
    said = " ".join(cli("incidents", "--state-dir", "state").out.split())
    assert said == (
        f"US5 in maintenance until {clock(until)} UTC (often) Next maintenance: US5 from "
        f"{clock(until.replace(minute=0) + timedelta(hours=19))} until {clock(until + timedelta(days=1))} UTC (often) "
        "No open incident."
    )


def windows(folder: Path) -> tuple[datetime, datetime]:
    """Plan one window that is open, one that opens within a day and one far away; returns the first's and second's."""
    now = datetime.now(UTC).replace(microsecond=0)
    until, soon = now + timedelta(hours=30), now + timedelta(hours=20)
    (folder / "model-lab-monitor.toml").write_text(
        f"""
        [maintenance.move]
        sites = ["AP1", "US5"]
        start = {now - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}
        end = {until:%Y-%m-%dT%H:%M:%SZ}
        [maintenance.soon]
        start = {soon:%Y-%m-%dT%H:%M:%SZ}
        end = {soon + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}
        [maintenance.later]
        start = {now + timedelta(days=2):%Y-%m-%dT%H:%M:%SZ}
        end = {now + timedelta(days=3):%Y-%m-%dT%H:%M:%SZ}
        """,
        "utf-8",
    )
    return until, soon


def clock(moment: datetime) -> str:
    return f"{moment:%H:%M}" if moment.date() == datetime.now(UTC).date() else f"{moment:%Y-%m-%d %H:%M}"


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_windows_of_maintenance_that_are_open_and_the_next_one_are_shown(
    columns: int, cli: Cli, past: Past, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    past.round({"US5": [outage()]})
    until, soon = windows(tmp_path)
    now_open = f"AP1 and US5 in maintenance until {until:%Y-%m-%d %H:%M} UTC (move)"
    later = f"{soon + timedelta(days=1):%Y-%m-%d %H:%M}"
    coming = f"Next maintenance: All sites from {clock(soon)} until {later} UTC (soon)"
    out = cli("incidents", "--state-dir", "state").out
    assert max(map(len, out.splitlines())) <= columns
    assert " ".join(out.split()).endswith(f"{now_open} {coming} 1 open incident.")
    assert cli("incidents", "--format", "markdown", "--state-dir", "state").out.endswith(
        f"\n\n{now_open}\n\n{coming}\n\n1 open incident.\n"
    )
    shown = cli("incidents", "show", "1", "--state-dir", "state").out
    assert now_open in " ".join(shown.split())
    assert "soon" not in shown
    assert "move" not in cli("incidents", "--site", "EU1", "--state-dir", "state").out


def test_windows_of_maintenance_as_json(cli: Cli, tmp_path: Path) -> None:
    until, soon = windows(tmp_path)
    found = json.loads(cli("incidents", "--format", "json").out)["maintenance"]
    assert [(each["name"], each["open"]) for each in found] == [("move", True), ("soon", False)]
    assert found[0]["sites"] == ["AP1", "US5"]
    assert found[0]["end"] == f"{until:%Y-%m-%dT%H:%M:%SZ}"
    assert found[1]["start"] == f"{soon:%Y-%m-%dT%H:%M:%SZ}"
    assert found[1]["sites"] == [*ALL_SITES]


def test_an_incident_that_is_over_says_nothing_of_maintenance(cli: Cli, past: Past, tmp_path: Path) -> None:
    past.round({"US5": [outage()]})
    past.round()
    windows(tmp_path)
    assert "maintenance" not in cli("incidents", "show", "1", "--state-dir", "state").out


# --- one life ---


def lived(past: Past) -> None:
    past.round({"US5": [outage()]})
    past.round({"US5": [outage()], "EU1": [outage("502 Bad Gateway")]})
    past.round({"EU1": [outage("502 Bad Gateway")]})


def test_the_life_of_an_incident_is_a_timeline(cli: Cli, past: Past, monkeypatch: Any) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lived(past)
    cli("incidents", "ack", "1", "--by", "ada", "--reason", "on it", "--state-dir", "state")
    ran = cli("incidents", "show", "1", "--state-dir", "state")
    assert (ran.code, ran.err) == (0, "")
    assert max(map(len, ran.out.splitlines())) <= 80
    words = " ".join(ran.out.split())
    for said in (
        "opened 503 Service Unavailable",
        "now on EU1 too: 2 of 3 sites",
        "over on US5; still on EU1",
        "acknowledged ada: on it",
        "to notify opened: not yet team",
        "opened not delivered to team: queued, 0 attempts",
        "502 Bad Gateway",
    ):
        assert said in words
    assert ran.out.count(f"{past.at:%Y-%m-%d}  ") == 1 or past.at.hour == 0, "the day is told where it changes"


def test_the_life_of_an_incident_as_json(cli: Cli, past: Past) -> None:
    lived(past)
    life = json.loads(cli("incidents", "show", "1", "--format", "json", "--state-dir", "state").out)
    assert (life["incident"]["sites"], life["incident"]["all_sites"]) == (["EU1"], ["US5", "EU1"])
    assert [event["kind"] for event in life["events"]] == [
        "opened", "notified", "spread", "notified", "shrunk", "notified",
    ]  # fmt: skip
    assert [(notice["kind"], notice["state"], notice["sink"]) for notice in life["notices"]] == [
        ("opened", "queued", "team"),
        ("updated", "queued", "team"),
        ("updated", "queued", "team"),
    ]
    assert life["known"] == {}


def test_the_life_of_an_incident_as_markdown(cli: Cli, past: Past) -> None:
    past.round({"US5": [broken()]})
    out = cli("incidents", "show", "1", "--format", "markdown", "--state-dir", "state").out
    assert out.startswith("## Incident 1: is null\n\nbreaking at `$.data.attributes.name`; ")
    assert "| opened | is null |" in out
    assert "\n\nstring → " in out


def test_who_was_told_and_when_is_what_the_outbox_says(cli: Cli, past: Past) -> None:
    past.sinks = ("team", "ops", "pager", "oncall")
    past.round({"US5": [broken()]})
    state = ("--state-dir", "state")
    assert "to notify opened: not yet team, ops, pager, oncall" in shown_words(cli, *state)
    with past.opened() as store:
        ids = {row.notice.sink: row.id for row in store.undelivered()}
        store.mark_delivered(ids["team"], past.at)
        store.mark_delivered(ids["ops"], past.at + timedelta(seconds=42, milliseconds=3))
        failed = past.at + timedelta(seconds=1)
        store.mark_abandoned(ids["pager"], failed, "refused")
        store.mark_failed(ids["oncall"], failed, "refused", failed)
    said = "opened: team, ops (42 s later); not yet oncall; never pager"
    assert f"notified {said}" in shown_words(cli, *state)
    out = cli("incidents", "show", "1", "--format", "markdown", *state).out
    assert f"| notified | {said} |" in out
    assert "\n\nopened not delivered to oncall: queued, 1 attempt, refused\n" in out
    life = json.loads(cli("incidents", "show", "1", "--format", "json", *state).out)
    assert life["events"][1]["message"] == "for team, ops, pager, oncall: opened"


def shown_words(cli: Cli, *arguments: str) -> str:
    return " ".join(cli("incidents", "show", "1", *arguments).out.split())


def test_what_the_outbox_no_longer_has_is_told_as_it_was_written(past: Past) -> None:
    from monitors.commands import incident_found, incident_life  # noqa: PLC0415 - as the command does
    from monitors.report.value import Layout  # noqa: PLC0415 - likewise

    past.round({"US5": [outage()]})
    with past.opened() as store:
        life = incident_found.life_of(store, 1)
    assert life is not None
    text = incident_life.as_table(replace(life, notices=()), Layout(80))
    assert "notified  for team: opened" in text


def test_the_life_as_markdown_has_a_table_of_sites_and_the_silences(cli: Cli, past: Past) -> None:
    lived(past)
    state = ("--state-dir", "state")
    silence = ("--rule", "server-*", "--until", "2099-12-01", "--reason", "moves", "--by", "bob")
    assert cli("incidents", "silence", *silence, *state).code == 0
    out = cli("incidents", "show", "1", "--format", "markdown", *state).out
    assert "| site | since (UTC) | for | what |\n| --- | --- | --- | --- |\n| US5 | " in out
    begun = past.at - timedelta(minutes=2)
    assert f"| US5 | {begun:%Y-%m-%d %H:%M:%S} | 2 min | 503 Service Unavailable |" in out
    assert f"| EU1 | {begun + timedelta(minutes=1):%Y-%m-%d %H:%M:%S} | still | 502 Bad Gateway |" in out
    assert "\n\nSilence 1: server-\\* until 2099-12-01 00:00 UTC, by bob: moves\n" in out


def test_what_was_promised_and_what_came_are_shown_with_a_broken_contract(cli: Cli, past: Past) -> None:
    past.round({"US5": [replace(broken(), revision=None)]})
    assert "  string → null\n" in cli("incidents", "show", "1", "--state-dir", "state").out


def test_silences_that_hold_an_incident_back_are_shown_with_it(cli: Cli, past: Past) -> None:
    past.round({"US5": [broken()], "EU1": [outage()]})
    for arguments in (("--incident", "1"), ("--rule", "timeout"), ("--site", "US5", "--rule", "response-*")):
        ran = cli(
            "incidents", "silence", *arguments, "--until", "2h", "--reason", "r", "--by", "ada", "--state-dir", "state"
        )
        assert ran.code == 0
    number = next(entry["id"] for entry in listed(cli)["incidents"] if entry["kind"] == "contract")
    out = cli("incidents", "show", str(number), "--state-dir", "state").out
    assert "Silence 3: response-*, US5 until " in out
    assert "Silence 2" not in out, "that one is of another rule"
    assert ("Silence 1: incident" in out) == (number == 1)


@pytest.mark.parametrize("columns", [80, 50])
def test_a_narrow_terminal_cuts_no_fact_off(columns: int, cli: Cli, past: Past, monkeypatch: Any) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    message = " ".join(f"word{number:02}" for number in range(40))
    place = "$." + ".".join(f"name{number:02}" for number in range(30))
    past.round({site: [broken(message, place)] for site in SITES})
    past.thresholds = replace(THRESHOLDS, confirm_count=3)
    past.round({site: [broken(message, place), broken(message, "$.other")] for site in SITES})
    until = ("--until", "2h", "--reason", "moves", "--by", "ada", "--state-dir", "state")
    cli("incidents", "silence", "--incident", "1", *until)
    for arguments in (("--state", "all"), ("show", "1")):
        out = cli("incidents", *arguments, "--state-dir", "state").out
        assert max(map(len, out.splitlines())) <= columns
        assert "…" not in out
        assert all(f"word{number:02}" in out for number in range(40))
        assert place in "".join(out.split())
        assert all(site in out for site in SITES)


# --- hostile text ---


@pytest.mark.parametrize("format_", ["table", "json", "markdown"])
def test_no_text_of_a_site_moves_the_terminal_or_becomes_markup(format_: str, cli: Cli, past: Past) -> None:
    past.round({"US5": [broken(HOSTILE, f"$.{HOSTILE}")], "EU1": [outage(HOSTILE)]})
    silence = ("--until", "2h", "--reason", HOSTILE, "--by", HOSTILE, "--state-dir", "state")
    assert cli("incidents", "silence", "--incident", "1", *silence).code == 0
    assert cli("incidents", "ack", "1", "--reason", HOSTILE, "--by", HOSTILE, "--state-dir", "state").code == 0
    past.thresholds = replace(THRESHOLDS, confirm_count=3)
    past.round({"US5": [broken(HOSTILE, f"$.{HOSTILE}"), broken(HOSTILE, "$.other")], "EU1": [outage(HOSTILE)]})
    for arguments in (("list", "--state", "all"), ("show", "1"), ("show", "2")):
        out = cli("incidents", *arguments, "--format", format_, "--state-dir", "state").out
        allowed = "\u2060" if format_ == "markdown" else ""
        assert all(line.translate(dict.fromkeys(map(ord, allowed))).isprintable() for line in out.splitlines())
        assert not any(line.lstrip().startswith("::") for line in out.splitlines())
        if format_ == "markdown":
            html = MarkdownIt("gfm-like", {"linkify": False}).render(out)
            assert "<img" not in html
            assert "<a " not in html
            assert "@everyone" not in html
            for is_table, lines in itertools.groupby(out.splitlines(), lambda line: line.startswith("|")):
                assert not is_table or len({row.count("|") for row in lines}) == 1


# --- what people do ---


def test_acknowledging_is_told_and_stands_in_the_store(cli: Cli, past: Past) -> None:
    past.round({"US5": [outage()]})
    ran = cli("incidents", "ack", "1", "--by", "  Ada\nL ", "--state-dir", "state")
    assert (ran.code, ran.out, ran.err) == (0, "", "incident 1 is acknowledged by Ada L\n")
    [incident] = listed(cli)["incidents"]
    assert (incident["acknowledged"]["by"], incident["acknowledged"]["reason"]) == ("Ada L", "")


def test_resolving_by_hand_ends_it_and_the_monitor_tells_so(cli: Cli, past: Past) -> None:
    past.round({"US5": [outage()]})
    ran = cli("incidents", "resolve", "1", "--by", "ada", "--reason", "a test of theirs", "--state-dir", "state")
    assert (ran.code, ran.err) == (0, "incident 1 is resolved by ada\n")
    past.round()
    with past.opened() as store:
        assert [str(row.notice.kind) for row in store.notices(1)] == ["opened", "resolved"]
        said = [event.message for event in store.events(1) if str(event.kind) == "resolved"]
        assert said == [f"by hand after {said[0][14:].partition(':')[0]}: a test of theirs"]
    [incident] = listed(cli, "--state", "resolved")["incidents"]
    assert incident["why_resolved"] == "by hand"


def test_a_silence_is_made_listed_and_ended(cli: Cli, past: Past) -> None:
    past.round({"US5": [outage()]})
    ran = cli(
        "incidents", "silence", "--site", "us5", "--until", "2099-12-01T08:00+01:00",
        "--reason", "moves", "--by", "ada", "--state-dir", "state",
    )  # fmt: skip
    assert (ran.code, ran.err) == (0, "silence 1 holds until 2099-12-01 07:00 UTC\n")
    [silence] = listed(cli)["silences"]
    assert (silence["sites"], silence["until"], silence["rule"]) == (["US5"], "2099-12-01T07:00:00Z", None)
    assert "Silence 1: US5 until 2099-12-01 07:00 UTC, by ada: moves" in cli("incidents", "--state-dir", "state").out
    ran = cli("incidents", "unsilence", "1", "--by", "ada", "--state-dir", "state")
    assert ran.err == "silence 1 is over\n"
    assert listed(cli)["silences"] == []
    with past.opened() as store:
        assert [str(event.kind) for event in store.events(1)][-2:] == ["silenced", "unsilenced"]


def test_a_silence_of_one_incident_is_on_its_timeline_from_beginning_to_end(cli: Cli, past: Past) -> None:
    past.round({"US5": [outage()]})
    until = ("--until", "2h", "--reason", "moves", "--by", "ada", "--state-dir", "state")
    cli("incidents", "silence", "--incident", "1", *until)
    assert cli("incidents", "unsilence", "1", "--by", "bob", "--state-dir", "state").code == 0
    words = " ".join(cli("incidents", "show", "1", "--state-dir", "state").out.split())
    assert re.search(r"unsilenced bob: silence 1 ended 1 h 59 min before its time", words)
    with past.opened() as store:
        assert [str(event.kind) for event in store.events(1)][-2:] == ["silenced", "unsilenced"]


def test_who_takes_an_incident_over_is_told_whose_it_was(cli: Cli, past: Past) -> None:
    past.round({"US5": [outage()]})
    state = ("--state-dir", "state")
    cli("incidents", "ack", "1", "--by", "ada", "--reason", "asked the vendor", *state)
    ran = cli("incidents", "ack", "1", "--by", "bob", *state)
    assert ran.err == "incident 1 is acknowledged by bob; before, by ada: asked the vendor\n"
    assert cli("incidents", "ack", "1", "--by", "eve", "--reason", "mine", *state).err.endswith("; before, by bob\n")
    words = " ".join(cli("incidents", "show", "1", *state).out.split())
    assert "bob: taken on (before, by ada: asked the vendor)" in words
    assert "eve: mine (before, by bob)" in words


def test_a_silence_that_is_over_is_not_shown_as_one_in_force(cli: Cli, past: Past) -> None:
    past.round({"US5": [outage()]})
    with past.opened() as store, store.writing() as tx:
        from monitors.incidents import people  # noqa: PLC0415 - only here

        book = tx.book()
        made, _ = people.silence(
            book, until=past.at + timedelta(minutes=1), reason="r", by="ada", at=past.at, incident=1
        )
        tx.put_book(book, made.book, made.events)
    assert listed(cli)["silences"] == []
    assert "Silence" not in cli("incidents", "show", "1", "--state-dir", "state").out


def test_a_silence_of_an_incident_that_is_over_is_not_listed(cli: Cli, past: Past) -> None:
    past.round({"US5": [outage()]})
    silence = ("--until", "2h", "--reason", "r", "--by", "ada", "--state-dir", "state")
    cli("incidents", "silence", "--incident", "1", *silence)
    cli("incidents", "silence", "--rule", "server-error", *silence)
    assert [each["id"] for each in listed(cli)["silences"]] == [1, 2]
    past.round()
    assert [each["id"] for each in listed(cli)["silences"]] == [2]
    assert "Silence" not in cli("incidents", "show", "1", "--state-dir", "state").out, "it is over"


def test_a_silence_ends_at_a_whole_second(cli: Cli, past: Past) -> None:
    past.round({"US5": [outage()]})
    cli(
        "incidents", "silence", "--incident", "1", "--until", "2h", "--reason", "r", "--by", "a", "--state-dir", "state"
    )
    with past.opened() as store:
        [silence] = store.book().silences
    assert silence.until.microsecond == 0


def test_an_end_beyond_the_calendar_is_a_mistake_and_one_at_its_edge_is_not(cli: Cli, past: Past) -> None:
    past.round({"US5": [outage()]})
    more = ("--reason", "r", "--by", "ada", "--state-dir", "state")
    silence = ("incidents", "silence", "--incident", "1", *more, "--until")
    assert cli(*silence, "9999-12-31").code == 0
    for beyond in ("9999-12-31T23:59-14:00", "999999w"):
        ran = cli(*silence, beyond)
        said = f"{beyond!r} is neither a time nor a span of time that fits into the calendar"
        assert ran.code == 2
        assert ran.err == f"error: invalid value for '--until': {said}{SEE.format('silence')}\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("show 7", "there is no incident 7; `incidents list --state all` lists them"),
        ("ack 7 --by ada", "there is no incident 7; `incidents list --state all` lists them"),
        ("resolve 7 --by ada", "there is no incident 7; `incidents list --state all` lists them"),
        (
            "silence --incident 7 --until 2h --reason r --by ada",
            "there is no incident 7; `incidents list --state all` lists them",
        ),
        ("unsilence 7", "there is no silence 7 in force; in force: none"),
        (
            "silence --until 2h --reason r --by ada",
            "a silence names an incident, a rule or sites; to be told nothing at all, plan a maintenance window",
        ),
        (
            "silence --rule sever-error --until 2h --reason r --by ada",
            "--rule: unknown rule 'sever-error'; did you mean server-error?",
        ),
        (
            "silence --rule zzzzzz --until 2h --reason r --by ada",
            "--rule: unknown rule 'zzzzzz'; `model-lab-monitor rules` lists them",
        ),
        (
            "silence --rule edgy-* --until 2h --reason r --by ada",
            "--rule: no rule begins with 'edgy-'; `model-lab-monitor rules` lists them",
        ),
        ("silence --incident 1 --until 2020-01-01 --reason r --by ada", "--until 2020-01-01 00:00 UTC is past"),
        (
            "silence --incident 1 --until soon --reason r",
            f"invalid value for '--until': 'soon' is neither a time nor {SPAN}{SEE.format('silence')}",
        ),
        ("silence --incident 1 --until 2h", f"missing option '--reason'{SEE.format('silence')}"),
        (
            "list --since soon",
            f"invalid value for '--since': 'soon' is neither a time nor {SPAN}{SEE.format('list')}",
        ),
        ("list --site US9", f"unknown site 'US9'; did you mean US5? Known: {', '.join(ALL_SITES)}."),
        ("lst", "no such command 'lst'. Did you mean 'list'? See model-lab-monitor incidents --help"),
        ("show 0", "invalid value for 'ID': 0 is not in the range x>=1; see model-lab-monitor incidents show --help"),
    ],
)
def test_a_mistake_is_told_with_what_to_write_instead(arguments: str, said: str, cli: Cli, past: Past) -> None:
    past.round({"US5": [outage()]})
    words = arguments.split()
    more = ["--state-dir", "state"] if words[0] in {"show", "ack", "resolve", "silence", "unsilence"} else []
    ran = cli("incidents", *words, *more)
    assert (ran.code, ran.out, ran.err) == (2, "", f"error: {said}\n")


@pytest.mark.parametrize("arguments", ["ack 1 --by a", "resolve 1 --by a", "unsilence 1"])
def test_nothing_can_be_done_before_anything_was_kept(arguments: str, cli: Cli, tmp_path: Path) -> None:
    ran = cli("incidents", *arguments.split())
    assert (ran.code, ran.err) == (2, "error: nothing has been kept yet; `model-lab-monitor watch` begins\n")
    assert cli("incidents", "show", "1").err == (
        "error: there is no incident 1; `incidents list --state all` lists them\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_resolved_incident_cannot_be_ended_again(cli: Cli, past: Past) -> None:
    past.round({"US5": [outage()]})
    past.round()
    assert cli("incidents", "resolve", "1", "--by", "a", "--state-dir", "state").err == (
        "error: incident 1 is not open; open: none\n"
    )


def test_who_does_it_is_gits_user_where_nobody_is_named(cli: Cli, past: Past, tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "gitconfig").write_text("[user]\n\tname = Grace Hopper\n", "utf-8")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    past.round({"US5": [outage()]})
    ran = cli("incidents", "ack", "1", "--state-dir", "state")
    assert ran.err == "incident 1 is acknowledged by Grace Hopper\n"
    assert listed(cli)["incidents"][0]["acknowledged"]["by"] == "Grace Hopper"


def test_where_nobody_is_known_somebody_has_to_be_named(cli: Cli, past: Past, monkeypatch: Any) -> None:
    past.round({"US5": [outage()]})
    monkeypatch.setenv("PATH", "/nowhere")
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, " ")
    ran = cli("incidents", "ack", "1", "--state-dir", "state")
    assert (ran.code, ran.err) == (2, "error: --by is missing: neither git nor this machine says who you are\n")


def test_a_damaged_store_is_the_harness_failing(cli: Cli, past: Past) -> None:
    file = past.folder / "monitor.sqlite"
    file.write_bytes(b"no database at all" * 100)
    ran = cli("incidents", "--state-dir", "state")
    assert (ran.code, ran.out) == (4, "")
    assert ran.err.startswith("error: ")


def test_what_the_vendor_says_of_the_sites_is_quoted_and_harmless(past: Past) -> None:
    from monitors.commands import incident_found, incident_life, incident_views  # noqa: PLC0415 - as the command does
    from monitors.report.value import Layout  # noqa: PLC0415 - likewise

    past.round({"US5": [outage()]})
    known = (("US5", HOSTILE),)
    with past.opened() as store:
        found = incident_found.wanted(store, state="open", sites=(), since=None, limit=9)
        life = incident_found.life_of(store, 1)
    assert life is not None
    for text in (
        incident_views.as_table(replace(found, known=known), Layout(80)),
        incident_life.as_table(replace(life, known=known), Layout(80)),
    ):
        assert "vendor's status page, US5: \\x1b[2J" in text
        assert all(line.isprintable() for line in text.splitlines())
        assert "::error" not in text
    assert json.loads(incident_views.as_json(replace(found, known=known)))["known"] == {"US5": HOSTILE}
    assert json.loads(incident_life.as_json(replace(life, known=known)))["known"] == {"US5": HOSTILE}


def test_a_terminal_without_signs_gets_words_of_ascii(past: Past) -> None:
    from monitors.commands import incident_found, incident_life, incident_views  # noqa: PLC0415 - as the command does
    from monitors.report.value import Layout  # noqa: PLC0415 - likewise

    past.thresholds = replace(THRESHOLDS, failure_threshold=3, failure_window=5)
    past.round({"US5": [broken()], "EU1": [outage()]})
    with past.opened() as store:
        found = incident_found.wanted(store, state="all", sites=(), since=None, limit=9)
        life = incident_found.life_of(store, 1)
    assert life is not None
    for text in (
        incident_views.as_table(found, Layout(80, unicode=False)),
        incident_life.as_table(life, Layout(80, unicode=False)),
    ):
        assert text.isascii()


def test_everything_delivered_leaves_nothing_to_say_of_deliveries(cli: Cli, past: Past) -> None:
    past.round({"US5": [outage()]})
    with past.opened() as store:
        for row in store.undelivered():
            store.mark_delivered(row.id, past.at)
    assert "not delivered" not in cli("incidents", "show", "1", "--state-dir", "state").out
