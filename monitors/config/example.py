"""The file `config init` writes: every key with its meaning, its default commented out."""

from __future__ import annotations

import re
import textwrap
from dataclasses import replace
from typing import TYPE_CHECKING

from monitors.config import table
from monitors.config.sinks import SINK, SINK_TYPES, STORE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from monitors.config.row import Row

_WIDTH = 100
_HEAD = """\
# Configuration of model-lab-monitor. Every key stands here, commented out, with its default or an example; what it
# takes is described in docs/configuration.md. A line that begins with "#" and no blank is a setting: take away its
# "#", and that of the [table] it stands below. `model-lab-monitor config check` tells what is wrong,
# `model-lab-monitor config show` what is in force.
#
# No secret is ever written into this file: it names the environment variable or the file that holds one. Whatever
# variable it names, the same name with _FILE at its end may hold the path of a file instead.
"""


def example() -> str:
    """Return the text of the file."""
    return "\n".join([_HEAD, *_tables()]).rstrip() + "\n"


def _tables() -> Iterator[str]:
    yield from _table("", table.TOP)
    yield from _table("sites.US5", table.SITE, "One table for each site: US1, US3, US5, EU1, AP1, AP2, UK1, …")
    yield from _table("sites.US5.checks.run", table.SITE_CHECK)
    yield from _table("watch", table.WATCH, "How `model-lab-monitor watch` runs.")
    yield from _table("checks.run", table.CHECK, "Likewise not-found, bad-request and unauthenticated.")
    yield from _table("incidents", table.INCIDENTS, "What becomes an incident, and when it is over.")
    once = {name: table.MAINTENANCE[name] for name in ("start", "end")}
    again = {name: row for name, row in table.MAINTENANCE.items() if name not in once}
    words = "Windows in which nothing is alerted, by any name of small letters, digits and dashes."
    yield from _table("maintenance.weekly", again, words)
    yield from _table("maintenance.move", once, "A window that comes once.")
    for number, (type_, kind) in enumerate(SINK_TYPES.items()):
        common = dict(SINK) if number == 0 else {"type": replace(SINK["type"], meaning="")}
        rows = {**common, **kind.rows}
        words = "" if number else "Where notices go, by any name. The keys of the first sink are those of every sink."
        yield from _table(f"sinks.{_SINK_NAMES[type_]}", rows, words, {"type": f'"{type_}"'})
    yield from _table("store", STORE, "Where history, incidents and undelivered notices are kept, and for how long.")


_SINK_NAMES = {
    "apprise": "team",
    "webhook": "on-call",
    "github-issues": "issues",
    "github-actions": "run",
    "datadog": "datadog",
    "stdout": "console",
}


def _table(
    name: str, rows: Mapping[str, Row], words: str = "", values: Mapping[str, str] | None = None
) -> Iterator[str]:
    yield from _prose(words)
    if name:
        yield f"#[{name}]"
    for row in rows.values():
        yield from _prose(re.sub(r"\[([^]]+)\]\([^)]+\)", r"\1", row.meaning))
        yield f"#{row.name} = {(values or {}).get(row.name) or value_of(row)}"
    yield ""


def _prose(words: str) -> list[str]:
    return textwrap.wrap(words, _WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)


def value_of(row: Row) -> str:
    """Return the TOML value to show for a row: the default where that is a value, else an example."""
    default = re.fullmatch(r"`(.+)`", row.default)
    return row.example or (default[1] if default else '""')
