from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from monitors.config.alerting import Retention
from monitors.model import Level
from monitors.store import Counts, Filter, UptimeRow, open_store, rollups, sqlite_url, tables

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitors.incidents.model import Incident, Notice
    from monitors.model import Finding
    from monitors.store import Probed, Store

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
FOREVER = Retention(0, 0, 0, 0, 0, 0)


def keep(store: Store, *probes: Probed, vantage: str = "") -> None:
    with store.writing() as writing:
        writing.add_probes(vantage, probes)


def some_probes(probe: Callable[..., Probed], start: datetime, count: int) -> list[Probed]:
    """Return probes of sites that come and go, with a clock that jumps."""
    chance = random.Random(7)  # noqa: S311 - the same probes in every run
    made = []
    for n in range(count):
        at = start + n * 7 * MINUTE + chance.choice([timedelta(), timedelta(), HOUR, -HOUR])
        available = chance.choices([True, False, None], [9, 3, 1])[0]
        site = chance.choice(["US5", "EU1"])
        check = chance.choice(["run", "not-found"])
        verdict = chance.choice(["none", "info", "warning", "breaking"])
        made.append(probe(site, check, at, chance.random(), available=available, verdict=verdict))
    return made


def test_uptime_is_the_same_however_often_it_is_rolled_up(
    store: Store, start: datetime, probe: Callable[..., Probed], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = some_probes(probe, start, 600)
    keep(store, *made)
    spans = [
        Filter(),
        Filter(since=start + HOUR, until=start + 2 * DAY),
        Filter(since=start + 5 * HOUR, until=start + 9 * HOUR),
    ]
    wanted = [(span, by) for span in spans for by in ("site", "check")]
    never = [store.uptime(span, by=by) for span, by in wanted]
    assert store.roll_up() == 600
    assert store.roll_up() == 0
    assert [store.uptime(span, by=by) for span, by in wanted] == never
    keep(store, *made[:300])
    twice = [store.uptime(span, by=by) for span, by in wanted]
    monkeypatch.setattr(rollups, "CHUNK", 70)
    assert store.roll_up() == 300
    assert [store.uptime(span, by=by) for span, by in wanted] == twice
    assert store.check() == []


def test_uptime_counts_what_was_probed(store: Store, start: datetime, probe: Callable[..., Probed]) -> None:
    flags = [True, False, False, None, True, False, True, True]
    keep(store, *(probe(at=start + n * MINUTE, available=flag) for n, flag in enumerate(flags)))
    keep(store, *(probe(check="not-found", at=start, available=flag) for flag in (False, True, False, True)))
    keep(store, probe("EU1", at=start, available=None, verdict="warning"), vantage="there")
    run = UptimeRow("US5", "run", 8, 4, 3, 4 / 7, 100.0, 100.0, 100.0, 2)
    missing = UptimeRow("US5", "not-found", 4, 2, 2, 0.5, 100.0, 100.0, 100.0, 2)
    other = UptimeRow("EU1", "run", 1, 0, 0, None, None, None, None, 0, 1)
    rounded = [replace(row, p50_ms=row.p50_ms and 100.0, p95_ms=row.p95_ms and 100.0, p99_ms=row.p99_ms and 100.0)
               for row in store.uptime(Filter(), by="check")]  # fmt: skip
    assert rounded == [run, missing, other]
    (site, _) = store.uptime(Filter())
    assert (site.check, site.probes, site.uptime, site.outages) == (None, 12, 6 / 11, 2)
    assert [row.site for row in store.uptime(Filter(vantages=("there",)))] == ["EU1"]
    assert store.uptime(Filter(sites=("AP1",))) == []
    assert store.uptime(Filter(until=start - HOUR)) == []


def test_a_second_look_in_one_pass_does_not_count_for_uptime(
    store: Store, start: datetime, probe: Callable[..., Probed]
) -> None:
    for night in range(4):
        at = start + timedelta(days=night)
        looks = [False, False, False] if night == 1 else [True]
        keep(store, *(probe(at=at + n * MINUTE, available=flag, again=n > 0) for n, flag in enumerate(looks)))
        store.roll_up() if night == 2 else None
    (row,) = store.uptime(Filter())
    assert (row.probes, row.available, row.unavailable, row.uptime, row.outages) == (6, 3, 1, 0.75, 1)
    assert [(each.available, each.again) for each in store.probes(Filter())][1:4] == [
        (False, False), (False, True), (False, True),
    ]  # fmt: skip
    assert store.check() == []


def test_an_outage_over_the_edge_of_a_roll_up_is_one(
    store: Store, start: datetime, probe: Callable[..., Probed]
) -> None:
    for n, flag in enumerate([False, False, None, False, True, False]):
        keep(store, probe(at=start + n * HOUR, available=flag))
        store.roll_up()
    assert [row.outages for row in store.uptime(Filter())] == [2]


def test_a_year_takes_its_days_and_the_edges_their_hours(
    store: Store, start: datetime, probe: Callable[..., Probed]
) -> None:
    day = start.replace(hour=0, minute=0, second=0, microsecond=0)
    keep(store, *(probe(at=day + n * HOUR) for n in range(24 * 5)))
    store.roll_up()

    def count(since: datetime | None, until: datetime | None) -> int:
        return sum(row.probes for row in store.uptime(Filter(since=since, until=until)))

    assert count(day + 5 * HOUR, day + 3 * DAY + 2 * HOUR) == 69
    assert count(day + 5 * HOUR + MINUTE, day + 8 * HOUR - MINUTE) == 3
    assert count(None, day + DAY + HOUR) == 25
    # Once hours are gone, a span widens to the days there still are.
    store.retain(day + 5 * DAY, replace(FOREVER, keep_hours_days=2))
    assert count(day + 5 * HOUR, None) == 120
    assert count(day + 5 * HOUR, day + 8 * HOUR) == 24
    assert count(day + 5 * HOUR, day + 3 * DAY + 2 * HOUR) == 74


def test_retention_keeps_failures_longer_than_successes_and_all_in_the_sums(
    store: Store, start: datetime, probe: Callable[..., Probed], finding: Callable[..., Finding]
) -> None:
    keep(
        store,
        probe(at=start - 20 * DAY),
        probe(at=start - 20 * DAY, available=None, verdict="info"),
        probe(at=start - 20 * DAY, available=False, verdict="breaking", findings=(finding(),), body=b"old"),
        probe(at=start - 20 * DAY, verdict="warning"),
        probe(at=start - 100 * DAY, verdict="warning", findings=(finding(message="older"),), body=b"older"),
        probe(at=start - DAY),
    )
    # Nothing is deleted that is in no sum.
    assert store.retain(start, replace(FOREVER, keep_successes_days=1, keep_failures_days=1)) == Counts()
    store.roll_up()
    before = store.uptime(Filter(), by="check")
    gone = store.retain(start, Retention())
    assert gone == Counts(probes=3, findings=1, bodies=1, hours=1)
    assert gone.total == 6
    assert [(row.verdict, row.available) for row in store.probes(Filter())] == [
        ("breaking", False), ("warning", True), ("none", True),
    ]  # fmt: skip
    assert store.uptime(Filter(), by="check") == before
    assert store.retain(start, Retention()) == Counts()
    # What was forgotten is made anew when it comes again.
    keep(store, probe(at=start, verdict="warning", findings=(finding(message="older"),), body=b"older"))
    assert store.check() == []


def test_ids_are_not_used_again_after_everything_was_deleted(
    store: Store, start: datetime, probe: Callable[..., Probed]
) -> None:
    keep(store, probe(at=start))
    store.roll_up()
    assert store.retain(start + 99 * DAY, Retention()).probes == 1
    keep(store, probe(at=start + 99 * DAY))
    assert store.roll_up() == 1
    assert sum(row.probes for row in store.uptime(Filter())) == 2


def test_retention_deletes_in_chunks(store: Store, start: datetime, probe: Callable[..., Probed]) -> None:
    keep(store, *[probe(at=start)] * 12_001)
    store.roll_up()
    assert store.retain(start + 15 * DAY, Retention()).probes == 12_001


def test_zero_days_keep_for_ever(store: Store, start: datetime, probe: Callable[..., Probed], fill: Any) -> None:
    fill(store)
    keep(store, probe(at=start), probe(at=start, available=False, body=b"x"))
    store.roll_up()
    gone = store.retain(start + 9_999 * DAY, FOREVER)
    assert replace(gone, silences=0) == Counts()


def test_bodies_go_before_the_probes_that_refer_to_them(
    store: Store, start: datetime, probe: Callable[..., Probed]
) -> None:
    keep(store, probe(at=start, available=False, body=b"x"))
    store.roll_up()
    assert store.retain(start + 10 * DAY, replace(FOREVER, keep_bodies_days=5)).bodies == 1
    assert [row.body for row in store.probes(Filter())] == [None]


def test_nothing_goes_that_somebody_is_still_to_be_told(
    store: Store, start: datetime, incident: Callable[..., Incident], notice: Callable[..., Notice], fill: Any
) -> None:
    fill(store)
    over = start + DAY
    with store.writing() as writing:
        book = writing.book()
        more = {n: incident(n, resolved=over, level=Level.WARNING) for n in (3, 4, 5)}
        full = replace(book, incidents={**book.incidents, **more}, next_id=6)
        writing.put_book(book, full)
        # 3 is in the book still, 4 has a notice to be delivered, of 5 all is told.
        writing.put_book(full, replace(full, incidents={n: full.incidents[n] for n in (1, 2, 3)}))
        writing.queue([notice(incident=4), notice(incident=5), notice(incident=0, key="test")])
    for row in store.undelivered():
        if row.notice.incident in {0, 5}:
            store.mark_delivered(row.id, over)
    gone = store.retain(start + 3_000 * DAY, Retention())
    assert gone == Counts(incidents=1, notices=2, silences=1)
    assert [store.incident(n) is not None for n in range(1, 6)] == [True, True, True, True, False]
    assert len(store.events(1)) == 1
    assert len(store.undelivered()) == 2
    assert store.book().next_id == 6


# --- upkeep ----------------------------------------------------------------------------------------------------------


def test_a_vacuum_changes_nothing_but_the_size(store: Store, start: datetime, probe: Callable[..., Probed]) -> None:
    keep(store, *(probe(at=start + n * MINUTE) for n in range(10_000)))
    store.roll_up()
    path = store.database.path
    store.retain(start + 99 * DAY, Retention())
    with store.database.connect_alone() as connection:
        if path:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    before = path.stat().st_size if path else 1
    store.vacuum()
    assert (path.stat().st_size if path else 0) < before
    assert [row.probes for row in store.uptime(Filter())] == [10_000]


def test_a_sound_store_has_no_problems(store: Store, start: datetime, probe: Callable[..., Probed], fill: Any) -> None:
    assert store.check() == []
    fill(store)
    keep(store, probe(at=start, body=b"{}"))
    store.roll_up()
    assert store.check() == []


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        (
            "UPDATE meta SET value = '1' WHERE key = 'next_incident'",
            "incidents: the next one would be 1, and 2 is there already",
        ),
        ("UPDATE tracks SET finding = '{}'", 'tracks: row problem-1 EU1 run: "finding" must be a finding'),
        ("UPDATE outbox SET content = '{'", 'outbox: row 1: "content" must be an object'),
        ("UPDATE rollups SET available = 9", "holds another number of probes than it says"),
        ("UPDATE rollups SET latencies = 'x'", "rollups: row 1 "),
        ("UPDATE bodies SET hash = 'x'", "bodies: row 1: is another body than it says"),
        ("UPDATE bodies SET content = 'y'", 'bodies: row 1: "content" must be '),
        ("INSERT INTO memory VALUES ('run', 'US5', 1, 'z')", "memory: row run US5: "),
    ],
)
def test_rows_that_do_not_read_are_named(  # noqa: PLR0917 - fixtures
    statement: str, problem: str, store: Store, start: datetime, probe: Callable[..., Probed], fill: Any
) -> None:
    fill(store)
    keep(store, probe(at=start, body=b"{}"))
    store.roll_up()
    with store.writing() as writing:
        writing.connection.exec_driver_sql(statement)
    found = store.check()
    assert found
    assert any(problem in line for line in found)


def test_many_problems_of_a_kind_are_not_all_listed(
    store: Store, start: datetime, probe: Callable[..., Probed]
) -> None:
    keep(store, *(probe(at=start, body=str(n).encode()) for n in range(25)))
    with store.writing() as writing:
        writing.connection.execute(tables.bodies.update().values(content=b"x"))
    found = store.check()
    assert (len(found), found[-1]) == (21, "and more of the kind")


def test_a_broken_file_and_a_lost_row_are_named(
    file_store: Store, start: datetime, probe: Callable[..., Probed]
) -> None:
    keep(file_store, probe(at=start))
    with file_store.database.connect_alone() as connection:
        connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
        connection.exec_driver_sql("DELETE FROM series")
        connection.exec_driver_sql("PRAGMA foreign_keys = ON")
    assert file_store.check() == ["probes: row 1 belongs to nothing in series"]


def test_a_backup_is_a_store_of_its_own(file_store: Store, start: datetime, probe: Callable[..., Probed]) -> None:
    keep(file_store, probe(at=start))
    for _ in range(2):
        path = file_store.backup()
    assert path is not None
    keep(file_store, probe(at=start))
    assert path.stat().st_mode & 0o777 == 0o600
    assert sorted(each.name for each in path.parent.iterdir() if "-" not in each.name) == ["monitor.sqlite", path.name]
    with open_store(sqlite_url(path)) as copy:
        assert len(list(copy.probes(Filter()))) == 1


def test_a_server_has_backups_of_its_own(store: Store) -> None:
    if not store.database.is_sqlite:
        assert store.backup() is None
