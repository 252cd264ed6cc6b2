from __future__ import annotations

import json
import random
import re
import shutil
import sqlite3
import tracemalloc
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitors.config.alerting import Retention, SinkSettings, Thresholds
from monitors.errors import UsageError
from monitors.incidents.model import Event, EventKind
from monitors.incidents.planning import Surroundings, plan
from monitors.memory import Memory
from monitors.memory.folding import Baseline
from monitors.memory.ledger import Ledger, Sighting, observe
from monitors.memory.traits import Trait
from monitors.model import Finding, Kind, Level
from monitors.store import Filter, IncidentFilter, Store, StoreDamagedError, open_store, sqlite_url
from monitors.store.tables import metadata

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
            writing.add_probes("here", [probe(at=at), probe("EU1", at=at, available=None, status=429, again=rolled)])
            bodies = (b'{"a": "\xc3\xa9"}', b"\xff\xfe", b"")
            writing.add_probes("é", [probe(at=at, findings=found, verdict="breaking", body=body) for body in bodies])
        if rolled:
            store.roll_up()
    row = store.due("chat", start)[0]
    store.mark_failed(row.id, start, "no \ud800", start + MINUTE)
    return store


@pytest.fixture
def lines(full: Store) -> list[str]:
    return list(full.export())


@pytest.fixture
def kept(lines: list[str], tmp_path: Path) -> Path:
    """Return the file of a store that has something of everything."""
    path = tmp_path / "kept.sqlite"
    with open_store(sqlite_url(path)) as opened:
        opened.take(lines, "f")
        made = opened.backup()
    assert made is not None
    return made


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
        "told", "silences", "outbox", "memory", "baselines", "end",
    }  # fmt: skip
    taken = elsewhere.take(lines, "export")
    assert (taken.rows["probes"], taken.rows["incidents"], taken.known) == (10, 2, 0)
    assert list(elsewhere.export()) == lines
    third.take(elsewhere.export(), "export")
    assert list(third.export()) == lines
    assert third.check() == []


def test_an_export_of_an_earlier_revision_is_read(full: Store, elsewhere: Store) -> None:
    *lines, _ = [json.loads(line) for line in full.export()]
    lines[0]["revision"] = "0001"
    for line in lines:
        line.pop("again", None)
    assert not elsewhere.take([json.dumps(line) for line in lines], "export").counted
    known, found = list(full.probes(Filter())), list(elsewhere.probes(Filter()))
    assert any(row.again for row in known)
    assert [replace(row, id=0) for row in found] == [replace(row, id=0, again=False) for row in known]


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

READS = "this program reads version 1, up to revision 0002"
HEAD = '{"table":"","kind":"model-lab-monitor/export","version":1,"revision":"0001"}'
MARKED, END = '{"table":"rolled-up"}', '{"table":"end","lines":7}'
EARLY = 'the export ends early: its last line would be of the table "end"'
OTHER = "some are missing, or there twice"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "f:0: nothing is in it"),
        (["{"], "f:1: not JSON"),
        (["[" * 100_000], "f:1: not JSON"),
        (["[]"], "f:1: not an object"),
        (["{}"], 'f:1: "kind" is not "model-lab-monitor/export"; this is no export of a store'),
        (
            [HEAD.replace("1,", "2,")],
            f"f:1: written in version 2, revision 0001; {READS}",
        ),
        (
            [HEAD.replace("0001", "9999")],
            f"f:1: written in version 1, revision 9999; {READS}",
        ),
        ([HEAD], f"f:1: {EARLY}"),
        ([HEAD.replace("0001", "0002"), MARKED], f"f:2: {EARLY}"),
        ([HEAD, END.replace("7", "1")], f"f:2: {EARLY}"),
        ([HEAD, MARKED, END], f"f:3: it counts 7 lines, not the 2 before it: {OTHER}"),
        ([HEAD, MARKED, END.replace("7", "true")], f"f:3: it counts true lines, not the 2 before it: {OTHER}"),
        ([HEAD, '{"table":"end"}'], f"f:2: it counts null lines, not the 1 before it: {OTHER}"),
        (
            [HEAD, MARKED, END.replace("7", "2"), HEAD],
            "f:4: the export ended with the line before, which counts its lines",
        ),
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


def test_an_export_that_lacks_any_of_its_lines_is_refused(lines: list[str], elsewhere: Store) -> None:
    for count in range(1, len(lines)):
        with pytest.raises(UsageError, match=f"f:{count}: .*ends early"):
            elsewhere.take(lines[:count], "f")
        with pytest.raises(UsageError, match=r"f:\d+: "):
            elsewhere.take([*lines[:count], *lines[count + 1 :]], "f")
    assert elsewhere.take(lines, "f").counted


@pytest.mark.parametrize(
    ("table", "changed", "message"),
    [
        ("findings", {"digest": "x"}, 'findings: "digest" is not that of "content"'),
        ("bodies", {"hash": "x"}, "bodies: is another body than it says"),
        ("bodies", {"content": 1}, 'bodies: "content" must be an object with "text" or "base64"'),
        ("bodies", {"content": {"base64": "?"}}, 'bodies: "content" must be '),
        ("bodies", {"size": 2**63}, 'bodies: "size" must be an integer of 64 bits'),
        ("rollups", {"available": 77}, "rollups: holds another number of probes than it says"),
        ("rollups", {"latencies": [[1, 0]]}, 'rollups: "latencies" must be pairs of a bucket and a count'),
        ("rollups", {"latencies": [1]}, 'rollups: "latencies" must be '),
        ("rollups", {"site": None}, 'rollups: "site" must be text'),
        ("probes", {"check": 1}, 'probes: "check" must be text'),
        ("rollups", {"start_ms": 0, "period": 1}, "rollups, in the lines up to here: a row is there twice"),
        ("probes", {"at_ms": "x"}, 'probes: "at_ms" must be an integer of 64 bits'),
        ("probes", {"verdict": 9}, 'probes: "verdict" must be an integer from 0 to 3'),
        ("probes", {"body": "x"}, "probes, in the lines up to here: 'x'"),
        ("probes", {"findings": ["x"]}, "finding x is not in the export"),
        ("probes", {"findings": 1}, 'probes: "findings" must be a list of digests'),
        ("incidents", {"finding": {}}, 'incidents: "finding" must be a finding'),
        ("outbox", {"kind": "x"}, 'outbox: "kind" must be one of acknowledged, digest, opened, '),
        ("memory", {"content": []}, "memory: "),
        ("meta", {"key": "next_incident", "value": "x"}, 'meta: "next_incident" must be an integer from 1'),
        ("meta", {"key": "next_incident", "value": "0"}, 'meta: "next_incident" must be an integer from 1'),
        ("meta", {"key": "next_incident", "value": "01"}, 'meta: "next_incident" must be an integer from 1'),
        ("meta", {"key": "next_incident", "value": "2"}, 'meta: "next_incident" must be 3 at least'),
        ("meta", {"key": "first_notice", "value": "-1"}, 'meta: "first_notice" must be an integer from 1'),
        ("meta", {"key": "memory_revision", "value": "٣"}, 'meta: "memory_revision" must be an integer from 0'),
        ("meta", {"key": "hours_from", "value": "x"}, 'meta: "hours_from" must be milliseconds'),
        ("meta", {"key": "installation", "value": "a b"}, 'meta: "installation" must be a word'),
        ("incidents", {"resolved_us": 2**62}, 'incidents: "resolved_us" must be an integer from '),
        ("incidents", {"spells": [["US5"]]}, 'incidents: "spells" must be a list of spells'),
        ("incidents", {"acknowledged": ["Ann"]}, 'incidents: "acknowledged" must be who, when and why'),
        ("incidents", {"level": 7}, 'incidents: "level" must be an integer from 1 to 3'),
        ("events", {"sites": [1]}, 'events: "sites" must be a list of sites'),
        ("told", {"number": -1}, 'told: "number" must be an integer from 0'),
        ("tracks", {"results": "x?"}, 'tracks: "results" must be of x and . alone'),
        ("outbox", {"state": "x"}, 'outbox: "state" must be one of abandoned, delivered, queued'),
        ("silences", {"content": []}, 'silences: "content" must be what a silence is'),
        ("series", {"rolled_available": 7}, 'series: "rolled_available" must be an integer from 0 to 1'),
        ("probes", {"status": 40_000}, 'probes: "status" must be an integer from -32767 to 32767'),
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


GARBAGE = st.sampled_from([
    None, True, -1, 0, 7, 2**31, 2**53 + 1, 2**63 - 1, -(2**63), 2**70, 1e308, 0.5, "", "x", "0", "-5", "\ud800",
    "a\0b", "rolled_up_to", "breaking", [], [[]], ["x"], [1, 2], {}, {"a": 1}, {"text": "x"}, {"base64": "eA=="},
    "[]", "{}", '"x"', "null", "[[[[", "\u0663",
])  # fmt: skip


def wrecked(data: st.DataObject, value: Any) -> Any:
    """Return a value of which one part, or all of it, is garbage."""
    if isinstance(value, dict | list) and value and data.draw(st.booleans()):
        copied: Any = value.copy()
        where = data.draw(st.sampled_from(list(value) if isinstance(value, dict) else range(len(value))))
        copied[where] = wrecked(data, value[where])
        return copied
    return data.draw(GARBAGE)


def used(store: Store, now: datetime) -> None:
    """Use a store as commands and a monitor do."""
    store.book()
    store.memory()
    store.memory_revision()
    store.baseline("US5", "42")
    store.undelivered()
    store.next_due("chat")
    store.due("chat", now)
    for incident in store.incidents(IncidentFilter()):
        store.events(incident.id)
        store.notices(incident.id)
        plan(store.book(), Surroundings(now, (SinkSettings("chat", "stdout"),), Thresholds()))
    for row in store.probes(Filter()):
        if row.body is not None:
            store.body(row.body)
    store.uptime(Filter())
    store.uptime(Filter(), by="check")
    list(store.export())
    store.roll_up()
    store.retain(now, Retention())


@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_an_export_with_any_one_value_replaced_is_refused_with_the_line_or_makes_a_sound_store(
    data: st.DataObject, lines: list[str], start: datetime, tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = data.draw(st.integers(0, len(lines) - 1))
    raw = json.loads(lines[place])
    name = data.draw(st.sampled_from(sorted(raw)))
    changed = {**raw, name: wrecked(data, raw[name])}
    with open_store(sqlite_url(tmp_path_factory.mktemp("taken") / "s")) as store:
        refused = ""
        try:
            store.take([*lines[:place], json.dumps(changed), *lines[place + 1 :]], "f")
        except UsageError as error:
            refused = str(error)
        if refused:
            assert re.match(r"f:\d+: ", refused)
            assert len(list(store.export())) == len([HEAD, "installation", MARKED, END])
            return
        assert store.check() == []
        used(store, start + timedelta(days=3))


@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_a_store_with_any_one_value_replaced_is_told_of_or_sound(
    data: st.DataObject, kept: Path, start: datetime, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = shutil.copy(kept, tmp_path_factory.mktemp("changed") / "monitor.sqlite")
    table = data.draw(st.sampled_from(sorted(metadata.tables.values(), key=lambda each: each.name)))
    column = data.draw(st.sampled_from([column.name for column in table.columns]))
    value = data.draw(GARBAGE.filter(lambda one: not isinstance(one, list | dict | bool)) | st.binary(max_size=9))
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        count = connection.execute(f"SELECT count(*) FROM {table.name}").fetchone()[0]  # noqa: S608 - names of ours
        keys = ", ".join(key.name for key in table.primary_key)
        row = f"({keys}) = (SELECT {keys} FROM {table.name} LIMIT 1 OFFSET {data.draw(st.integers(0, count - 1))})"  # noqa: S608 - likewise
        cast = "CAST(? AS TEXT)" if isinstance(value, bytes) and data.draw(st.booleans()) else "?"
        try:
            connection.execute(f"UPDATE {table.name} SET {column} = {cast} WHERE {row}", (value,))  # noqa: S608 - likewise
        except (sqlite3.IntegrityError, OverflowError, UnicodeEncodeError):
            # The database itself does not take it.
            return
    with open_store(sqlite_url(path)) as store:
        found = store.check()
        assert all(isinstance(line, str) and line for line in found)
        if not found:
            used(store, start + timedelta(days=3))


def test_a_line_without_end_is_told(file_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitors.store.importing._MAX_LINE", 100)
    with pytest.raises(UsageError, match="f:1: the line is too long to be of an export"):
        file_store.take(["x" * 101], "f")


def test_a_row_that_does_not_read_stops_the_export(full: Store) -> None:
    with full.writing() as writing:
        writing.connection.exec_driver_sql("UPDATE incidents SET finding = '{'")
    with pytest.raises(StoreDamagedError, match=r'is damaged: incidents: row 1: "finding" must be a finding; '):
        list(full.export())
