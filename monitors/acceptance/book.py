"""The file of accepted findings: TOML that people review, edited as text so that their comments stay."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass, fields
from datetime import date
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from monitors.errors import UsageError
from monitors.model import Acceptance

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from monitors.acceptance.known import Known

FILE_NAME = "model-lab-accepted.toml"
"""The file that counts where it lies in the working directory."""

HEAD = "# Findings somebody looked at and lives with; written by `model-lab-monitor accept`, reviewed by people.\n"

_MAX_BYTES = 2**20
_SHORT = 0xFFFF
_HEADER = re.compile(r"[ \t]*\[\[[ \t]*accepted[ \t]*\]\][ \t]*(#.*)?$")
_FINGERPRINT = re.compile(r"[0-9a-f]{16}\Z")


@dataclass(frozen=True, slots=True)
class Entry:
    """One accepted finding; `sites` and `sources` are where it was seen when it was accepted, on the day `on`."""

    fingerprint: str
    rule: str
    location: str | None = None
    check: str | None = None
    sites: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    message: str | None = None
    reason: str = ""
    by: str = ""
    on: date | None = None
    expires: date | None = None

    @property
    def acceptance(self) -> Acceptance:
        """What a finding is marked with."""
        return Acceptance(self.reason, self.by, self.expires)

    @property
    def order(self) -> tuple[str, str, str, str]:
        """What entries are sorted by."""
        return self.rule, self.location or "", self.check or "", self.fingerprint

    def holds(self, today: date) -> bool:
        """Tell whether the entry still counts: its last day is a day it counts on."""
        return self.expires is None or today <= self.expires


def entry_of(known: Known, *, reason: str, by: str, on: date, expires: date | None) -> Entry:
    """Return the entry that accepts a problem."""
    return Entry(
        known.fingerprint, known.rule, known.location, known.check, known.sites, known.sources, known.message,
        reason, by, on, expires,
    )  # fmt: skip


def read(path: Path) -> tuple[str, tuple[Entry, ...]]:
    """Return text and entries of a file of at most 1 MiB.

    Raises `UsageError` for a file that cannot be read, is not TOML, or holds an entry that is none.
    """
    try:
        with path.open("rb") as stream:
            raw = stream.read(_MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        message = f"cannot read the accepted findings {path}: {reason.lower()}"
        raise UsageError(message) from error
    if len(raw) > _MAX_BYTES:
        message = f"{path}: larger than 1 MiB; this is no file of accepted findings"
        raise UsageError(message)
    try:
        text = raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        message = f"{path}: not UTF-8 (byte {error.start}); TOML is always UTF-8"
        raise UsageError(message) from error
    return text, parsed(text, str(path))


def parsed(text: str, name: str) -> tuple[Entry, ...]:
    """Return the entries of the file's text, in its order; raises `UsageError`, with `name` for the file."""
    try:
        values = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        message = f"{name}: not TOML: {error}"
        raise UsageError(message) from error
    listed = values.get("accepted", [])
    if values.keys() - {"accepted"} or not isinstance(listed, list):
        message = f"{name}: holds [[accepted]] tables and nothing else"
        raise UsageError(message)
    entries = tuple(_entry(raw, f"{name}: [[accepted]] {number}") for number, raw in enumerate(listed, start=1))
    seen: set[str] = set()
    for entry in entries:
        if entry.fingerprint in seen:
            message = f"{name}: {entry.fingerprint} stands there twice; keep one of them"
            raise UsageError(message)
        seen.add(entry.fingerprint)
    return entries


_NAMES = tuple(field.name for field in fields(Entry))
_REQUIRED = ("fingerprint", "rule", "reason", "by", "on")
_DAYS = ("on", "expires")
_LISTS = ("sites", "sources")


def _entry(raw: Any, where: str) -> Entry:
    if not isinstance(raw, dict):
        message = f"{where}: must be a table"
        raise UsageError(message)
    for name in raw:
        if name not in _NAMES:
            near = get_close_matches(name, _NAMES, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(_NAMES)}"
            message = f"{where}: unknown key {name!r}; {hint}"
            raise UsageError(message)
    for name in _REQUIRED:
        if raw.get(name) in {None, ""}:
            message = f"{where}: {name} is missing"
            raise UsageError(message)
    return Entry(**{name: _value(name, value, where) for name, value in raw.items()})


def _value(name: str, value: Any, where: str) -> Any:
    if name in _DAYS:
        if type(value) is date:
            return value
        wanted = "a date without quotes, e.g. 2026-12-31"
    elif name in _LISTS:
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        wanted = "a list of text"
    elif name == "fingerprint":
        if isinstance(value, str) and _FINGERPRINT.match(value):
            return value
        wanted = "16 hexadecimal digits in small letters, as reports have them"
    elif isinstance(value, str):
        return value
    else:
        wanted = "text"
    message = f"{where}: {name} must be {wanted}"
    raise UsageError(message)


def with_entries(text: str, added: Sequence[Entry], name: str) -> str:
    """Return the file's text with entries added where they belong, or in place of those of the same fingerprint.

    Whatever else stands in the file stays, comments and order too. Raises `UsageError` where the file is written in a
    way that cannot be edited as text (inline tables).
    """
    wanted = {entry.fingerprint: entry for entry in (*parsed(text, name), *added)}
    head, blocks = _blocks(text or HEAD)
    for entry in added:
        place = next((n for n, block in enumerate(blocks) if block.fingerprint == entry.fingerprint), None)
        if place is not None:
            blocks[place] = blocks[place].rewritten(entry)
            continue
        after = [n for n, block in enumerate(blocks) if block.order > entry.order]
        blocks.insert(after[0] if after else len(blocks), _Block.new(entry))
    made = "\n".join(part.strip("\n") + "\n" for part in (head, *(block.text for block in blocks)) if part.strip())
    if {entry.fingerprint: entry for entry in parsed(made, name)} != wanted:
        message = f"{name}: cannot be edited as text; write each entry as an [[accepted]] table of its own"
        raise UsageError(message)
    return made


@dataclass(frozen=True, slots=True)
class _Block:
    """The text of one entry, with the comments above its header."""

    text: str
    fingerprint: str
    order: tuple[str, str, str, str]

    @classmethod
    def new(cls, entry: Entry) -> _Block:
        return cls("[[accepted]]\n" + "".join(_lines(entry)), entry.fingerprint, entry.order)

    def rewritten(self, entry: Entry) -> _Block:
        lines = self.text.split("\n")
        header = next(number for number, line in enumerate(lines) if _HEADER.match(line))
        comments = [line for line in lines[header + 1 :] if line.lstrip().startswith("#")]
        kept = "\n".join([*lines[: header + 1], *comments]) + "\n"
        return _Block(kept + "".join(_lines(entry)), entry.fingerprint, entry.order)


def _blocks(text: str) -> tuple[str, list[_Block]]:
    """Return what stands above the first entry, and the entries, each with the comment right above it."""
    lines = text.split("\n")
    starts = [_with_comment(lines, number) for number, line in enumerate(lines) if _HEADER.match(line)]
    ends = [*starts[1:], len(lines)][: len(starts)]
    blocks = []
    for start, end in zip(starts, ends, strict=True):
        block = "\n".join(lines[start:end])
        try:
            [entry] = parsed(block, "")
        except (UsageError, ValueError):
            continue  # the check at the end finds that it is gone
        blocks.append(_Block(block, entry.fingerprint, entry.order))
    return "\n".join(lines[: starts[0]] if starts else lines), blocks


def _with_comment(lines: list[str], header: int) -> int:
    start = header
    while start > 0 and lines[start - 1].lstrip().startswith("#"):
        start -= 1
    # A comment at the very top speaks of the file unless a blank line sets it apart from the entry.
    return header if start == 0 else start


def _lines(entry: Entry) -> Iterator[str]:
    for name in _NAMES:
        value = getattr(entry, name)
        if value is None or value == ():
            continue
        yield f"{name} = {_toml(value)}\n"


def _toml(value: str | date | tuple[str, ...]) -> str:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    # JSON's strings are TOML's basic strings, but for what JSON spells as two halves.
    safe = value.encode("utf-8", "replace").decode("utf-8")
    return f'"{"".join(map(_spelled, json.dumps(safe, ensure_ascii=False)[1:-1]))}"'


def _spelled(character: str) -> str:
    if character.isprintable():
        return character
    number = ord(character)
    return f"\\u{number:04x}" if number <= _SHORT else f"\\U{number:08x}"
