"""`config`: a file to begin with, every mistake at once, and what is in force."""

from __future__ import annotations

import json
import socket
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from monitors.config.example import example
from monitors.store import open_store, sqlite_url

if TYPE_CHECKING:
    from conftest import Cli

FILE = """\
timeout_s = 3
[sites.US5]
run_id = 42
[sinks.ops]
type = "webhook"
url_env = "OPS_URL"
secret_file = "signing"
"""


@pytest.fixture
def configured(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Return the command line, in a directory where a file names secrets that are there."""
    Path("model-lab-monitor.toml").write_text(FILE)
    Path("signing").write_text("signing-value\n")
    monkeypatch.setenv("OPS_URL", "https://hooks.example.com/url-value")
    return cli


def test_init_writes_a_file_only_its_owner_reads_that_check_accepts(cli: Cli) -> None:
    ran = cli("config", "init")
    path = Path("model-lab-monitor.toml")
    assert (ran.code, ran.out) == (0, "")
    assert ran.err == "model-lab-monitor.toml is written; every key in it is commented out\n"
    assert path.read_text("utf-8") == example()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert cli("config", "check").out.startswith("✓ model-lab-monitor.toml: no mistakes\n")


def test_init_writes_where_it_is_told_or_to_standard_output(cli: Cli) -> None:
    assert cli("config", "init", "other.toml").code == 0
    assert Path("other.toml").read_text("utf-8") == example() == cli("config", "init", "-").out
    assert not Path("model-lab-monitor.toml").exists()


def test_init_never_writes_over_a_file_unless_forced(configured: Cli) -> None:
    ran = configured("config", "init")
    assert ran.code == 2
    assert ran.err == "error: model-lab-monitor.toml: there is a file of that name; --force writes over it\n"
    assert Path("model-lab-monitor.toml").read_text() == FILE
    assert configured("config", "init", "--force").code == 0
    assert Path("model-lab-monitor.toml").read_text("utf-8") == example()
    assert sorted(path.name for path in Path().iterdir()) == ["model-lab-monitor.toml", "signing"]


@pytest.mark.parametrize("force", [[], ["--force"]], ids=["new", "forced"])
def test_init_says_why_it_cannot_write(force: list[str], cli: Cli) -> None:
    ran = cli("config", "init", "missing/x.toml", *force)
    assert (ran.code, ran.err) == (2, "error: missing/x.toml: cannot be written: no such file or directory\n")


def test_init_leaves_no_draft_behind_where_it_fails(cli: Cli) -> None:
    Path("folder").mkdir()
    ran = cli("config", "init", "folder", "--force")
    assert (ran.code, ran.err) == (2, "error: folder: cannot be written: is a directory\n")
    assert [path.name for path in Path().iterdir()] == ["folder"]


def test_check_sums_up_what_is_configured(configured: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DD_API_KEY_EU1", "a")
    monkeypatch.setenv("DD_APP_KEY_EU1", "b")
    ran = configured("config", "check")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == (
        "✓ model-lab-monitor.toml: no mistakes\n"
        "  keys: EU1\n"
        "  canary runs: US5\n"
        "  0 maintenance windows\n"
        "  1 sink: ops (webhook)\n"
    )


def test_check_lists_every_mistake_and_ends_with_two(configured: Cli) -> None:
    Path("signing").unlink()
    Path("model-lab-monitor.toml").write_text("timeout = 3\n" + FILE.replace("url_env", "url_evn"))
    ran = configured("config", "check")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        "error: 4 mistakes in the configuration:\n"
        "  model-lab-monitor.toml:1: unknown key 'timeout'; did you mean timeout_s?\n"
        "  model-lab-monitor.toml:5: sinks.ops has no url; write url or url_env or url_file\n"
        "  model-lab-monitor.toml:7: unknown key 'url_evn'; did you mean url_env?\n"
        "  model-lab-monitor.toml:8: secret_file of ops: cannot read signing: no such file or directory\n"
    )


def test_check_needs_no_secrets_where_it_is_told_so(cli: Cli) -> None:
    Path("model-lab-monitor.toml").write_text(FILE)
    ran = cli("config", "check")
    assert ran.code == 2
    assert "OPS_URL is not set, so sinks.ops has no url; set OPS_URL, or OPS_URL_FILE" in ran.err
    assert cli("config", "check", "--no-secrets").code == 0


def test_check_warns_of_what_nobody_reads_and_of_more_than_the_budget(
    configured: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DD_API_KEY_US6", "DD_API_KEY_US5", "DD_APP_KEY_US5"):
        monkeypatch.setenv(name, "not-to-be-printed")
    Path("model-lab-monitor.toml").write_text("[sites.US5]\nrun_id = 42\n[sites.US5.checks.run]\ninterval_s = 2\n")
    ran = configured("config", "check")
    assert ran.code == 0
    assert ran.err == (
        "warning: DD_API_KEY_US6 is not read: no site is called US6; did you mean DD_API_KEY_US5?\n"
        "warning: US5: 30.3 probes a minute are asked for and 20 let through: made are run every 3.18 s, "
        "not-found and bad-request every 5,728 s, unauthenticated every 477 s\n"
    )
    runs = "[sites.US5]\nrun_id = 42\n[sites.EU1]\nrun_id = 7\n"
    Path("model-lab-monitor.toml").write_text(f"[watch]\ninterval_s = 5\n{runs}")
    assert [line.split(":")[1] for line in configured("config", "check").err.splitlines()[1:]] == [" US5"]
    blind = configured("config", "check", "--no-secrets").err.splitlines()
    due = [line.split(" probes")[0].removeprefix("warning: ") for line in blind if "are asked" in line]
    assert [entry.split(": ")[1] for entry in due] == ["36", "48"]
    assert due[1] == "US5 and EU1: 48"


def test_check_warns_of_keys_the_file_names_and_nobody_set(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("model-lab-monitor.toml").write_text(
        '[sites.US5]\napi_key_env = "US5_API"\napp_key_env = "US5_APP"\n'
        '[sites.EU1]\napi_key_env = "EU1_API"\napp_key_env = "EU1_APP"\n'
    )
    monkeypatch.setenv("EU1_API", "a")
    monkeypatch.setenv("EU1_APP", "b")
    ran = cli("config", "check")
    assert ran.code == 0
    assert ran.err == (
        "warning: model-lab-monitor.toml:2: US5: US5_API and US5_APP are not set, so no check that needs keys is made "
        "there\n"
    )
    assert "  keys: EU1\n" in ran.out
    assert cli("config", "check", "--no-secrets").err == ""
    monkeypatch.setenv("DD_API_KEY_US5", "a")
    monkeypatch.setenv("DD_APP_KEY_US5", "b")
    assert cli("config", "check").err == ""


def test_check_warns_of_a_window_that_came_once_and_is_over(cli: Cli) -> None:
    Path("model-lab-monitor.toml").write_text(
        "[maintenance.past]\nstart = 2020-03-01T22:00:00+01:00\nend = 2020-03-02T02:00:00+01:00\n"
        "[maintenance.coming]\nstart = 2020-03-01T22:00:00+01:00\nend = 2999-03-02T02:00:00+01:00\n"
        '[maintenance.weekly]\ncron = "30 2 * * SUN"\nduration_s = 60\n'
    )
    ran = cli("config", "check")
    over = "maintenance.past ended at 2020-03-02 01:00 UTC; it came once, so it may go"
    assert (ran.code, ran.err) == (0, f"warning: model-lab-monitor.toml:3: {over}\n")


LOOKS = [["history"], ["uptime"], ["incidents"], ["ledger"], ["notify", "list"], ["export"], ["db", "check"]]
MISTAKEN = "timeout = 3\n[sinks.ops]\ntype = 'stdot'\n"
WARNING = (
    "warning: model-lab-monitor.toml:1: unknown key 'timeout'; did you mean timeout_s?; and 1 more: "
    "`model-lab-monitor config check` lists what is mistaken\n"
)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Make a store that has seen nothing."""
    folder = tmp_path / "state"
    folder.mkdir()
    open_store(f"sqlite:///{folder}/monitor.sqlite").close()
    return folder


@pytest.mark.parametrize("command", LOOKS, ids=" ".join)
def test_a_mistake_elsewhere_keeps_nobody_from_looking_into_the_store(
    command: list[str], cli: Cli, state: Path
) -> None:
    Path("model-lab-monitor.toml").write_text(f'{MISTAKEN}[store]\nurl = "sqlite:///{state}/monitor.sqlite"\n')
    mistaken = cli(*command)
    Path("model-lab-monitor.toml").write_text(f'[store]\nurl = "sqlite:///{state}/monitor.sqlite"\n')
    sound = cli(*command)
    assert (mistaken.code, mistaken.out) == (sound.code, sound.out)
    assert mistaken.err == WARNING + sound.err
    assert sound.code == 0


@pytest.mark.parametrize("command", LOOKS, ids=" ".join)
def test_a_mistake_of_the_store_keeps_everybody_from_it_and_all_are_told(command: list[str], cli: Cli) -> None:
    Path("model-lab-monitor.toml").write_text(f'{MISTAKEN}[store]\nulr = "sqlite:///x"\n')
    ran = cli(*command)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("error: 3 mistakes in the configuration:\n")
    assert "model-lab-monitor.toml:5: unknown key 'ulr'; did you mean url?" in ran.err


def test_who_names_the_store_needs_no_file_that_can_be_read(cli: Cli, state: Path) -> None:
    Path("model-lab-monitor.toml").write_text("[store\n")
    ran = cli("notify", "list", "--state-dir", state)
    assert (ran.code, ran.out) == (0, "nothing waits to be delivered\n")
    assert ran.err == (
        "warning: model-lab-monitor.toml:1: not TOML: expected ']' at the end of a table declaration (column 7): "
        "`model-lab-monitor config check` lists what is mistaken\n"
    )
    assert cli("notify", "list").code == 2
    ran = cli("notify", "list", "--state-dir", state, "--config", "model-lab-monitor.toml")
    assert (ran.code, ran.err.partition(":")[0]) == (2, "error")


def test_mistakes_are_told_once_in_a_command_that_reads_the_file_twice(cli: Cli, state: Path) -> None:
    Path("model-lab-monitor.toml").write_text(MISTAKEN)
    (state / "monitor.sqlite").write_bytes(b"no database at all" * 300)
    ran = cli("db", "check", "--salvage", "--state-dir", state)
    assert ran.code == 0
    assert ran.err.count("warning: ") == 1


@pytest.mark.parametrize("command", ["check", "show"])
@pytest.mark.parametrize("how", [["other.toml"], ["--config", "other.toml"]])
def test_the_file_is_named_with_or_without_the_option(command: str, how: list[str], cli: Cli) -> None:
    Path("other.toml").write_text("timeout_s = 0\n")
    ran = cli("config", command, *how)
    assert ran.err.startswith("error: other.toml:1: timeout_s must be")
    ran = cli("config", command, "x.toml", "--config", "other.toml")
    assert ran.err == "error: both x.toml and --config other.toml are given; keep one of them\n"


def test_without_a_file_the_environment_alone_is_checked(cli: Cli) -> None:
    assert cli("config", "check").out.startswith("✓ no file, the environment alone: no mistakes\n")
    assert json.loads(cli("config", "show", "--format", "json").out)["file"] is None


def test_show_says_what_is_in_force_and_where_it_came_from(configured: Cli) -> None:
    lines = [line.split() for line in configured("config", "show", "--site", "US5").out.splitlines()]
    assert lines[0] == ["setting", "value", "from"]
    assert ["timeout_s", "3", "model-lab-monitor.toml:1"] in lines
    assert ["sites.US5.run_id", "42", "model-lab-monitor.toml:3"] in lines
    assert ["sites.US5.api_key", "-", "default"] in lines
    assert ["watch.connectivity", "1.1.1.1:443,", "8.8.8.8:443", "default"] in lines
    assert ["watch.statuspage", "false", "default"] in lines
    assert ["sinks.ops.url", "***", "environment", "OPS_URL", "(named", "by", "model-lab-monitor.toml:6)"] in lines
    assert ["sinks.ops.secret", "***", "file", "signing", "(named", "by", "model-lab-monitor.toml:7)"] in lines
    assert not [line for line in lines if line[0].startswith("sites.EU1")]


def shown(cli: Cli, name: str, *arguments: str) -> tuple[object, str]:
    rows = json.loads(cli("config", "show", "--format", "json", *arguments).out)["settings"]
    [row] = [row for row in rows if row["name"] == name]
    return row["value"], row["from"]


def test_show_says_where_the_store_is_and_who_says_so(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("MODEL_LAB_MONITOR_STATE_DIR", "MODEL_LAB_MONITOR_STORE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    file = sqlite_url(tmp_path / "model-lab-monitor" / "monitor.sqlite")
    assert shown(cli, "store.url") == (file, "the user's state directory")
    monkeypatch.setenv("MODEL_LAB_MONITOR_STATE_DIR", str(tmp_path / "s"))
    file = sqlite_url(tmp_path / "s" / "monitor.sqlite")
    assert shown(cli, "store.url") == (file, "environment MODEL_LAB_MONITOR_STATE_DIR")
    monkeypatch.setenv("MODEL_LAB_MONITOR_STORE_URL", "sqlite:////x")
    assert shown(cli, "store.url") == ("sqlite:////x", "environment MODEL_LAB_MONITOR_STORE_URL")
    assert shown(cli, "store.url", "--no-secrets") == (None, "environment MODEL_LAB_MONITOR_STORE_URL")
    assert not (tmp_path / "s").exists(), "looking makes no store"


def test_show_says_where_the_monitor_probes_from(cli: Cli) -> None:
    assert shown(cli, "watch.vantage") == (socket.gethostname(), "the name of this machine")
    Path("model-lab-monitor.toml").write_text('[watch]\nvantage = "eu-central"\n')
    assert shown(cli, "watch.vantage") == ("eu-central", "model-lab-monitor.toml:2")


def test_show_fits_a_narrow_terminal_with_values_below_their_table(
    configured: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = configured("config", "show", "--site", "US5").out.splitlines()
    assert max(map(len, lines)) <= 80
    assert [line for line in lines if line.startswith("[")] == [
        "[sites.US5]",
        "[checks]",
        "[watch]",
        "[incidents]",
        "[sinks.ops]",
        "[store]",
    ]
    below = [line.split() for line in lines[lines.index("[checks]") :]]
    assert below[1] == ["run.interval_s", "60", "default"]
    assert below[below.index(["[sinks.ops]"]) + 1] == ["type", "webhook", "model-lab-monitor.toml:5"]


def test_show_gives_programs_the_same_and_no_secret_either(configured: Cli) -> None:
    ran = configured("config", "show", "--format", "json")
    shown = json.loads(ran.out)
    assert shown["file"] == "model-lab-monitor.toml"
    assert {"name": "timeout_s", "value": 3, "from": "model-lab-monitor.toml:1"} in shown["settings"]
    assert {"name": "sinks.ops.rules", "value": [], "from": "default"} in shown["settings"]
    for text in (ran.out, configured("config", "show").out, configured("config", "check").out):
        assert "signing-value" not in text
        assert "url-value" not in text


def test_what_a_file_s_name_or_text_brings_in_cannot_steer_the_terminal(cli: Cli) -> None:
    Path("a\x1b[2Jb.toml").write_text('[sinks.ops]\ntype = "stdout"\ntitle = "\\u202e\\u0007x"\n')
    for command in ("check", "show"):
        ran = cli("config", command, "a\x1b[2Jb.toml")
        assert ran.code == 0
        assert not set(ran.out) & {"\x1b", "\u202e", "\x07"}


@pytest.mark.parametrize("arguments", [["config"], ["config", "chek"]])
def test_a_command_is_needed_and_its_name_is_known(arguments: list[str], cli: Cli) -> None:
    ran = cli(*arguments)
    assert ran.code == 2
    assert "check" in ran.err
