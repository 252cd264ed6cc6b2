from __future__ import annotations

import json
import random
import tracemalloc
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitors.errors import UsageError
from monitors.incidents.model import Event, EventKind
from monitors.memory import Memory
from monitors.memory.folding import Baseline
from monitors.memory.ledger import Ledger, Sighting, observe
from monitors.memory.traits import Trait
from monitors.model import Finding, Kind, Level
from monitors.store import Filter, Store, StoreDamagedError, open_store, sqlite_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Server

    from monitors.store import Probed

MINUTE = timedelta(minutes=1)


@pytest.fixture
def full(
    store: Store,
    start: datetime,
    probe: Callable[..., Probed],
    finding: Callable[..., Finding],
    fill: Callable[[Store], None],
) -> Store:
    """Return a store that has something of everything, part of it rolled up."""
    fill(store)
    traits = frozenset({Trait("$", "object"), Trait("$.odd\ud800", "string")})
    memory = Memory(observe(Ledger(), Sighting("US5", "run", start, traits)))
    with store.writing() as writing:
        writing.put_memory(Memory(), memory)
        writing.keep_baseline("US5", "42", Baseline(start, "x", {"a": [1.5, "\ud800", None]}))
    for n, rolled in enumerate((True, False)):
        with store.writing() as writing:
            found = (finding(message="x\0\ud800"), finding("odd", at=start, base=[1, {"a": None}]))
            at = start + n * timedelta(days=2)
            writing.add_probes("here", [probe(at=at), probe("EU1", at=at, available=None, status=429)])
            bodies = (b'{"a": "\xc3\xa9"}', b"\xff\xfe", b"")
            writing.add_probes("é", [probe(at=at, findings=found, verdict="breaking", body=body) for body in bodies])
        if rolled:
            store.roll_up()
    row = store.due("chat", start)[0]
    store.mark_failed(row.id, start, "no \ud800", start + MINUTE)
    return store


def other(server: Server, store: Store, tmp_path: Path) -> Iterator[Store]:
    url = server.make_database() if store.database.is_sqlite else sqlite_url(tmp_path / "other.sqlite")
    with open_store(url) as opened:
        yield opened


@pytest.fixture
def elsewhere(server: Server, store: Store, tmp_path: Path) -> Iterator[Store]:
    """Open an empty store on the other kind of database."""
    yield from other(server, store, tmp_path)


@pytest.fixture
def third(server: Server, elsewhere: Store, tmp_path: Path) -> Iterator[Store]:
    """Open another empty store on the first kind of database."""
    yield from other(server, elsewhere, tmp_path)


def test_an_export_goes_from_database_to_database_byte_for_byte(full: Store, elsewhere: Store, third: Store) -> None:
    lines = list(full.export())
    tables = {json.loads(line)["table"] for line in lines}
    assert tables == {
        "", "meta", "series", "findings", "bodies", "rollups", "probes", "rolled-up", "incidents", "events", "tracks",
        "told", "silences", "outbox", "memory", "baselines",
    }  # fmt: skip
    taken = elsewhere.take(lines, "export")
    assert (taken.rows["probes"], taken.rows["incidents"], taken.known) == (10, 2, 0)
    assert list(elsewhere.export()) == lines
    third.take(elsewhere.export(), "export")
    assert list(third.export()) == lines
    assert third.check() == []


def test_what_was_imported_goes_on_as_it_would_have(full: Store, elsewhere: Store, start: datetime) -> None:
    elsewhere.take(full.export(), "export")
    assert elsewhere.book() == full.book()
    assert elsewhere.memory() == full.memory()
    assert elsewhere.baseline("US5", "42") == full.baseline("US5", "42")
    assert elsewhere.undelivered() == full.undelivered()
    for by in ("site", "check"):
        assert elsewhere.uptime(Filter(), by=by) == full.uptime(Filter(), by=by)
    assert elsewhere.roll_up() == full.roll_up() == 5
    assert list(elsewhere.export()) == list(full.export())
    with elsewhere.writing() as writing:
        writing.add_event(Event(1, start, EventKind.SPREAD, "more"))
    assert len(elsewhere.events(1)) == 2


def test_where_it_goes_on_in_place_of_another_no_number_is_used_again(full: Store, elsewhere: Store) -> None:
    elsewhere.take(full.export(), "export", ahead=True)
    before, after = full.book(), elsewhere.book()
    told = {key: replace(each, number=each.number + 1_000) for key, each in before.told.items()}
    assert after == replace(before, next_id=before.next_id + 1_000, told=told, first_notice=1_001)
    assert elsewhere.check() == []


TEXTS = st.text(st.characters(exclude_categories=()), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)
FINDINGS = st.builds(
    Finding,
    st.sampled_from(["rule-a", "rule-b"]),
    st.sampled_from(Level),
    st.sampled_from(Kind),
    TEXTS,
    location=st.none() | TEXTS,
    base=VALUES,
    revision=VALUES,
    site=st.none() | st.just("US5"),
    discriminator=TEXTS,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_probes_found_survives_the_way_to_a_server_and_back(
    data: st.DataObject, server: Server, probe: Callable[..., Probed], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("way")
    times = st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds
    made = [
        probe(
            data.draw(st.sampled_from(["US1", "US5"])),
            at=data.draw(times),
            total_s=data.draw(st.floats(0.003, 100)),
            findings=tuple(data.draw(st.lists(FINDINGS, max_size=3))),
            verdict=data.draw(st.sampled_from(["none", "info", "warning", "breaking"])),
            available=data.draw(st.sampled_from([True, False, None])),
            body=data.draw(st.binary(max_size=20)),
        )
        for _ in range(data.draw(st.integers(0, 5)))
    ]
    with (
        open_store(sqlite_url(folder / "a")) as first,
        open_store(server.make_database()) as second,
        open_store(sqlite_url(folder / "b")) as last,
    ):
        with first.writing() as writing:
            writing.add_probes("", made)
        if data.draw(st.booleans()):
            first.roll_up()
        second.take(first.export(), "export")
        last.take(second.export(), "export")
        assert list(last.export()) == list(first.export())
        assert list(last.probes(Filter())) == list(first.probes(Filter()))


def test_many_rows_stream_in_flat_memory(
    file_store: Store, tmp_path: Path, start: datetime, probe: Callable[..., Probed]
) -> None:
    chance = random.Random(1)  # noqa: S311 - the same in every run
    with file_store.writing() as writing:
        for n in range(20_000):
            writing.add_probes("", [probe(at=start + n * MINUTE, total_s=chance.random() + 0.01)])
    file_store.roll_up()
    lines = list(file_store.export())
    with open_store(sqlite_url(tmp_path / "other")) as other_store:
        other_store.take(lines, "export")
        assert list(other_store.export()) == lines
        tracemalloc.start()
        for _ in other_store.export():
            pass
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < sum(map(len, lines)) / 2


# --- a store that holds something ------------------------------------------------------------------------------------


def test_a_store_that_holds_something_is_refused(full: Store) -> None:
    before = list(full.export())
    with pytest.raises(UsageError, match=r"the store holds probes, rollups, incidents, .* already; name an empty one"):
        full.take(before, "export")
    assert list(full.export()) == before


def test_merging_adds_the_probes_that_are_not_there(
    full: Store, elsewhere: Store, start: datetime, probe: Callable[..., Probed]
) -> None:
    with elsewhere.writing() as writing:
        writing.add_probes("here", [probe(at=start)])
        writing.add_probes("é", [probe(at=start + timedelta(days=2))])
    elsewhere.roll_up()
    with elsewhere.writing() as writing:
        writing.add_probes("here", [probe("EU1", at=start)])
    taken = elsewhere.take(full.export(), "export", merge=True)
    # Two hours were summed up there, and one probe not yet.
    assert (taken.rows["probes"], taken.known) == (5, 5)
    assert len(list(elsewhere.probes(Filter()))) == 8
    assert (elsewhere.book().incidents, elsewhere.memory()) == ({}, Memory())
    again = elsewhere.take(full.export(), "export", merge=True)
    assert (again.rows["probes"], again.known) == (0, 10)
    elsewhere.roll_up()
    assert sum(row.probes for row in elsewhere.uptime(Filter())) == 8
    assert elsewhere.check() == []


def test_merging_into_an_empty_store_sums_up_anew(full: Store, elsewhere: Store) -> None:
    elsewhere.take(full.export(), "export", merge=True)
    assert elsewhere.roll_up() == 10
    assert [row.probes for row in elsewhere.uptime(Filter())] == [row.probes for row in full.uptime(Filter())]


# --- what is no export -----------------------------------------------------------------------------------------------

HEAD = '{"table":"","kind":"model-lab-monitor/export","version":1,"revision":"0001"}'


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "f:0: nothing is in it"),
        (["{"], "f:1: not JSON"),
        (["[" * 100_000], "f:1: not JSON"),
        (["[]"], "f:1: not an object"),
        (["{}"], 'f:1: "kind" is not "model-lab-monitor/export"; this is no export of a store'),
        ([HEAD.replace("1,", "2,")], "f:1: written in version 2, revision 0001; this program reads 1, 0001"),
        ([HEAD.replace("0001", "9999")], "f:1: written in version 1, revision 9999; this program reads 1, 0001"),
        ([HEAD], "f:1: the export ends early; it was not written to its end"),
        ([HEAD, '{"table":"odd"}'], 'f:2: no table of ours: "odd"'),
        ([HEAD, '{"table":[]}'], "f:2: no table of ours: []"),
        ([HEAD, '{"table":"meta","key":"a"}'], 'f:2: meta: "value" is missing'),
        ([HEAD, '{"table":"meta","key":"a","value":null}'], 'f:2: meta: "value" must not be null'),
        ([HEAD, '{"table":"meta","key":"a","value":"\\u0000"}'], 'f:2: meta: "value" must be text'),
        ([HEAD, '{"table":"meta","key":"a","value":"\\ud800"}'], 'f:2: meta: "value" must be text'),
        ([HEAD, '{"table":"meta","key":1,"value":"x"}'], 'f:2: meta: "key" must be text'),
    ],
)
def test_a_file_that_is_no_export_is_told_with_the_line(lines: list[str], message: str, file_store: Store) -> None:
    with pytest.raises(UsageError) as caught:
        file_store.take(lines, "f")
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("table", "changed", "message"),
    [
        ("findings", {"digest": "x"}, 'findings: "digest" is not that of "content"'),
        ("bodies", {"hash": "x"}, "bodies: a row that makes sense"),
        ("bodies", {"content": 1}, 'bodies: "content" must be an object with "text" or "base64"'),
        ("bodies", {"content": {"base64": "?"}}, 'bodies: "content" must be '),
        ("bodies", {"size": 2**63}, 'bodies: "size" must be an integer of 64 bits'),
        ("rollups", {"available": 77}, "rollups: a row that makes sense"),
        ("rollups", {"latencies": [[1, 0]]}, 'rollups: "latencies" must be pairs of a bucket and a count'),
        ("rollups", {"latencies": [1]}, 'rollups: "latencies" must be '),
        ("rollups", {"site": None}, "rollups: text"),
        ("rollups", {"start_ms": 0, "period": 1}, "rollups, in the lines up to here: a row is there twice"),
        ("probes", {"at_ms": "x"}, 'probes: "at_ms" must be an integer of 64 bits'),
        ("probes", {"verdict": 9}, "probes, in the lines up to here: a row that makes sense"),
        ("probes", {"body": "x"}, "probes, in the lines up to here: 'x'"),
        ("probes", {"findings": ["x"]}, "finding x is not in the export"),
        ("probes", {"findings": 1}, "probes, in the lines up to here: "),
        ("incidents", {"finding": {}}, "incidents: 'rule'"),
        ("outbox", {"kind": "x"}, "outbox: 'x' is not a valid NoticeKind"),
        ("memory", {"content": []}, "memory: "),
    ],
)
def test_a_row_that_makes_no_sense_is_told_and_nothing_is_kept(
    table: str, changed: dict[str, Any], message: str, full: Store, elsewhere: Store
) -> None:
    raws = [json.loads(line) for line in full.export()]
    lines = [json.dumps({**raw, **changed} if raw["table"] == table else raw) for raw in raws]
    with pytest.raises(UsageError, match=r"^f:\d+: ") as caught:
        elsewhere.take(lines, "f")
    assert message in str(caught.value)
    assert elsewhere.book().incidents == {}
    assert list(elsewhere.probes(Filter())) == []


def test_a_line_without_end_is_told(file_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitors.store.importing._MAX_LINE", 100)
    with pytest.raises(UsageError, match="f:1: the line is too long to be of an export"):
        file_store.take(["x" * 101], "f")


def test_a_row_that_does_not_read_stops_the_export(full: Store) -> None:
    with full.writing() as writing:
        writing.connection.exec_driver_sql("UPDATE incidents SET finding = '{'")
    with pytest.raises(
        StoreDamagedError, match=r"a row does not read \(JSONDecodeError\); `model-lab-monitor db check`"
    ):
        list(full.export())
