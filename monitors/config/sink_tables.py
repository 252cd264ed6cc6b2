"""From `[sinks.NAME]` to where notices go, its secrets looked up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from monitors.config import forbidden
from monitors.config.alerting import SinkSettings
from monitors.config.reading import dotted
from monitors.config.sinks import ADDRESSES, SINK, SINK_TYPES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from monitors.config.lookup import Lookup
    from monitors.config.reading import Tables
    from monitors.config.sinks import SinkType


def sinks(tables: Tables, value: Any, lookup: Lookup | None) -> Iterator[SinkSettings]:
    """Yield the sinks nothing is wrong with; without a `lookup`, their secrets are left out."""
    for path, entry, named in tables.entries("sinks", value, "ops"):
        mistaken = len(tables.mistakes)
        type_ = entry.get("type")
        if not isinstance(type_, str) or type_ not in SINK_TYPES:
            _without_type(tables, path, entry)
            continue
        sink = _Sink(tables, path, entry, SINK_TYPES[type_], lookup).settings()
        if len(tables.mistakes) == mistaken and named:
            yield sink


def _without_type(tables: Tables, path: tuple[str, ...], entry: Mapping[str, Any]) -> None:
    """Check as much as can be checked where nobody knows which options there are."""
    if "type" not in entry:
        tables.wrong(path, f"{dotted(path)} has no type; write one of {', '.join(SINK_TYPES)}")
    tables.rows(path, entry, SINK, also=tuple(option for kind in SINK_TYPES.values() for option in kind.rows))


@dataclass(frozen=True, slots=True)
class _Sink:
    """One table of a sink whose type is known."""

    tables: Tables
    path: tuple[str, ...]
    entry: Mapping[str, Any]
    kind: SinkType
    lookup: Lookup | None

    def settings(self) -> SinkSettings:
        foreign = self._foreign()
        known = self.tables.rows(self.path, self.entry, {**SINK, **self.kind.rows}, told=foreign)
        common = {option: known[option] for option in SINK if option in known}
        common.setdefault("incidents", not common.get("digest", False))
        if not common["incidents"] and not common.get("digest", False):
            self._wrong("incidents", "incidents and digest are both false: nothing would ever be sent")
        for option in self.kind.required:
            if option not in self.entry:
                self._wrong("", f"{dotted(self.path)} has no {option}; a {self.entry['type']} sink needs one")
        secrets = {name: value for name in self.kind.secrets if (value := self._secret(name, known))}
        leading = {f"{name}{end}" for name in self.kind.secrets for end in ("_env", "_file")}
        options = {option: known[option] for option in self.kind.rows if option in known and option not in leading}
        self._addresses({**options, **secrets})
        return SinkSettings(name=self.path[-1], options=options, secrets=secrets, **{"type": "", **common})

    def _addresses(self, given: Mapping[str, str]) -> None:
        """Refuse addresses no sink may send to, at the line that gives them or names what holds them."""
        for name in ADDRESSES:
            if name in given and (flaw := forbidden.flaw(given[name], self.entry["type"])):
                way = next(way for way in (name, f"{name}_env", f"{name}_file") if way in self.entry)
                self._wrong(way, f"{way}: the address {flaw}")

    def _wrong(self, option: str, message: str) -> None:
        self.tables.wrong((*self.path, option), message)

    def _foreign(self) -> tuple[str, ...]:
        """Refuse, and return, the options of other types."""
        owners = {option: type_ for type_, kind in SINK_TYPES.items() for option in kind.rows}
        foreign = tuple(option for option in owners if option not in {*self.kind.rows, *self.kind.secrets})
        for option in self.entry:
            if option in foreign:
                own = self.entry["type"]
                self._wrong(option, f"{option} is an option of {owners[option]}, and the type of this sink is {own}")
        return foreign

    def _secret(self, name: str, known: Mapping[str, str]) -> str | None:
        """Return a secret; where nobody says what it is, that is a mistake, unless it is written down plainly."""
        ways = [way for way in (name, f"{name}_env", f"{name}_file") if way in self.kind.rows]
        given = [way for way in ways if way in self.entry]
        words = name.replace("_", " ")
        if not given and name not in self.entry:
            self._wrong("", f"{dotted(self.path)} has no {words}; write {' or '.join(ways)}")
        elif len(given) > 1:
            self._wrong(given[1], f"{given[0]} and {given[1]} are both given; keep one of them")
        elif given and given != [name] and given[0] in known and self.lookup is not None:
            found = self.lookup.table(self.path, known, name, "secret")
            if found is not None:
                self.tables.origins[(*self.path, name)] = found.origin
                return found.value
            unset = known[given[0]]
            self._wrong(
                given[0],
                f"{unset} is not set, so {dotted(self.path)} has no {words}; set {unset}, or {unset}_FILE to the "
                "path of a file that holds it",
            )
        return None
