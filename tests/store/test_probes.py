from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from monitors.model import Acceptance, Kind, Level, Phases
from monitors.store import Filter, tables

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from monitors.model import Finding
    from monitors.store import Probed, Store

MINUTE = timedelta(minutes=1)


def test_a_probe_reads_back_with_its_findings(
    store: Store, start: datetime, probe: Callable[..., Probed], finding: Callable[..., Finding]
) -> None:
    accepted = Acceptance("known", "Ann", date(2099, 1, 1))
    told = (
        finding("added", Level.INFO, Kind.DRIFT, "x\ud800\0", location="$.a", base=[1, None], at=start),
        finding(accepted=accepted, revision={"a": 1}, discriminator="d", at=start - MINUTE),
        finding("odd", Level.WARNING, Kind.CONTRACT, "", site=None, check=None, source="f"),
    )
    with store.writing() as writing:
        writing.add_probes("here", [probe(findings=told, verdict="warning", body=b'{"a": 1}', status=500)])
    (row,) = store.probes(Filter())
    assert (row.site, row.check, row.vantage, row.status) == ("US5", "run", "here", 500)
    assert (row.verdict, row.available, row.rule) == ("warning", True, "odd")
    assert row.at == start.replace(microsecond=123_000)
    assert row.phases == Phases(0.001, 0.002, None, 0.097, None)
    assert row.total_s == 0.1
    # A finding's own time is kept where it is not the probe's.
    assert row.findings[1:2] == told[1:2]
    assert [each.message for each in row.findings] == [each.message for each in told]
    assert [each.at for each in row.findings] == [row.at, start - MINUTE, row.at]
    assert row.body is not None
    body = store.body(row.body)
    assert body is not None
    assert (body.content, body.size, body.first, body.last) == (b'{"a": 1}', 8, row.at, row.at)
    assert store.body("0") is None


def test_a_filter_asks_for_some_of_the_probes(
    store: Store, start: datetime, probe: Callable[..., Probed], finding: Callable[..., Finding]
) -> None:
    with store.writing() as writing:
        writing.add_probes("here", [probe(at=start + n * MINUTE) for n in range(3)])
        writing.add_probes("here", [probe("EU1", "not-found", start, available=None, status=429)])
        writing.add_probes(
            "there", [probe("EU1", at=start, available=False, verdict="breaking", findings=(finding(),))]
        )

    def found(**wanted: object) -> list[tuple[str, str, int]]:
        rows = store.probes(Filter(**wanted))  # type: ignore[arg-type]
        return [(row.site, row.check, (row.at - start) // MINUTE + 1) for row in rows]

    everything = [("US5", "run", 0), ("EU1", "not-found", 0), ("EU1", "run", 0), ("US5", "run", 1), ("US5", "run", 2)]
    assert found() == everything
    assert found(sites=("US5",), since=start + MINUTE) == everything[-1:]
    assert found(sites=("US5",), until=start + MINUTE) == [everything[0], everything[3]]
    assert found(checks=("not-found",)) == [everything[1]]
    assert found(vantages=("there",)) == [everything[2]]
    assert found(verdicts=("breaking", "info")) == [everything[2]]
    assert found(available=False) == [everything[2]]
    assert found(available=True) == [everything[0], *everything[3:]]
    assert found(sites=("AP1",)) == []
    newest = [row.id for row in store.probes(Filter(), newest_first=True)]
    assert newest == [row.id for row in store.probes(Filter())][::-1]
    assert [row.id for row in store.probes(Filter(), newest_first=True, limit=2)] == newest[:2]


def test_many_probes_stream_in_order(store: Store, start: datetime, probe: Callable[..., Probed]) -> None:
    with store.writing() as writing:
        for n in range(2_500):
            writing.add_probes("", [probe(site, at=start + timedelta(seconds=n)) for site in ("US1", "US5")])
    rows = list(store.probes(Filter()))
    assert [row.at for row in rows] == sorted(row.at for row in rows)
    assert len({row.id for row in rows}) == 5_000
    assert [row.id for row in store.probes(Filter(), newest_first=True)] == [row.id for row in reversed(rows)]
    assert len(list(store.probes(Filter(), limit=4_100))) == 4_100


def test_equal_findings_and_bodies_are_kept_once(
    store: Store, start: datetime, probe: Callable[..., Probed], finding: Callable[..., Finding]
) -> None:
    for n in range(3):
        at = start + n * MINUTE
        with store.writing() as writing:
            seen = [probe(at=at, findings=(finding(at=at),), verdict="breaking", body=b"[1]") for _ in range(2)]
            writing.add_probes("", seen)
    with store.database.reading() as connection:
        kept = [len(connection.execute(table.select()).all()) for table in (tables.findings, tables.bodies)]
    assert kept == [1, 1]
    (name,) = {row.body for row in store.probes(Filter())}
    body = store.body(name or "")
    assert body is not None
    assert body.last - body.first == 2 * MINUTE


def test_what_a_transaction_that_failed_had_made_is_made_anew(
    store: Store, probe: Callable[..., Probed], finding: Callable[..., Finding]
) -> None:
    seen = [probe(findings=(finding(),), body=b"{}")]

    def fail() -> None:
        with store.writing() as writing:
            writing.add_probes("", seen)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with store.writing() as writing:
        writing.add_probes("", seen)
    (row,) = store.probes(Filter())
    assert (row.site, len(row.findings)) == ("US5", 1)


def test_a_probe_of_no_site_is_refused(store: Store, probe: Callable[..., Probed]) -> None:
    with pytest.raises(ValueError, match="site, check and time are needed"), store.writing() as writing:
        writing.add_probes("", [probe(at=None)])


def test_an_impossible_status_is_none(store: Store, probe: Callable[..., Probed]) -> None:
    with store.writing() as writing:
        writing.add_probes("", [probe(status=10**9)])
    assert [row.status for row in store.probes(Filter())] == [None]
