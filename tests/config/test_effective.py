"""What is shown of the settings: every value, where it came from, and never a secret."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitors.config import FILE_NAME, STORE_VARIABLE, Settings, load
from monitors.config.effective import effective

FILE = """\
timeout_s = 2.5
[sites."us5.datadoghq.com"]
api_key_env = "K"
app_key_file = "app"
interval_s = 45
[sites.US5.checks.run]
""".replace("[sites.US5.", '[sites."us5.datadoghq.com".')
FILE += """\
interval_s = 10
[watch]
interval_s = 90
[checks.run]
interval_s = 30
[incidents]
level = "breaking"
[maintenance.weekly]
cron = "30 2 * * SUN"
duration_s = 7200
[maintenance.move]
start = 2026-03-01T22:00:00+01:00
end = 2026-03-02T02:00:00+01:00
[sinks.ops]
type = "webhook"
url = "https://hooks.example.com/x"
secret_env = "S"
[sinks.gh]
type = "github-issues"
repository = "a/b"
token_file = "token"
labels = ["x", "y"]
[store]
url_env = "DB"
"""
ENVIRON = {"K": "k-value", "S_FILE": "signing", "DB": "postgresql://me:hunter2@db:5432/monitor?sslpassword=hunter3"}
SECRETS = ("k-value", "app-value", "signing-value", "token-value", "hunter2", "hunter3")


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def loaded(**environ: str) -> Settings:
    for name in ("app", "token", "signing"):
        Path(name).write_text(f"{name}-value\n")
    Path(FILE_NAME).write_text(FILE)
    return load(None, ENVIRON | environ, ["US5"])


def rows(found: Settings) -> dict[str, tuple[object, str]]:
    return {row.name: (row.value, row.origin) for row in effective(found)}


def test_each_value_says_which_line_variable_or_file_it_came_from() -> None:
    here = FILE_NAME
    assert {name: row for name, row in rows(loaded()).items() if row[1] != "default"} == {
        "timeout_s": (2.5, f"{here}:1"),
        "sites.US5.api_key": ("***", f"environment K (named by {here}:3)"),
        "sites.US5.app_key": ("***", f"file app (named by {here}:4)"),
        "sites.US5.checks.run.interval_s": (10, f"{here}:7"),
        "sites.US5.checks.not-found.interval_s": (45, f"{here}:5"),
        "sites.US5.checks.bad-request.interval_s": (45, f"{here}:5"),
        "sites.US5.checks.unauthenticated.interval_s": (45, f"{here}:5"),
        "checks.run.interval_s": (30, f"{here}:11"),
        "checks.not-found.interval_s": (90, f"{here}:9"),
        "checks.bad-request.interval_s": (90, f"{here}:9"),
        "checks.unauthenticated.interval_s": (90, f"{here}:9"),
        "watch.vantage": (socket.gethostname(), "the name of this machine"),
        "incidents.level": ("breaking", f"{here}:13"),
        "maintenance.weekly.cron": ("30 2 * * SUN", f"{here}:15"),
        "maintenance.weekly.duration_s": (7200, f"{here}:16"),
        "maintenance.move.start": ("2026-03-01T21:00:00Z", f"{here}:18"),
        "maintenance.move.end": ("2026-03-02T01:00:00Z", f"{here}:19"),
        "sinks.ops.type": ("webhook", f"{here}:21"),
        "sinks.ops.url": ("https://hooks.example.com/x", f"{here}:22"),
        "sinks.ops.secret": ("***", "file signing (named by S_FILE)"),
        "sinks.gh.type": ("github-issues", f"{here}:25"),
        "sinks.gh.repository": ("a/b", f"{here}:26"),
        "sinks.gh.token": ("***", f"file token (named by {here}:27)"),
        "sinks.gh.labels": (["x", "y"], f"{here}:28"),
        "store.url": ("postgresql+psycopg://***@db:5432/monitor?***", f"environment DB (named by {here}:30)"),
    }


def test_the_environment_goes_before_the_file_and_says_so() -> None:
    found = rows(
        loaded(
            DD_API_KEY_US5="a",
            DD_APP_KEY_US5_FILE="app",
            MODEL_LAB_RUN_ID_US5="7",
            MODEL_LAB_MONITOR_STORE_URL="sqlite:///x",
        )
    )
    assert found["sites.US5.api_key"] == ("***", "environment DD_API_KEY_US5")
    assert found["sites.US5.app_key"] == ("***", "file app (named by DD_APP_KEY_US5_FILE)")
    assert found["sites.US5.run_id"] == (7, "environment MODEL_LAB_RUN_ID_US5")
    assert found["store.url"] == ("sqlite:///x", f"environment {STORE_VARIABLE}")


def test_a_secret_that_is_not_looked_up_says_where_it_would_come_from() -> None:
    loaded()
    found = rows(load(None, {}, ["US5"], without=("keys", "sinks", "store")))
    assert found["sites.US5.api_key"] == (None, f"{FILE_NAME}:3")
    assert found["sinks.ops.secret"] == (None, f"{FILE_NAME}:23")
    assert found["store.url"] == (None, f"{FILE_NAME}:30")


def test_the_files_read_are_known() -> None:
    assert sorted(map(str, loaded().files)) == ["app", FILE_NAME, "signing", "token"]


def test_no_secret_is_shown_or_stands_in_a_representation() -> None:
    found = loaded()
    said = repr(found) + repr(found.sinks) + repr(rows(found)) + repr(found.origins)
    assert not [secret for secret in SECRETS if secret in said]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.from_regex(r"[!-~]{6,30}", fullmatch=True).filter(lambda text: not re.search(r"[/?#@\[\]%]", text)),
    st.sampled_from(["me:{}@db/x", "db/x?password={}", "{}@db/x", "me:x{}@[::1]:1/x?sslmode=require"]),
)
def test_no_secret_is_ever_shown_whatever_it_is(secret: str, form: str) -> None:
    Path(FILE_NAME).write_text("[sinks.ops]\ntype = 'apprise'\nurl_env = 'S'\n")
    environ = {"S": secret, "DD_API_KEY": secret, "DD_APP_KEY": secret}
    environ[STORE_VARIABLE] = f"postgresql://{form.format(secret)}"
    found = load(None, environ, ["US1"])
    shown = {name: value for name, (value, _) in rows(found).items()}
    assert (shown["sinks.ops.url"], shown["sites.US1.api_key"], shown["sites.US1.app_key"]) == ("***",) * 3
    assert secret not in str(shown["store.url"])
    assert secret not in repr(found)
