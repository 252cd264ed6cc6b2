from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from monitors.watching.clock import Jumps, SystemClock
from monitors.watching.files import Changes

if TYPE_CHECKING:
    from pathlib import Path

    from monitors.watching.clock import SimulatedClock


def test_the_clocks_of_the_system_go_together() -> None:
    clock = SystemClock()
    jumps = Jumps(clock)
    assert jumps.since_last() == timedelta()
    assert jumps.since_last() == timedelta()
    assert clock.now().utcoffset() == timedelta()


@pytest.mark.parametrize("hours", [1, -1])
def test_a_step_of_the_time_of_day_is_told_once(hours: int, clock: SimulatedClock) -> None:
    jumps = Jumps(clock)
    jumps.since_last()
    clock.advance(60)
    assert jumps.since_last() == timedelta()
    clock.at += timedelta(hours=hours)
    clock.advance(5)
    assert jumps.since_last() == timedelta(hours=hours)
    clock.advance(5)
    assert jumps.since_last() == timedelta()


def test_a_sleep_in_which_seconds_stand_still_is_told_and_one_in_which_they_pass_is_none(
    clock: SimulatedClock,
) -> None:
    jumps = Jumps(clock)
    jumps.since_last()
    clock.at += timedelta(hours=8)
    assert jumps.since_last() == timedelta(hours=8)
    clock.advance(8 * 3600)
    assert jumps.since_last() == timedelta()


def test_what_a_time_service_corrects_is_no_jump(clock: SimulatedClock) -> None:
    jumps = Jumps(clock)
    jumps.since_last()
    for _ in range(10):
        clock.at += timedelta(seconds=1.9)
        assert jumps.since_last() == timedelta()


def touched(file: Path, text: str) -> None:
    """Write a file that a file system with coarse times tells from the one before."""
    file.write_text(text, "utf-8")
    os.utime(file, ns=(0, file.stat().st_mtime_ns + 1_000_000))


def settled(changes: Changes) -> bool:
    """Look twice: what still changes between two looks is being written."""
    assert not changes.seen()
    return changes.seen()


def test_a_change_is_seen_once(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_text("a", "utf-8")
    changes = Changes((file,))
    assert not changes.seen()
    touched(file, "b")
    assert settled(changes)
    assert not changes.seen()


def test_a_file_may_come_and_go(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    changes = Changes((file,))
    assert not changes.seen()
    file.write_text("a", "utf-8")
    assert settled(changes)
    file.unlink()
    assert settled(changes)
    assert not changes.seen()


def test_a_link_that_leads_elsewhere_is_a_change(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "secret").write_text("same", "utf-8")
    link = tmp_path / "data"
    link.symlink_to("one")
    changes = Changes((link / "secret",))
    (tmp_path / "next").symlink_to("two")
    (tmp_path / "next").replace(link)
    assert settled(changes)


def test_following_takes_files_up_and_lets_others_go(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    changes = Changes((old,))
    changes.follow([new])
    old.write_text("a", "utf-8")
    assert not changes.seen()
    new.write_text("a", "utf-8")
    assert settled(changes)


def test_what_is_written_while_it_is_being_read_is_seen_the_next_time(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    changes = Changes((file,))
    file.write_text("the first half", "utf-8")
    assert settled(changes)
    # Here it is read; whoever writes it was not done.
    touched(file, "the first half, and the second")
    changes.follow([file, tmp_path / "other"])
    assert settled(changes)


def test_what_changes_from_look_to_look_is_not_done_yet(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    changes = Changes((file,))
    for text in ("a", "ab", "abc"):
        touched(file, text)
        assert not changes.seen()
    assert changes.seen()
    assert not changes.seen()
