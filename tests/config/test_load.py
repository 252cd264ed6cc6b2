from __future__ import annotations

import dataclasses
import json
import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitors.config import (
    FILE_NAME,
    FILE_VARIABLE,
    SECTIONS,
    STORE_VARIABLE,
    Credentials,
    Maintenance,
    Retention,
    Settings,
    SinkSettings,
    Thresholds,
    WatchSettings,
    describe,
    in_a_line,
    load,
    load_store,
    markdown,
)
from monitors.errors import ConfigError, UsageError
from monitors.model import Level

MISTAKES = sorted(Path(__file__).with_name("mistakes").glob("*.json"))
LEVELS = {"fail_on", "availability", "incidents.level", "sinks.NAME.level"}
DOCS = Path(__file__).parents[2] / "docs" / "configuration.md"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test has a working directory of its own, so no configuration file is found by accident."""
    monkeypatch.chdir(tmp_path)


def by_key(loaded: Settings) -> dict[str, tuple[Credentials | None, int | None]]:
    return {site.site.key: (site.credentials, site.run_id) for site in loaded.sites}


@pytest.mark.parametrize("path", MISTAKES, ids=lambda path: path.stem)
def test_each_mistake_has_its_exact_message(path: Path) -> None:
    """The message says what is wrong, where, and what to write instead, and never repeats a key."""
    case = json.loads(path.read_text())
    for name, text in case.get("files", {}).items():
        Path(name).write_text(text)
    if "toml" in case:
        Path(FILE_NAME).write_text("\n".join(case["toml"]) + "\n")
    named = Path(case["config"]) if "config" in case else None
    with pytest.raises(UsageError) as caught:
        load(named, case.get("environ", {}), case.get("sites", []))
    assert str(caught.value).split("\n") == case["message"]
    secret = case.get("secret")
    assert secret is None or secret not in str(caught.value)


def test_nothing_said_means_the_defaults_and_all_nine_sites() -> None:
    loaded = load(None, {}, [])
    assert dataclasses.replace(loaded, sites=()) == Settings(sites=())
    assert loaded.path is None
    assert list(by_key(loaded)) == ["US1", "US3", "US5", "EU1", "AP1", "AP2", "UK1", "US1-FED", "US2-FED"]
    assert set(by_key(loaded).values()) == {(None, None)}


def test_the_whole_file_is_read() -> None:
    Path(FILE_NAME).write_text(
        "timeout_s = 3\ncertificate_warning_days = 0\nfail_on = 'info'\navailability = 'warning'\npause_s = 0.5\n"
        "confirm_count = 3\nconfirm_window_s = 60\ncompare_after = 4\n"
        "[sites.eu1]\nrun_id = 9223372036854775807\n"
    )
    loaded = load(None, {}, ["EU1"])
    told = Thresholds(confirm_count=3)
    assert loaded == Settings(loaded.sites, 3.0, 0, Level.INFO, Level.WARNING, 0.5, Path(FILE_NAME), 3, 60.0, 4, told)
    assert by_key(loaded) == {"EU1": (None, 2**63 - 1)}


def test_variables_without_a_site_belong_to_us1_by_default() -> None:
    environ = {"DD_API_KEY": "a", "DD_APP_KEY": "b", "MODEL_LAB_RUN_ID": " 7\n"}
    assert by_key(load(None, environ, ["US1,US5"])) == {"US1": (Credentials("a", "b"), 7), "US5": (None, None)}


@pytest.mark.parametrize("name", ["us5.datadoghq.com", "US5", "api.us5.datadoghq.com"])
def test_dd_site_moves_the_variables_without_a_site(name: str) -> None:
    environ = {"DD_SITE": name, "DD_API_KEY": "a", "DD_APP_KEY": "b", "MODEL_LAB_RUN_ID": "7"}
    assert by_key(load(None, environ, ["US1", "US5"])) == {"US1": (None, None), "US5": (Credentials("a", "b"), 7)}


def test_the_site_s_own_variables_come_first_then_the_general_ones_then_the_file() -> None:
    Path(FILE_NAME).write_text("[sites.US1]\nrun_id = 3\napi_key_env = 'C'\napp_key_env = 'D'\n")
    environ = {"C": "file-a", "D": "file-b"}
    assert by_key(load(None, environ, ["US1"])) == {"US1": (Credentials("file-a", "file-b"), 3)}
    environ |= {"DD_API_KEY": "a", "DD_APP_KEY": "b", "MODEL_LAB_RUN_ID": "2"}
    assert by_key(load(None, environ, ["US1"])) == {"US1": (Credentials("a", "b"), 2)}
    environ |= {"DD_API_KEY_US1": "own-a", "DD_APP_KEY_US1": "own-b", "MODEL_LAB_RUN_ID_US1": "1"}
    assert by_key(load(None, environ, ["US1"])) == {"US1": (Credentials("own-a", "own-b"), 1)}


def test_a_dash_in_a_site_is_an_underscore_in_its_variables() -> None:
    environ = {"DD_API_KEY_US1_FED": "a", "DD_APP_KEY_US1_FED": "b", "MODEL_LAB_RUN_ID_US1_FED": "5"}
    assert by_key(load(None, environ, ["US1-FED"])) == {"US1-FED": (Credentials("a", "b"), 5)}


def test_empty_variables_count_as_unset() -> None:
    environ = dict.fromkeys(
        (
            FILE_VARIABLE,
            "DD_SITE",
            "DD_API_KEY",
            "DD_APP_KEY_FILE",
            "MODEL_LAB_RUN_ID",
            "DD_API_KEY_EU1",
            "MODEL_LAB_RUN_ID_EU1",
        ),
        "",
    )
    assert set(by_key(load(None, environ, [])).values()) == {(None, None)}


def test_a_variable_the_file_names_but_nobody_set_means_no_keys() -> None:
    Path(FILE_NAME).write_text("[sites.US5]\napi_key_env = 'C'\napp_key_env = 'D'\n")
    assert by_key(load(None, {}, ["US5"])) == {"US5": (None, None)}


def test_key_files_lose_their_line_end_and_are_relative_to_whoever_names_them(tmp_path: Path) -> None:
    folder = tmp_path / "etc"
    folder.mkdir()
    (folder / "key").write_text("file-a\r\n")
    (tmp_path / "app").write_text("file-b\n")
    config = folder / "monitor.toml"
    config.write_text("[sites.US5]\napi_key_file = 'key'\n")
    loaded = load(config, {"DD_APP_KEY_US5_FILE": "app"}, ["US5"])
    assert by_key(loaded) == {"US5": (Credentials("file-a", "file-b"), None)}


def test_the_named_file_wins_over_the_variable_and_that_over_the_default() -> None:
    for name, timeout_s in (("named.toml", 1), ("variable.toml", 2), (FILE_NAME, 3)):
        Path(name).write_text(f"timeout_s = {timeout_s}\n")
    environ = {FILE_VARIABLE: "variable.toml"}
    assert load(Path("named.toml"), environ, []).timeout_s == 1
    assert load(None, environ, []).timeout_s == 2
    assert load(None, {}, []).timeout_s == 3


def test_mistakes_of_sites_that_were_not_chosen_do_not_matter() -> None:
    environ = {"DD_API_KEY_EU1": "half", "MODEL_LAB_RUN_ID_EU1": "x", "DD_API_KEY_AP1_FILE": "missing"}
    assert by_key(load(None, environ, ["US5"])) == {"US5": (None, None)}


def test_a_byte_order_mark_and_windows_line_ends_are_no_mistake() -> None:
    Path(FILE_NAME).write_bytes(b"\xef\xbb\xbftimeout_s = 4\r\n[sites.US5]\r\nrun_id = 1\r\n")
    assert load(None, {}, ["US5"]).timeout_s == 4


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"timeout_s = 1 # \xff\n", "model-lab-monitor.toml: not UTF-8 (byte 16); TOML is always UTF-8"),
        (b"#" * (2**20 + 1), "model-lab-monitor.toml: larger than 1 MiB; this is no configuration file"),
    ],
    ids=["not-utf8", "too-large"],
)
def test_a_file_that_is_no_text_of_ours_is_refused(raw: bytes, message: str) -> None:
    Path(FILE_NAME).write_bytes(raw)
    with pytest.raises(ConfigError) as caught:
        load(None, {}, [])
    assert str(caught.value) == message


def test_a_path_that_no_file_system_takes_is_a_mistake_too() -> None:
    with pytest.raises(
        ConfigError, match=r"^DD_API_KEY_FILE: cannot read .*: .*embedded null (byte|character in path)$"
    ):
        load(None, {"DD_API_KEY_FILE": "a\0b", "DD_APP_KEY": "b"}, ["US1"])


def test_no_exception_in_the_chain_carries_the_file() -> None:
    """tomllib's own error holds the whole document, and with it a key someone pasted."""
    Path(FILE_NAME).write_text("api_key = 'abc'\nbroken")
    with pytest.raises(ConfigError) as caught:
        load(None, {}, [])
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(
        [
            "DD_SITE",
            "DD_API_KEY",
            "DD_APP_KEY_US5",
            "DD_API_KEY_FILE",
            "MODEL_LAB_RUN_ID",
            "MODEL_LAB_RUN_ID_US5",
            "MODEL_LAB_MONITOR_STORE_URL",
            "MODEL_LAB_MONITOR_STORE_URL_FILE",
            "SINK_URL",
            "SINK_URL_FILE",
        ]
    ),
    value=st.text(max_size=40),
)
def test_any_environment_gives_settings_or_a_config_error(name: str, value: str) -> None:
    Path(FILE_NAME).write_text("[sinks.ops]\ntype = 'apprise'\nurl_env = 'SINK_URL'\n")
    try:
        load(None, {"SINK_URL": "json://x", name: value}, [])
    except ConfigError as error:
        assert str(error)  # noqa: PT017 - either outcome is right, but never a third one


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(
        st.sampled_from([*(row.name for row in describe() if "." not in row.name), "sites", "other"]),
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.lists(st.integers()),
        max_size=4,
    )
)
def test_any_file_gives_settings_or_a_config_error(values: dict[str, object]) -> None:
    lines = [f"{json.dumps(name)} = {json.dumps(value)}" for name, value in values.items()]
    Path(FILE_NAME).write_text("\n".join(lines).replace("Infinity", "inf").replace("NaN", "nan"))
    try:
        load(None, {}, [])
    except ConfigError as error:
        assert FILE_NAME in str(error)  # noqa: PT017 - either outcome is right, but never a third one


@pytest.mark.parametrize("where", SECTIONS)
def test_the_page_shows_the_table_of_settings(where: str) -> None:
    text = DOCS.read_text()
    begin, end = f"<!-- {where} -->\n", f"<!-- /{where} -->\n"
    assert text[text.index(begin) + len(begin) : text.index(end)] == markdown(where)


def test_the_example_of_the_page_is_a_configuration(tmp_path: Path) -> None:
    example = DOCS.read_text().split("```toml\n")[1].split("```")[0]
    assert tomllib.loads(example)
    for site in ("eu1-api-key", "eu1-app-key"):
        (tmp_path / "keys").mkdir(exist_ok=True)
        (tmp_path / "keys" / site).write_text("k\n")
    Path(FILE_NAME).write_text(example)
    assert by_key(load(None, {}, ["US5", "EU1"])) == {"US5": (None, 42), "EU1": (Credentials("k", "k"), 7)}


def test_the_defaults_in_the_table_are_the_defaults_in_force() -> None:
    """What the table calls by a value is that value; the rest is said in words."""
    loaded = load(None, {}, [])
    of = {
        "watch": loaded.watch,
        "incidents": loaded.thresholds,
        "maintenance": Maintenance("x"),
        "sinks": SinkSettings("x", "stdout"),
        "store": loaded.retention,
    }
    said = {
        row.name: tomllib.loads(f"x = {row.default.strip('`')}")["x"]
        for section in SECTIONS
        for row in SECTIONS[section]
        if section != "environment" and re.fullmatch(r"`.+`", row.default) and "base_url" not in row.name
    }
    for option in ("site", "labels"):  # options of one type, whose defaults whoever sends there keeps
        said.pop(f"sinks.NAME.{option}")
    assert len(said) == 37
    for name, value in said.items():
        holder = of.get(name.split(".")[0], loaded)
        found = getattr(holder, name.split(".")[-1])
        assert (list(found) if isinstance(found, tuple) else str(found) if name in LEVELS else found) == value, name


def test_every_field_of_what_watch_is_told_has_a_row() -> None:
    """`confirm_count` stands at the top of the file, and the two tables of intervals are made of many rows."""
    rows = {row.name.rpartition(".")[2] for row in describe()}
    for told in (WatchSettings, Thresholds, Maintenance, SinkSettings, Retention):
        names = {each.name for each in dataclasses.fields(told)}
        assert names - rows <= {"name", "options", "secrets", "intervals_s", "site_intervals_s"}


def test_stores_are_named_in_the_form_the_store_takes_and_a_relative_path_starts_at_the_file(tmp_path: Path) -> None:
    folder = tmp_path / "etc"
    folder.mkdir()
    config = folder / "monitor.toml"
    for url, taken in (
        ("sqlite:///monitor.sqlite", f"sqlite:///{folder}/monitor.sqlite"),
        ("sqlite:////var/lib/monitor.sqlite", "sqlite:////var/lib/monitor.sqlite"),
        ("sqlite:///:memory:", "sqlite:///:memory:"),
        ("postgresql://me@db/monitor", "postgresql+psycopg://me@db/monitor"),
        ("postgres://db:5433/monitor?sslmode=require", "postgresql+psycopg://db:5433/monitor?sslmode=require"),
        ("postgresql+psycopg://db/monitor", "postgresql+psycopg://db/monitor"),
    ):
        config.write_text(f'[store]\nurl = "{url}"\n')
        assert load(config, {}, []).store_url == taken
    assert load(config, {STORE_VARIABLE: "sqlite:///here"}, []).store_url == "sqlite:///here"
    assert load(config, {STORE_VARIABLE: "sqlite:///here"}, [], without=("store",)).store_url is None


def test_the_most_exact_interval_counts() -> None:
    Path(FILE_NAME).write_text(
        "[watch]\ninterval_s = 90\n[checks.run]\ninterval_s = 30\n"
        "[sites.US5]\ninterval_s = 45\n[sites.US5.checks.run]\ninterval_s = 10\n"
        "[sites.EU1.checks.bad-request]\ninterval_s = 20\n"
    )
    watch = load(None, {}, []).watch
    wanted = {
        ("US5", "run"): 10,
        ("US5", "bad-request"): 45,
        ("EU1", "bad-request"): 20,
        ("EU1", "run"): 30,
        ("EU1", "not-found"): 90,
    }
    assert {pair: watch.interval_s(*pair) for pair in wanted} == wanted


def test_a_sink_of_digests_gets_nothing_else_unless_it_says_so() -> None:
    Path(FILE_NAME).write_text(
        "[sinks.a]\ntype = 'stdout'\n[sinks.b]\ntype = 'stdout'\ndigest = true\n"
        "[sinks.c]\ntype = 'stdout'\ndigest = true\nincidents = true\n"
    )
    sinks = load(None, {}, []).sinks
    assert [(sink.incidents, sink.digest) for sink in sinks] == [(True, False), (False, True), (True, True)]


def test_secrets_nobody_needs_are_not_looked_up() -> None:
    """What the file says is checked all the same, so the sinks are there, without their secrets."""
    Path(FILE_NAME).write_text("[sinks.ops]\ntype = 'apprise'\nurl_env = 'NOT_SET'\n[store]\nurl_file = 'missing'\n")
    (sink,) = load(None, {"DD_API_KEY": "half"}, [], without=("keys", "sinks", "store")).sinks
    assert (sink.name, dict(sink.secrets)) == ("ops", {})


def test_mistakes_on_one_line_are_told_apart() -> None:
    Path(FILE_NAME).write_text("timeout = 3\nfail = 1\n[sites.US6]\n")
    with pytest.raises(UsageError) as caught:
        load(None, {}, [])
    first, second, third = str(caught.value).split("\n")[1:]
    said = in_a_line(str(caught.value))
    assert said == f"3 mistakes in the configuration: {first.strip()}; {second.strip()}; {third.strip()}"
    assert in_a_line("one\tmistake") == "one mistake"


def test_what_has_a_wrong_name_is_as_if_it_were_not_there_for_who_only_looks_into_the_store() -> None:
    Path(FILE_NAME).write_text(
        "[maintenance.Weekly]\ncron = '0 2 * * SUN'\nduration_s = 60\n[sinks.Ops]\ntype = 'stdout'\n"
        "[sites.US6]\nrun_id = 1\n[checks.rnu]\ninterval_s = 7\n"
    )
    found, mistakes = load_store(None, {})
    assert (found.maintenance, found.sinks, len(mistakes)) == ((), (), 4)
    assert found.watch == WatchSettings()
    with pytest.raises(ConfigError, match="4 mistakes"):
        load(None, {}, [])
