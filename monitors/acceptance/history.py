"""What the contract says beyond the vendor's page, and since when: data, and the page of the docs made of it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from datetime import date
from typing import TYPE_CHECKING, Any

from monitors.errors import UsageError
from monitors.report.markdown import code, escaped
from monitors.rules import RULES

if TYPE_CHECKING:
    from collections.abc import Sequence

DATA, PAGE = "schemas/history.json", "docs/contract-history.md"
"""Where the data and the page lie in a checkout."""

_HEAD = """# History of the contract

What [the contract](contract.md) says that the vendor's page, as it was when the contract was first written, does not:
an entry for each change, the oldest first. It is made from `schemas/history.json`, to which `model-lab-monitor propose`
adds ([how](accepting.md)); after a change by hand, make it anew:

```sh
python -m monitors.acceptance > docs/contract-history.md
```

| since | what | where | rule | first seen | sites | why |
|---|---|---|---|---|---|---|
"""


@dataclass(frozen=True, slots=True)
class Event:
    """One change of the contract. `date` is the day it was made, None for what was there from the start.

    `first_seen` is the day an answer first showed it, None where nobody knows; `sites` are those it was seen on.
    """

    date: str | None
    change: str
    location: str | None
    rule: str | None
    first_seen: str | None
    sites: tuple[str, ...]
    reason: str


_NAMES = {field.name for field in fields(Event)}
_DAYS = ("date", "first_seen")
_REQUIRED = ("change", "reason")


def read(text: str) -> list[Event]:
    """Return the events of the data's text; raises `UsageError` saying which entry is wrong, and how."""
    try:
        listed = json.loads(text)
    except ValueError as error:
        message = f"{DATA}: no JSON: {error}"
        raise UsageError(message) from error
    if not isinstance(listed, list):
        message = f"{DATA}: must be a list"
        raise UsageError(message)
    return [_event(raw, f"{DATA}: entry {number}") for number, raw in enumerate(listed, start=1)]


def _event(raw: Any, where: str) -> Event:
    if not isinstance(raw, dict) or raw.keys() != _NAMES:
        message = f"{where}: must be an object with {', '.join(sorted(_NAMES))} and nothing else"
        raise UsageError(message)
    for name, value in raw.items():
        if not _fits(name, value):
            wanted = "a day like 2026-12-31, or null" if name in _DAYS else "other than it is"
            message = f"{where}: {name} must be {wanted}"
            raise UsageError(message)
    return Event(**{**raw, "sites": tuple(raw["sites"])})


def _fits(name: str, value: Any) -> bool:
    if name == "sites":
        return isinstance(value, list) and all(isinstance(site, str) for site in value)
    if name in _REQUIRED:
        return isinstance(value, str) and bool(value)
    if name == "rule":
        return value is None or value in RULES
    return value is None or (isinstance(value, str) and (name not in _DAYS or _is_day(value)))


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def as_json(event: Event) -> dict[str, Any]:
    """Return one event as it stands in the data."""
    return {**asdict(event), "sites": list(event.sites)}


def page(events: Sequence[Event]) -> str:
    """Return the whole page."""
    return _HEAD + "".join(f"| {' | '.join(_cells(event))} |\n" for event in events)


def _cells(event: Event) -> list[str]:
    return [
        event.date or "the start",
        escaped(event.change),
        code(event.location) if event.location else "",
        code(event.rule) if event.rule else "",
        event.first_seen or "not known",
        escaped(", ".join(event.sites)),
        escaped(event.reason),
    ]
