"""An export read back: into an empty store whole, into one that holds something only the probes it lacks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NoReturn

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from monitors.errors import UsageError
from monitors.store import sql, tables, transfer
from monitors.store.book_keeping import next_incident
from monitors.store.forms import digest
from monitors.store.keys import HOUR, HOUR_MS, MARK, NEXT_INCIDENT
from monitors.store.migrating import HEAD, REVISIONS
from monitors.store.probes import next_id
from monitors.store.reading import meta
from monitors.store.sense import READS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy import Table

    from monitors.store.writing import Writing

_CHUNK = 1_000
_UNCOUNTED = frozenset({"0001"})
"""The revisions whose exports did not say how many lines they have."""
_FULL = ("probes", "rollups", "incidents", "tracks", "outbox", "memory", "baselines", "silences")
_OF_PROBES = frozenset({"series", "findings", "bodies", "probes"})
_SAID_CHARS = 200
_MAX_LINE = 64 * 1024 * 1024


class Import:
    """One export on its way into one transaction.

    `counts` are rows by table, `known` the probes that were there, `counted` tells whether it says how long it is.
    """

    def __init__(self, writing: Writing, name: str, *, merge: bool) -> None:
        """Begin; raises `UsageError` where the store holds something and is not to be merged with."""
        self._writing, self._name, self._merge = writing, name, merge
        self._connection = writing.connection
        self.counts: dict[str, int] = {}
        self.known = 0
        self._line = 0
        self._table = ""
        self._rows: list[tuple[Any, ...]] = []
        self._probes: list[tuple[dict[str, Any], list[Any]]] = []
        self._next: dict[str, int] = {}
        self.counted = False
        self._revision = ""
        if not merge and (full := [table for table in _FULL if self._holds(tables.metadata.tables[table])]):
            message = (
                f"the store holds {', '.join(full)} already; name an empty one with --state-dir, or say --merge, which "
                "adds the probes that are not there"
            )
            raise UsageError(message)

    def _holds(self, table: Table) -> bool:
        return self._connection.execute(select(*table.primary_key).limit(1)).first() is not None

    def take(self, lines: Iterable[str]) -> None:
        """Take every line; raises `UsageError` for one that is none of an export, with its number."""
        marked = False
        for self._line, text in enumerate(lines, start=1):
            raw = self._parsed(text)
            if self.counted:
                self._refuse("the export ended with the line before, which counts its lines")
            if self._line == 1:
                self._head(raw)
            elif raw.get("table") == transfer.END_LINE:
                self._end(raw)
            elif raw.get("table") == transfer.MARK_LINE:
                self._flush()
                self._mark()
                marked = True
            else:
                self._row(raw)
        if self._line == 0:
            self._refuse("nothing is in it")
        self._flush()
        if not marked or not (self.counted or self._revision in _UNCOUNTED):
            self._refuse(f'the export ends early: its last line would be of the table "{transfer.END_LINE}"')
        known = meta(self._connection)
        if int(known.get(NEXT_INCIDENT, "1")) < (least := next_incident(self._connection, known)):
            self._refuse(
                f'meta: "{NEXT_INCIDENT}" must be {least} at least, as incidents up to {least - 1} are spoken of'
            )

    def _parsed(self, text: str) -> dict[str, Any]:
        if len(text) > _MAX_LINE:
            self._refuse("the line is too long to be of an export")
        try:
            raw = json.loads(text)
        except (ValueError, RecursionError):
            self._refuse("not JSON", None)
        if not isinstance(raw, dict):
            self._refuse("not an object")
        return raw

    def _head(self, raw: Mapping[str, Any]) -> None:
        if raw.get("kind") != transfer.KIND:
            self._refuse(f'"kind" is not "{transfer.KIND}"; this is no export of a store')
        if raw.get("version") != transfer.VERSION or raw.get("revision") not in REVISIONS:
            said = f"version {raw.get('version')}, revision {raw.get('revision')}"
            self._refuse(
                f"written in {said[:60]}; this program reads version {transfer.VERSION}, up to revision {HEAD}"
            )

        self._revision = raw["revision"]

    def _end(self, raw: Mapping[str, Any]) -> None:
        before = self._line - 1
        if raw.get("lines") != before or type(raw["lines"]) is not int:
            said = json.dumps(raw.get("lines"))[:60]
            self._refuse(f"it counts {said} lines, not the {before} before it: some are missing, or there twice")
        self.counted = True

    def _refuse(self, what: str, cause: Exception | None = None) -> NoReturn:
        message = f"{self._name}:{self._line}: {what}"
        raise UsageError(message) from cause

    def _row(self, raw: Mapping[str, Any]) -> None:
        name = raw.get("table")
        if not isinstance(name, str) or name not in transfer.FORMS:
            self._refuse(f"no table of ours: {json.dumps(name)[:60]}")
        if self._merge and name not in _OF_PROBES:
            return
        if name != self._table:
            self._flush()
            self._table = name
        try:
            values = transfer.FORMS[name].values(raw)
            self._take(name, raw, values)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            self._refuse(f"{name}: {str(error)[:_SAID_CHARS]}", error)
        if len(self._rows) + len(self._probes) >= _CHUNK:
            self._flush()

    def _take(self, name: str, raw: Mapping[str, Any], values: list[Any]) -> None:
        if name == "probes":
            found, body = raw["findings"], raw["body"]
            if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
                message = '"findings" must be a list of digests'
                raise ValueError(message)
            if body is not None:
                transfer.text(body)
            READS["probes"](self._probe(1, self._series(raw), values, None, len(found)))
            self._probes.append((dict(raw), values))
        elif name == "rollups":
            # The series stands third among the columns.
            row = (*values[:2], self._series(raw), *values[2:])
            READS[name](row)
            self._rows.append(row)
        elif name == "series":
            self._put_series(values)
        elif name == "findings":
            self._put_finding(values)
        elif name == "bodies":
            self._put_body(values)
        elif name != "meta" or values[0] not in transfer.LEFT_OUT_META:
            row = (self._number(name), *values) if name in {"events", "outbox"} else tuple(values)
            READS[name](row)
            self._rows.append(row)

    def _flush(self) -> None:
        """Write what was gathered of one table."""
        rows, self._rows = self._rows, []
        if rows:
            table = tables.metadata.tables[self._table]
            # What a new store knows of itself gives way to what the export says.
            try:
                (sql.upsert if table is tables.meta else sql.insert)(self._connection, table, rows)
            except IntegrityError as error:
                self._refuse(f"{self._table}, in the lines up to here: a row is there twice", error)
            self._count(self._table, len(rows))
        probes, self._probes = self._probes, []
        if probes:
            try:
                self._put_probes(probes)
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                self._refuse(f"probes, in the lines up to here: {error}", error)

    def _count(self, name: str, number: int) -> None:
        self.counts[name] = self.counts.get(name, 0) + number

    def _number(self, name: str) -> int:
        """Return the next id of a table."""
        if name not in self._next:
            # No id is used again, of probes not even those that are deleted.
            mark = int(self._writing.meta(MARK) or "0") if name == "probes" else 0
            self._next[name] = max(next_id(self._connection, tables.metadata.tables[name]), mark + 1)
        self._next[name] += 1
        return self._next[name] - 1

    # --- what probes refer to ----------------------------------------------------------------------------------------

    def _series(self, raw: Mapping[str, Any]) -> int:
        for name in transfer.WHERE:
            try:
                transfer.text(raw.get(name))
            except ValueError as error:
                message = f'"{name}" must be {error}'
                raise ValueError(message) from error
        site, check, vantage = (raw[name] for name in transfer.WHERE)
        return self._writing.probe_writer.series((site, check, vantage))

    def _put_series(self, values: list[Any]) -> None:
        site, check, vantage, available = values
        READS["series"]((1, *values))
        number = self._writing.probe_writer.series((site, check, vantage))
        if not self._merge:
            update = tables.series.update().where(tables.series.c.id == number)
            self._connection.execute(update.values(rolled_available=available))
        self._count("series", 1)

    def _put_finding(self, values: list[Any]) -> None:
        name, text = values
        if digest(text) != name:
            message = '"digest" is not that of "content"'
            raise ValueError(message)
        READS["findings"]((1, *values))
        self._writing.probe_writer.finding(name, text)
        self._count("findings", 1)

    def _put_body(self, values: list[Any]) -> None:
        column = tables.bodies.c
        name, *rest = values
        READS["bodies"]((1, *values))
        if self._connection.execute(select(column.id).where(column.hash == name)).first() is None:
            sql.insert(self._connection, tables.bodies, [(self._number("bodies"), name, *rest)])
            self._count("bodies", 1)

    # --- probes ------------------------------------------------------------------------------------------------------

    def _put_probes(self, probes: list[tuple[dict[str, Any], list[Any]]]) -> None:
        numbers = [self._series(raw) for raw, _ in probes]
        there, summed = self._there(numbers, [values[0] for _, values in probes]) if self._merge else (set(), set())
        ids = self._bodies({raw["body"] for raw, _ in probes if raw.get("body") is not None})
        rows, links = [], []
        for number, (raw, values) in zip(numbers, probes, strict=True):
            if (number, values[0]) in there or (number, values[0] - values[0] % HOUR_MS) in summed:
                self.known += 1
                continue
            found = raw["findings"]
            probe = self._number("probes")
            body = None if raw["body"] is None else ids[raw["body"]]
            rows.append(self._probe(probe, number, values, body, len(found)))
            links += [(probe, place, self._finding(name)) for place, name in enumerate(found)]
        sql.insert(self._connection, tables.probes, rows)
        sql.insert(self._connection, tables.probe_findings, links)
        self._count("probes", len(rows))

    @staticmethod
    def _probe(number: int, series: int, values: list[Any], body: int | None, findings: int) -> tuple[Any, ...]:
        """Return a row of the table, where what an export says in its own way stands between its other values."""
        *first, again = values
        return (number, series, *first, body, findings, again)

    def _there(self, numbers: list[int], times: list[int]) -> tuple[set[tuple[int, int]], set[tuple[int, int]]]:
        """Return series and time of probes that are there, and series and start of hours that are summed up."""
        column, rolled = tables.probes.c, tables.rollups.c
        query = select(column.series, column.at_ms).where(column.at_ms.in_(set(times)), column.series.in_(set(numbers)))
        found = {(row.series, row.at_ms) for row in self._connection.execute(query)}
        hours = {at_ms - at_ms % HOUR_MS for at_ms in times}
        query = select(rolled.series, rolled.start_ms).where(rolled.period == HOUR, rolled.start_ms.in_(hours))
        return found, {(row.series, row.start_ms) for row in self._connection.execute(query)}

    def _bodies(self, names: set[str]) -> dict[str, int]:
        column = tables.bodies.c
        if not names:
            return {}
        query = select(column.hash, column.id).where(column.hash.in_(names))
        return {row.hash: row.id for row in self._connection.execute(query)}

    def _finding(self, name: str) -> int:
        cache = self._writing.cache.findings
        if name not in cache:
            query = select(tables.findings.c.id).where(tables.findings.c.digest == name)
            known = self._connection.execute(query).scalar()
            if known is None:
                self._refuse(f"finding {name} is not in the export")
            cache[name] = known
        return cache[name]

    def _mark(self) -> None:
        """Note that every probe so far is in the sums."""
        if not self._merge:
            newest = self._connection.execute(select(func.max(tables.probes.c.id))).scalar_one()
            self._writing.put_meta(MARK, str(newest or 0))
