"""The history script of the night, run against a stand-in for GitHub's command line."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Night

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "deploy" / "github" / "history.sh"
PASSPHRASE = "correct horse $(battery) 'staple'"


def first_night(night: Night, **environ: str) -> None:
    assert night.does("fetch", **environ).returncode == 0
    (night.state / "monitor.sqlite").write_bytes(b"SQLite format 3\0 of the first night")
    (night.state / "monitor.sqlite-wal").write_bytes(b"what a killed monitor left")
    (night.state / "monitor.sqlite.backup").write_bytes(b"the same again")
    assert night.does("pack", **environ).returncode == 0


@pytest.mark.parametrize("passphrase", ["", PASSPHRASE], ids=["plain", "encrypted"])
def test_what_one_night_kept_the_next_one_has(passphrase: str, nights: list[Night]) -> None:
    first_night(nights[0], HISTORY_PASSPHRASE=passphrase)
    nights[0].keeps(1)
    done = nights[1].does("fetch", HISTORY_PASSPHRASE=passphrase)
    assert done.returncode == 0, done.stdout + done.stderr
    for name in ("monitor.sqlite", "monitor.sqlite-wal"):
        assert (nights[1].state / name).read_bytes() == (nights[0].state / name).read_bytes()
    assert not (nights[1].state / "monitor.sqlite.backup").exists()
    assert stat.S_IMODE(nights[1].state.stat().st_mode) == 0o700


def test_the_first_night_begins_with_nothing(nights: list[Night]) -> None:
    done = nights[0].does("fetch")
    assert (done.returncode, list(nights[0].state.iterdir())) == (0, [])
    assert done.stdout == "::notice title=History::No earlier run kept one: it begins tonight.\n"


def test_the_last_of_this_branch_and_this_repository_counts(nights: list[Night]) -> None:
    first_night(nights[0])
    nights[0].keeps(1, at="2026-01-03T00:00:00Z")
    for number, about in enumerate(
        [
            {"at": "2026-01-02T00:00:00Z"},
            {"at": "2026-01-04T00:00:00Z", "expired": True},
            {"at": "2026-01-04T00:00:00Z", "branch": "feature"},
            {"at": "2026-01-04T00:00:00Z", "owner": 2},
        ],
        start=2,
    ):
        nights[0].lists(number, **about)
    done = nights[1].does("fetch")
    assert (done.returncode, done.stdout) == (0, "History of artifact 1.\n")


def test_nothing_can_be_read_of_an_encrypted_history(nights: list[Night]) -> None:
    first_night(nights[0], HISTORY_PASSPHRASE=PASSPHRASE)
    (packed,) = nights[0].runner.glob("history.tar.gz*")
    assert packed.name == "history.tar.gz.gpg"
    assert b"SQLite" not in packed.read_bytes()
    assert not packed.read_bytes().startswith(b"\x1f\x8b")


@pytest.mark.parametrize("given", ["", "another"], ids=["missing", "wrong"])
def test_a_history_that_cannot_be_opened_ends_the_night(given: str, nights: list[Night]) -> None:
    first_night(nights[0], HISTORY_PASSPHRASE=PASSPHRASE)
    nights[0].keeps(1)
    done = nights[1].does("fetch", HISTORY_PASSPHRASE=given)
    assert done.returncode == 4
    assert "::error title=History::" in done.stdout
    assert "MODEL_LAB_HISTORY_PASSPHRASE" in done.stdout
    assert PASSPHRASE not in done.stdout + done.stderr


def test_a_passphrase_given_later_encrypts_from_then_on(nights: list[Night]) -> None:
    first_night(nights[0])
    nights[0].keeps(1)
    assert nights[1].does("fetch", HISTORY_PASSPHRASE=PASSPHRASE).returncode == 0
    assert nights[1].does("pack", HISTORY_PASSPHRASE=PASSPHRASE).returncode == 0
    assert [path.name for path in nights[1].runner.glob("history.tar.gz*")] == ["history.tar.gz.gpg"]


def test_a_public_repository_needs_a_passphrase(nights: list[Night], hub: Path) -> None:
    (hub / "repository.json").write_text('{"visibility": "public"}')
    done = nights[0].does("fetch")
    assert done.returncode == 4
    assert "set the secret MODEL_LAB_HISTORY_PASSPHRASE" in done.stdout
    assert nights[0].does("fetch", HISTORY_PASSPHRASE=PASSPHRASE).returncode == 0


@pytest.mark.parametrize("failures", [1, 2])
def test_github_s_passing_trouble_is_sat_out(failures: int, nights: list[Night], hub: Path) -> None:
    """And what it says in its trouble, on standard output, is not taken for an answer."""
    first_night(nights[0])
    nights[0].keeps(1)
    (hub / "trouble").write_text(str(failures))
    done = nights[1].does("fetch")
    assert (done.returncode, done.stdout) == (0, "History of artifact 1.\n")


def test_github_s_lasting_trouble_is_no_first_night(nights: list[Night], hub: Path) -> None:
    (hub / "trouble").write_text("99")
    for passphrase in ("", PASSPHRASE):
        done = nights[0].does("fetch", HISTORY_PASSPHRASE=passphrase)
        assert done.returncode == 4
        assert done.stdout.startswith("::error title=History::")


def test_an_artifact_that_cannot_be_downloaded_ends_the_night(nights: list[Night]) -> None:
    nights[0].lists(7)
    done = nights[0].does("fetch")
    assert done.returncode == 4
    assert "Artifact 7 cannot be downloaded" in done.stdout


def test_anything_else_is_a_mistake(nights: list[Night]) -> None:
    assert nights[0].does("forget").returncode == 2


def test_the_linter_of_shell_scripts_finds_nothing() -> None:
    """With everything on but braces around each variable, and notes on functions called in conditions, as they are."""
    linter = Path(sys.executable).parent / "shellcheck"
    command = [linter, "--enable=all", "--exclude=SC2250,SC2310,SC2311,SC2312", SCRIPT]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - constants
    assert (done.returncode, done.stdout) == (0, "")
