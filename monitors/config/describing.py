"""Every setting as a user writes it, and the tables of docs/configuration.md made of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from monitors.config import table
from monitors.config.row import rows
from monitors.config.sinks import SINK, SINK_TYPES, STORE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from monitors.config.row import Row

ENVIRONMENT = rows(
    ("MODEL_LAB_MONITOR_CONFIG", "path", "`model-lab-monitor.toml` here", "The configuration file; `--config` wins."),
    (
        "DD_SITE",
        "a site: `us5.datadoghq.com`, `US5` or its API host",
        "`datadoghq.com`",
        "The site that the variables without a site in their name belong to.",
    ),
    ("DD_API_KEY", "key", "none", "The API key of the site `DD_SITE` names."),
    ("DD_APP_KEY", "key", "none", "The application key of the site `DD_SITE` names."),
    ("MODEL_LAB_RUN_ID", "integer", "none", "The canary run of the site `DD_SITE` names."),
    ("DD_API_KEY_SITE", "key", "none", "The API key of one site, e.g. `DD_API_KEY_US5`, `DD_API_KEY_US1_FED`."),
    ("DD_APP_KEY_SITE", "key", "none", "The application key of one site, e.g. `DD_APP_KEY_US5`."),
    ("MODEL_LAB_RUN_ID_SITE", "integer", "none", "The canary run of one site, e.g. `MODEL_LAB_RUN_ID_US5`."),
    (
        "…KEY_FILE, …KEY_SITE_FILE",
        "path",
        "none",
        "A key variable with `_FILE` at its end names a file that holds the key, e.g. `DD_APP_KEY_US5_FILE`.",
    ),
    (
        "MODEL_LAB_MONITOR_STORE_URL",
        "`sqlite:///PATH` or `postgresql://…`",
        "`store.url` of the file",
        "The store.",
    ),
    (
        "MODEL_LAB_MONITOR_STORE_URL_FILE",
        "path",
        "none",
        "A file that holds the URL of the store.",
    ),
)


def _prefixed(prefix: str, found: Mapping[str, Row], of: str = "") -> Iterable[Row]:
    return (replace(row, name=f"{prefix}.{row.name}", meaning=of + row.meaning) for row in found.values())


SECTIONS: Mapping[str, tuple[Row, ...]] = {
    "file": (*table.TOP.values(), *_prefixed("sites.SITE", table.SITE)),
    "watch": (
        *_prefixed("watch", table.WATCH),
        *_prefixed("checks.CHECK", table.CHECK),
        *_prefixed("sites.SITE.checks.CHECK", table.SITE_CHECK),
    ),
    "incidents": tuple(_prefixed("incidents", table.INCIDENTS)),
    "maintenance": tuple(_prefixed("maintenance.NAME", table.MAINTENANCE)),
    "sinks": (
        *_prefixed("sinks.NAME", SINK),
        *(row for name, kind in SINK_TYPES.items() for row in _prefixed("sinks.NAME", kind.rows, f"`{name}`: ")),
    ),
    "store": tuple(_prefixed("store", STORE)),
    "environment": tuple(ENVIRONMENT.values()),
}
"""Every setting, names as a user writes them (`sites.SITE.run_id`), by the section of the page that describes it."""


def describe() -> Iterator[Row]:
    """Yield every setting, the environment's last."""
    for found in SECTIONS.values():
        yield from found


def markdown(section: str) -> str:
    """Return the settings of one section as a Markdown table."""
    lines = ["| name | takes | default | meaning |", "|---|---|---|---|"]
    for row in SECTIONS[section]:
        names = ", ".join(f"`{name}`" for name in row.name.split(", "))
        lines.append(f"| {names} | {row.takes} | {row.default} | {row.meaning} |")
    return "\n".join(lines) + "\n"


def _homes() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for row in (row for section, rows_ in SECTIONS.items() if section != "environment" for row in rows_):
        table_name, _, name = row.name.rpartition(".")
        words = f"in [{table_name}]" if table_name else "above all tables"
        if words not in found.setdefault(name, []):
            found[name].append(words)
    return found


HOMES: Mapping[str, list[str]] = _homes()
"""The tables of the file that take a key, by the key, as an error names them."""
