"""The tables of fields, written down from the vendor's page and clients, and reports broken in every way they know."""

from __future__ import annotations

import copy
import csv
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HERE = Path(__file__).parent
WRONG_VALUES: dict[str, Any] = {
    "null": None,
    "boolean": True,
    "integer": 7,
    "number": 1.5,
    "string": "text",
    "array": [],
    "object": {},
}


class Field(NamedTuple):
    """One row of a table: `limits` holds `enum=a|b`, `minimum=0`, `pattern=…`, `closed`, joined by commas."""

    location: str
    type: str
    format: str
    presence: str
    null: str
    limits: str


@pytest.fixture(scope="session")
def fields() -> Callable[[str], list[Field]]:
    """Read the table of one schema."""

    def read(name: str) -> list[Field]:
        with HERE.joinpath("fields", f"{name}.tsv").open(encoding="utf-8", newline="") as file:
            return [Field(**row) for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]

    return read


@pytest.fixture(scope="session")
def reports() -> dict[str, Any]:
    """Reports as the commands print them, by the name of their file."""
    return {path.stem: json.loads(path.read_bytes()) for path in sorted(HERE.joinpath("reports").glob("*.json"))}


@pytest.fixture(scope="session")
def broken_reports(fields: Callable[[str], list[Field]], reports: dict[str, Any]) -> dict[str, Any]:
    """One report for each way to break each row of the report's table; the name says which."""
    return {name: report for field in fields("report") for name, report in _broken(reports["full"], field)}


def _broken(report: Any, field: Field) -> Iterator[tuple[str, Any]]:
    if field.presence == "required":
        yield f"{field.location} missing", _changed(report, field.location)
    for value in _wrong_values(field):
        yield f"{field.location} = {value!r}", _changed(report, field.location, value)
    if field.limits == "closed":
        yield f"{field.location} with a foreign member", _changed(report, f"{field.location}.foreign", 1)


def _wrong_values(field: Field) -> Iterator[Any]:
    allowed = {field.type, *(["null"] if field.null == "yes" else []), *(["integer"] if field.type == "number" else [])}
    if field.type != "any":
        yield from (value for name, value in WRONG_VALUES.items() if name not in allowed)
    if field.format == "date-time":
        yield "yesterday"
    for limit in field.limits.split(","):
        keyword, _, value = limit.partition("=")
        yield from _BEYOND.get(keyword, lambda _: [])(value)


_BEYOND: dict[str, Callable[[str], list[Any]]] = {
    "enum": lambda _: ["other"],
    "minimum": lambda value: [int(value) - 1],
    "maximum": lambda value: [int(value) + 1],
    "minItems": lambda value: [["x"] * (int(value) - 1)],
    "maxItems": lambda value: [["x"] * (int(value) + 1)],
    "pattern": lambda _: ["0123456789ABCDEF", "0123456789abcde", "0123456789abcdef0"],
}


def _changed(report: Any, location: str, *value: Any) -> Any:
    """Return the report with the first place of `location` set to the value, or taken away without one."""
    steps = [0 if step == "[*]" else step[1:] for step in re.findall(r"\[\*\]|\.[^.\[]+", location)]
    holder = {"root": copy.deepcopy(report)}
    node: Any = holder
    for step in ("root", *steps)[:-1]:
        node = node[step]
    last = ("root", *steps)[-1]
    if value:
        node[last] = value[0]
    else:
        del node[last]
    return holder["root"]
