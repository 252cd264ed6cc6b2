"""A store whose file goes away, or is exchanged, under a monitor at work: real files, and all that works over them."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from monitors.config.alerting import SinkSettings, Thresholds
from monitors.cycle import Result
from monitors.incidents.model import NoticeKind
from monitors.model import Finding, Kind, Level, Observation
from monitors.store import Filter, HeldError, IncidentFilter, Store, StoreReplacedError, open_store, sqlite_url
from monitors.watching import health
from monitors.watching.current import Current
from monitors.watching.keeper import Batch, Keeper, Rules
from monitors.watching.mending import Mender
from monitors.watching.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from conftest import Log

    from monitors.incidents.model import Notice
    from monitors.watching.clock import SimulatedClock

RULES = Rules(
    Thresholds(failure_threshold=1, failure_window=1, success_threshold=1),
    sinks=(SinkSettings("team", "stdout"),),
    watched=frozenset({("US5", "run")}),
)
DOWN = Finding("server-error", Level.BREAKING, Kind.AVAILABILITY, "503", site="US5", check="run")
NAME = "monitor.sqlite"


class Life:
    """A monitor that holds a store in a file, and has told of an outage of US5."""

    def __init__(self, folder: Path, clock: SimulatedClock, log: Log, stack: ExitStack) -> None:
        self.path, self.clock, self.log = folder / "state" / NAME, clock, log
        self.current = Current(self.opened())
        stack.callback(self._close)
        stack.enter_context(self.current.store.hold("watch"))
        mender = Mender(self.current, self.opened)
        self.keeper = Keeper(self.current, RULES, lambda findings: findings)
        self.alarms: list[list[str]] = []
        self.vault = Vault(self.keeper, clock, mender.mend, mender.reopen, self._sound, log)
        assert self.round(DOWN)
        self.deliver()

    def opened(self) -> Store:
        return open_store(sqlite_url(self.path), busy_timeout_s=0.5)

    def _close(self) -> None:
        self.current.store.close()

    def _sound(self, notices: Sequence[Notice]) -> None:
        self.alarms.append([notice.key for notice in notices])

    def round(self, *findings: Finding, after_s: float = 60.0) -> list[Any]:
        self.clock.advance(after_s)
        seen = Observation("US5", "run", self.clock.at, "GET", "/", "42", True, status=200, body=b"{}")
        return self.vault.offer(Batch(self.clock.at, (Result(seen, findings),)))

    def deliver(self) -> list[tuple[str, str]]:
        """Deliver everything that waits; returns the kinds and keys."""
        told = []
        while rows := self.current.due("team", self.clock.at):
            for row in rows:
                told.append((str(row.notice.kind), row.notice.key))
                self.current.mark_delivered(row.id, self.clock.at)
        return told

    @contextmanager
    def elsewhere(self) -> Iterator[Store]:
        """Give what another process finds."""
        with self.opened() as store:
            yield store

    def incidents(self) -> dict[str, tuple[int, bool]]:
        """Return number and whether it is over of each incident another process finds, by its rule."""
        with self.elsewhere() as store:
            found = store.incidents(IncidentFilter())
        return {each.finding.rule: (each.id, each.resolved is not None) for each in found}


@pytest.fixture
def life(tmp_path: Path, clock: SimulatedClock, log: Log) -> Iterator[Life]:
    with ExitStack() as stack:
        yield Life(tmp_path, clock, log, stack)


def parts(path: Path, pattern: str = f"{NAME}*") -> list[Path]:
    return list(path.parent.glob(pattern))


def remove_all(path: Path) -> None:
    for each in parts(path):
        each.unlink()


def remove_directory(path: Path) -> None:
    shutil.rmtree(path.parent)


def put_empty(path: Path) -> None:
    (path.parent / "new").touch()
    (path.parent / "new").replace(path)


def put_garbage(path: Path) -> None:
    (path.parent / "new").write_bytes(b"\xa5" * 9_000)
    (path.parent / "new").replace(path)


def put_backup(path: Path) -> None:
    path.with_name(f"{NAME}.backup").replace(path)


def put_fresh(path: Path) -> None:
    open_store(sqlite_url(path.with_name("new"))).close()
    path.with_name("new").replace(path)


REMOVED = "the file was removed while it was open"
REPLACED = "another file was put in its place while it was open"
USED = f"{REPLACED}, and the one that is there now is used from here on"
DAMAGED = f"{REPLACED}, and the one that is there now is damaged, and is mended: kept nothing; from "
WAYS: list[tuple[Callable[[Path], None], str]] = [
    (remove_all, f"{REMOVED}, and is made anew"),
    (Path.unlink, f"{REMOVED}, and is made anew"),
    (remove_directory, f"{REMOVED}, and is made anew"),
    (put_empty, USED),
    (
        put_garbage,
        f"{REPLACED}, and the one that is there now is damaged, and is mended: kept nothing; from the backup ",
    ),
    (put_backup, USED),
    (put_fresh, USED),
]


@pytest.mark.parametrize(("act", "said"), WAYS, ids=lambda each: getattr(each, "__name__", ""))
def test_a_file_that_goes_is_noticed_with_the_next_batch_and_nothing_that_was_decided_is_lost(
    act: Callable[[Path], None], said: str, life: Life
) -> None:
    life.current.store.backup()
    installation = life.current.book().installation
    act(life.path)
    begun = life.clock.at
    assert len(life.round(DOWN)) == 3
    assert life.vault.trouble is None
    assert life.incidents() == {"server-error": (1, False), health.STORE: (2, True)}
    told = [kind for kind, _ in life.deliver()]
    assert told == [NoticeKind.OPENED, NoticeKind.RESOLVED]
    assert life.round(after_s=60)
    assert [kind for kind, _ in life.deliver()] == [NoticeKind.RESOLVED]
    with life.elsewhere() as store:
        assert store.book().installation == installation
        assert store.check() == []
        (about,) = [each for each in store.incidents(IncidentFilter()) if each.finding.rule == health.STORE]
        assert about.finding.message.startswith(f"{life.path}: {said}")
        assert [each.at for each in store.probes(Filter()) if each.at > begun] == [
            life.clock.at.replace(minute=life.clock.at.minute - 1),
            life.clock.at,
        ]
        with pytest.raises(HeldError, match="`watch` runs on this store"), store.hold("watch"):
            pass
    assert len(life.log.of("the store is gone")) == len(life.log.of("the store was opened anew")) == 1


def test_whoever_else_meets_it_has_it_put_in_order_by_the_next_batch(life: Life) -> None:
    remove_all(life.path)
    with pytest.raises(StoreReplacedError, match=REMOVED):
        life.current.mark_delivered(1, life.clock.at)
    assert life.current.replaced == f"{life.path}: {REMOVED}"
    assert not life.path.exists()
    assert len(life.round(DOWN)) == 3
    assert life.current.replaced == ""


def test_a_file_that_was_moved_away_has_all_of_it(life: Life, tmp_path: Path) -> None:
    life.path.rename(tmp_path / "moved.sqlite")
    life.round(DOWN)
    with open_store(sqlite_url(tmp_path / "moved.sqlite")) as moved:
        assert [each.finding.rule for each in moved.incidents(IncidentFilter())] == ["server-error"]
        assert len(list(moved.probes(Filter()))) == 1
        assert moved.check() == []


def test_a_file_that_goes_before_anything_was_kept_is_made_anew(
    tmp_path: Path, clock: SimulatedClock, log: Log
) -> None:
    with ExitStack() as stack:
        life = Life(tmp_path, clock, log, stack)
        life.vault._recent.book = None
        life.current.store.database.close()
        remove_all(life.path)
        assert life.round() == []
        assert len(life.round()) == 4
        assert life.incidents() == {health.STORE: (1, True)}


def test_a_store_of_others_in_its_place_counts_as_it_is(life: Life, tmp_path: Path, clock: SimulatedClock) -> None:
    with ExitStack() as stack:
        other = Life(tmp_path / "other", clock, life.log, stack)
        other.round()
        installation = other.current.book().installation
    other.path.replace(life.path)
    life.round(DOWN)
    with life.elsewhere() as store:
        assert store.book().installation == installation
        found = [(each.id, each.finding.rule, each.resolved is not None) for each in store.incidents(IncidentFilter())]
    assert sorted(found) == [(1, "server-error", True), (2, health.STORE, True), (3, "server-error", False)]


# --- where it cannot be opened anew ----------------------------------------------------------------------------------


def test_a_directory_in_place_of_the_file_is_told_past_the_outbox_until_it_is_gone(life: Life) -> None:
    remove_all(life.path)
    life.path.mkdir()
    assert life.round(DOWN) == []
    for _ in range(4):
        assert life.round(DOWN, after_s=15) == []
    assert life.vault.trouble is not None
    assert life.vault.trouble.message == (
        f"{life.path}: a directory was put in its place while it was open; "
        f"{life.path}: cannot be written to: is a directory; name another directory with --state-dir"
    )
    (alarm,) = life.alarms
    life.path.rmdir()
    assert len(life.round(DOWN, after_s=40)) == 8
    assert life.vault.trouble is None
    assert alarm == [key for _, key in life.deliver()][:1]
    assert life.alarms[1:] == [[]]
    assert life.incidents() == {"server-error": (1, False), health.STORE: (2, True)}
    assert len(life.log.of("the store is gone")) == 1


def test_a_directory_that_became_a_file_is_trouble_until_it_is_none(life: Life) -> None:
    remove_directory(life.path)
    life.path.parent.touch()
    assert life.round() == []
    assert life.vault.trouble is not None
    assert "cannot be opened anew: " in life.vault.trouble.message
    life.path.parent.unlink()
    assert len(life.round()) == 4
    assert life.vault.trouble is None


@pytest.fixture
def mere_user() -> Iterator[Path]:
    """Be somebody whom permissions keep out, in a directory of theirs."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        if os.geteuid() != 0:
            yield Path(folder)
            return
        os.chown(folder, 65_534, 65_534)
        os.seteuid(65_534)
        try:
            yield Path(folder)
        finally:
            os.seteuid(0)


def test_a_directory_that_may_only_be_read_is_no_trouble_before_the_file_goes(
    mere_user: Path, clock: SimulatedClock, log: Log
) -> None:
    with ExitStack() as stack:
        life = Life(mere_user, clock, log, stack)
        life.path.parent.chmod(0o500)
        assert len(life.round(DOWN)) == 1
        life.path.parent.chmod(0o700)
        remove_all(life.path)
        life.path.parent.chmod(0o500)
        assert life.round(DOWN) == []
        assert life.vault.trouble is not None
        assert "cannot be written to: permission denied" in life.vault.trouble.message
        life.path.parent.chmod(0o000)
        assert life.round(DOWN) == []
        life.path.parent.chmod(0o700)
        assert len(life.round(DOWN)) == 5
        assert life.incidents() == {"server-error": (1, False), health.STORE: (2, True)}


def test_a_directory_that_may_not_even_be_entered_is_told(mere_user: Path, clock: SimulatedClock, log: Log) -> None:
    with ExitStack() as stack:
        life = Life(mere_user, clock, log, stack)
        life.path.parent.chmod(0o000)
        assert life.round(DOWN) == []
        assert life.vault.trouble is not None
        assert "the file cannot be found any more (permission denied) while it was open" in life.vault.trouble.message
        life.path.parent.chmod(0o700)
        assert len(life.round(DOWN)) == 4
        assert len(list(life.current.store.probes(Filter()))) == 3


# --- one instance ----------------------------------------------------------------------------------------------------


def test_where_another_instance_began_on_the_new_file_this_one_ends_and_leaves_it_alone(life: Life) -> None:
    remove_all(life.path)
    with life.elsewhere() as other, other.hold("watch"):
        with pytest.raises(HeldError, match=r"`watch` runs on this store, process .*; stop it first"):
            life.round(DOWN)
        assert life.round(DOWN) == []
        assert life.vault.last_try() == []
        assert len(life.log.of("another instance took the store over")) == 1
        assert life.log.of("what the store did not take is lost with this process") == [{"probes": 2}]
        assert other.incidents(IncidentFilter()) == []
        assert list(other.probes(Filter())) == []
    assert life.current.store.database.path == life.path
    with pytest.raises(StoreReplacedError):
        life.current.book()


def test_a_lock_whose_file_was_removed_is_taken_anew_without_a_word(life: Life) -> None:
    life.path.with_name(f"{NAME}.lock").unlink()
    assert len(life.round(DOWN)) == 1
    with life.elsewhere() as other, pytest.raises(HeldError, match="`watch` runs on this store"), other.hold("watch"):
        pass
    assert life.log.of("the store is gone") == []


def test_a_lock_that_another_took_meanwhile_ends_this_one(life: Life) -> None:
    life.path.with_name(f"{NAME}.lock").unlink()
    with life.elsewhere() as other, other.hold("watch"), pytest.raises(HeldError):
        life.round(DOWN)


def test_a_damaged_file_that_is_mended_stays_held(life: Life) -> None:
    life.current.store.close()
    life.path.write_bytes(b"\xa5" * 40_000)
    assert len(life.round(DOWN)) == 3
    life.path.with_name(f"{NAME}.lock").unlink()
    assert life.round(DOWN)
    with life.elsewhere() as other, pytest.raises(HeldError), other.hold("watch"):
        pass
