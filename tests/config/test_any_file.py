"""Whatever stands in the file, and wherever: settings, or one error that names the place."""

from __future__ import annotations

import datetime as dt
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitors.config import FILE_NAME, Settings, describe, load
from monitors.config.document import read
from monitors.config.sinks import SINK_TYPES
from monitors.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

ANY = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
WORDS = sorted({part for row in describe() for part in row.name.split(".")} - {"SITE", "NAME", "CHECK"})
TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
NAMES = st.sampled_from([*WORDS, "US5", "us5.datadoghq.com", "run", "ops", "weekly"]) | TEXT
OFFSETS = st.integers(-23, 23).map(lambda hours: dt.timezone(dt.timedelta(hours=hours)))
LEAVES = (
    st.booleans()
    | st.integers()
    | st.floats()
    | TEXT
    | st.sampled_from(
        [
            *SINK_TYPES,
            "info",
            "breaking",
            "US5",
            "* * * * *",
            "0 0 30 2 *",
            "Europe/Berlin",
            "$title",
            "SECRET",
            "tls-*",
        ]
    )
    | st.dates()
    | st.times()
    | st.datetimes()
    | st.datetimes(timezones=OFFSETS)
)
TREES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4))
TABLES = st.dictionaries(NAMES, TREES | st.dictionaries(NAMES, TREES, max_size=4), max_size=5)
ROOTS = st.dictionaries(
    st.sampled_from(["sites", "checks", "watch", "incidents", "maintenance", "sinks", "store"]) | NAMES,
    TABLES | TREES,
    max_size=5,
)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def quoted(text: str) -> str:
    """Return a basic string of TOML, whose escapes are JSON's but for the one JSON does without."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def inline(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quoted(name)} = {inline(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(inline, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return str(value) if not math.isfinite(value) else repr(value)
    if isinstance(value, dt.datetime | dt.date | dt.time):
        return value.isoformat()
    return quoted(value) if isinstance(value, str) else str(value)


def written(tree: dict[str, object], path: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield the lines of a document, each table with a header of its own."""
    tables = {name: value for name, value in tree.items() if isinstance(value, dict) and len(path) < 3}
    for name, value in tree.items():
        if name not in tables:
            yield f"{quoted(name)} = {inline(value)}"
    for name, table in tables.items():
        here = (*path, name)
        yield f"[{'.'.join(map(quoted, here))}]"
        yield from written(table, here)


@ANY
@given(ROOTS)
def test_any_document_gives_settings_or_one_error_with_its_place(tree: dict[str, object]) -> None:
    Path(FILE_NAME).write_text("\n".join(written(tree)), "utf-8")
    try:
        loaded = load(None, {"SECRET": "value"}, [])
    except ConfigError as error:
        assert FILE_NAME in str(error)  # noqa: PT017 - either outcome is right, but never a third one
    else:
        assert isinstance(loaded, Settings)


@ANY
@given(st.binary(max_size=200))
def test_any_bytes_give_settings_or_one_error(raw: bytes) -> None:
    Path(FILE_NAME).write_bytes(raw)
    try:
        load(None, {}, [])
    except ConfigError as error:
        assert FILE_NAME in str(error)  # noqa: PT017 - likewise


@ANY
@given(
    st.lists(
        st.tuples(
            st.from_regex(r"[a-z]{1,4}", fullmatch=True),
            st.text(st.sampled_from(['"', "'", "\\", "\n", "#", "=", "[", "]", "a", "$", " "]), max_size=12),
            st.sampled_from(["basic", "literal", "many", "many-literal"]),
        ),
        unique_by=lambda row: row[0],
        max_size=6,
    )
)
def test_every_key_is_found_on_its_own_line_whatever_the_texts_between_hold(rows: list[tuple[str, str, str]]) -> None:
    lines, wanted = [], {}
    for name, text, style in rows:
        wanted[(name,)] = len("\n".join([*lines, ""]).split("\n")) if lines else 1
        lines.append(f"{name} = {in_style(text, style)}")
    path = Path("any.toml")
    path.write_text("\n".join(lines), "utf-8")
    document = read(path)
    assert document.values == {name: text for name, text, _ in rows}
    assert {key: document.line(key) for key in wanted} == wanted


def in_style(text: str, style: str) -> str:
    """Return a text as one of TOML's four kinds of strings, in the first kind where it does not fit."""
    if style == "many" and "\\" not in text and '"""' not in text and not text.endswith('"'):
        return f'"""\n{text}"""'
    if style == "many-literal" and "'''" not in text and not text.endswith("'"):
        return f"'''\n{text}'''"
    if style == "literal" and not set(text) & {"'", "\n"}:
        return f"'{text}'"
    return quoted(text)


@pytest.mark.parametrize(
    "text",
    ["x" * 2**20, "[" * 2**19, "\n".join(f"k{n} = 1" for n in range(80_000))],
    ids=["one-long-word", "brackets", "unknown-keys"],
)
def test_a_file_made_to_be_slow_is_refused_at_once(text: str) -> None:
    """The nearest key is not looked for a hundred thousand times, nor is any line read more than once."""
    Path(FILE_NAME).write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(None, {}, [])
    assert len(str(caught.value)) < 50_000
