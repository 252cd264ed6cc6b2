"""The page about notifications says what is sent, and what it shows works."""

from __future__ import annotations

import re
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import schemas
from monitors.config import load
from monitors.config.alerting import SinkSettings
from monitors.notify.backoff import GIVEN_UP_AFTER, SLOWEST_S, pause_s
from monitors.notify.message import message_of
from monitors.notify.sinks import SINKS, Around, build

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Loopback

    from monitors.incidents.model import Notice

PAGE = Path(__file__).parents[2] / "docs" / "notifications.md"
AT = datetime(2026, 11, 26, 10, 44, tzinfo=UTC)
_ROOTS = {"notice": ("of_incident", "$"), "incident": ("incident", "$.incident"), "digest": ("digest", "$.digest")}


def table(name: str) -> str:
    """Return one part of the schema as the page has it; what is told in another part is named only."""
    part, root = _ROOTS[name]
    rows = lines(schemas.document("notification")["$defs"][part], root, "")
    return "\n".join(["| location | type | meaning |", "|---|---|---|", *rows]) + "\n"


def lines(schema: dict[str, Any], location: str, shown: str) -> Iterator[str]:
    if "$ref" in schema:
        yield f"| `{location}` | object | As in the table of `{schema['$ref'].rpartition('/')[2]}`. |"
        return
    if shown:
        yield f"| `{location}` | {type_words(schema)} | {schema['description']} |"
    for name, child in schema.get("properties", {}).items():
        yield from lines(child, f"{location}.{name}", "yes")
    items = schema.get("items", {})
    if "$ref" in items or "properties" in items:
        yield from lines(items, f"{location}[*]", "")


def type_words(schema: dict[str, Any]) -> str:
    types = schema.get("type", "any JSON")
    words = [types] if isinstance(types, str) else list(types)
    words[0] = schema.get("format", words[0])
    named = [f"`{value}`" for value in schema.get("enum", []) if value]
    return " or ".join(words) + (f": {', '.join(named)}" if named else "")


def text() -> str:
    return PAGE.read_text("utf-8")


@pytest.mark.parametrize("name", _ROOTS)
def test_the_page_has_the_schema_s_tables(name: str) -> None:
    between = text().partition(f"<!-- {name}: begin -->\n")[2].partition(f"<!-- {name}: end -->")[0]
    assert between == table(name)


@pytest.mark.parametrize("block", re.findall(r"^```toml\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL))
def test_every_configuration_of_the_page_is_accepted(block: str, tmp_path: Path) -> None:
    path = tmp_path / "model-lab-monitor.toml"
    path.write_text(block, "utf-8")
    for name in re.findall(r'_file = "(.+)"', block):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("0123456789abcdef")
        (tmp_path / name).chmod(0o600)
    named = re.findall(r'_env = "(\w+)"', block)
    settings = load(path, dict.fromkeys(named, "json://example.test"), [], without=("keys",))
    assert len(settings.sinks) == len(tomllib.loads(block)["sinks"])
    for sink in settings.sinks:
        assert build(sink)


def test_every_type_of_sink_has_a_section() -> None:
    sections = text().partition("\n## Sinks\n")[2].partition("\n## ")[0]
    assert re.findall(r"^### ([a-z-]+)$", sections, re.MULTILINE) == list(SINKS)


def test_the_page_s_program_knows_what_we_sent_from_what_we_did_not(
    loopback: Loopback, notice: Callable[..., Notice]
) -> None:
    [program] = re.findall(r"^```python\n(.*?)^```", text(), re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(program, "docs/notifications.md", "exec"), names)  # noqa: S102 - a program of our own page
    settings = SinkSettings("ops", "webhook", options={"url": loopback.url}, secrets={"secret": "shared"})
    build(settings, Around(now=lambda: AT)).send(message_of(notice()), notice())
    [request] = loopback.requests
    is_genuine, now = names["is_genuine"], AT.timestamp() + 5
    assert is_genuine(b"shared", request.headers, request.body, now)
    assert not is_genuine(b"other", request.headers, request.body, now)
    assert not is_genuine(b"shared", request.headers, request.body + b" ", now)
    assert not is_genuine(b"shared", request.headers, request.body, now + 600)
    assert not is_genuine(b"shared", {}, request.body, now)
    for foreign in ("sha256=é", "\udcff", "日"):
        assert not is_genuine(b"shared", {**request.headers, "x-model-lab-signature": foreign}, request.body, now)
        assert not is_genuine(b"shared", {**request.headers, "x-model-lab-timestamp": foreign}, request.body, now)


def test_the_message_the_page_shows_is_what_people_get(notice: Callable[..., Notice]) -> None:
    message = message_of(notice("updated"))
    assert f"```text\n{message.title}\n\n{message.plain()}\n```" in text()


def test_the_page_says_how_long_we_try() -> None:
    words = " ".join(text().split())
    assert f"at least every {SLOWEST_S / 60:.0f} minutes" in words
    assert "within one to two seconds, after the next within two to four, then four to eight" in words
    for failures, (least, most) in enumerate([(1, 2), (2, 4), (4, 8)], start=1):
        assert (pause_s(failures, lambda: 0.0), pause_s(failures, lambda: 1.0)) == (least, most)
    assert f"**Given up** after {GIVEN_UP_AFTER.days} days" in words
