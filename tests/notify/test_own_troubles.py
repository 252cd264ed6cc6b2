"""The monitor's own troubles: what it means and why stand where a locked phone shows them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors.config import load
from monitors.config.mistakes import in_a_line
from monitors.errors import HarnessError, UsageError
from monitors.incidents.content import incident_json
from monitors.incidents.model import Incident, Notice, NoticeKind, Spell
from monitors.notify.message import message_of
from monitors.notify.own_troubles import in_short
from monitors.rules import RULES
from monitors.store import open_store
from monitors.watching import health

if TYPE_CHECKING:
    from pathlib import Path

    from monitors.model import Finding

AT = datetime(2026, 11, 26, 10, 44, tzinfo=UTC)
SEEN_CHARS = 100
OWN = [rule for rule in RULES if rule.startswith("monitor-")]


def title(finding: Finding) -> str:
    """Return the title of the first notice of a trouble, as much of it as is seen."""
    spell = Spell("", AT, finding.level, finding.rule, finding.message)
    incident = Incident(1, finding.rule, finding, finding.level, AT, AT, (spell,))
    content: Any = {"kind": "opened", "at": "2026-11-26T10:44:00Z", "incident": incident_json(incident)}
    return message_of(Notice("ops", 1, 1, NoticeKind.OPENED, "key", AT, content)).title[:SEEN_CHARS]


@pytest.mark.parametrize(
    ("lines", "seen"),
    [
        (["intervl_s = 3"], "line 2: unknown key 'interv"),
        (["interval_s = 3", "digest_cron = 5"], "line 3: digest_cron must be"),
    ],
)
def test_a_configuration_that_is_refused_says_what_that_means_and_where(
    lines: list[str], seen: str, tmp_path: Path
) -> None:
    path = tmp_path / "a-folder-with-a-long-name-in-which-it-lies.toml"
    path.write_text("\n".join(["[watch]", *lines]), "utf-8")
    with pytest.raises(UsageError) as caught:
        load(path, {}, [], without=("keys",))
    shown = title(health.own(health.CONFIG, in_a_line(str(caught.value)), AT))
    assert shown.startswith("🟡 The monitor itself: configuration refused, the old one stays in force: line ")
    assert seen[:20] in shown


def test_of_several_mistakes_the_first_is_told_and_their_number(tmp_path: Path) -> None:
    path = tmp_path / "m.toml"
    path.write_text("[watch]\na = 1\nb = 2\n", "utf-8")
    with pytest.raises(UsageError) as caught:
        load(path, {}, [], without=("keys",))
    said = in_short(health.CONFIG, in_a_line(str(caught.value)))
    assert said == "configuration refused, the old one stays in force: line 2: unknown key 'a' (1 of 2 mistakes)"


def test_a_server_that_is_out_of_reach_is_told_with_the_reason() -> None:
    with pytest.raises(HarnessError) as caught:
        open_store("postgresql+psycopg://someone@127.0.0.1:9/a-database-with-a-long-name-for-its-purpose")
    shown = title(health.own(health.STORE, str(caught.value), AT))
    assert shown == "🔴 The monitor itself: the store cannot be reached: Connection refused"


@pytest.mark.parametrize(
    ("rule", "message", "said"),
    [
        (
            health.STORE,
            (
                "postgresql://db.example.com/m: cannot be reached: connection is bad: connection to server at "
                '"10.0.0.5", port 5432 failed: FATAL:  password authentication failed for user "monitor"'
            ),
            'the store cannot be reached: password authentication failed for user "monitor"',
        ),
        (
            health.STORE,
            "/var/lib/model-lab-monitor/monitor.sqlite: cannot be written to: the disk is full",
            "the store cannot be written to: the disk is full",
        ),
        (
            health.STORE,
            "sqlite:////var/lib/x/monitor.sqlite: another process holds the store; try again when it is done",
            "another process holds the store; try again when it is done",
        ),
        (health.STORE, "/var/lib/x/m.sqlite: the file is damaged (x)", "the file is damaged (x)"),
        (health.STORE, "out of luck", "the store fails: out of luck"),
        (health.PROBING, "this machine cannot start a thread: x", "this machine cannot start a thread: x"),
        ("monitor-brand-new", "/etc/x: it broke", "it broke"),
    ],
)
def test_what_is_wrong_comes_before_where(rule: str, message: str, said: str) -> None:
    assert in_short(rule, message) == said


def test_a_sink_that_fails_and_a_machine_that_is_offline_say_so_first() -> None:
    sinks = health.sinks_trouble([("ops", AT, "https://hooks.example.com: answered 503")], AT + timedelta(hours=1), 60)
    [failing] = sinks.values()
    assert title(failing).endswith("itself: ops takes no notices: https://hooks.example.com: answered 503")

    def nowhere(_host: str, _port: int, _timeout_s: float) -> None:
        raise OSError

    offline = health.network_trouble(["one.example.com:443", "another.example.com:443"], AT, nowhere)
    assert offline is not None
    assert "itself: this machine is offline, nothing is judged: no site answers" in title(offline)


@given(rule=st.sampled_from([*OWN, "other"]), message=st.text(max_size=200))
def test_any_message_is_told(rule: str, message: str) -> None:
    assert in_short(rule, message) or not message
