"""The TOML file as read: its values, and the line each one stands on."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from monitors.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_MAX_BYTES = 2**20
_PART = r"""(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')"""
_DOTTED = rf"{_PART}(?:[ \t]*\.[ \t]*{_PART})*"
_HEADER = re.compile(rf"[ \t]*\[{{1,2}}[ \t]*({_DOTTED})[ \t]*\]")
_ENTRY = re.compile(rf"[ \t]*({_DOTTED})[ \t]*=")


@dataclass(frozen=True, slots=True)
class Document:
    """A configuration file; the empty one where there is none."""

    path: Path | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    lines: Mapping[tuple[str, ...], int] = field(default_factory=dict)

    def place(self, path: tuple[str, ...]) -> str:
        """Return `file:line` of a key, or of the closest table around it, or the file alone."""
        near = next((self.lines[path[:end]] for end in range(len(path), 0, -1) if path[:end] in self.lines), None)
        return f"{self.path}:{near}" if near else str(self.path)


def read(path: Path, named_by: str = "") -> Document:
    """Read a TOML file of at most 1 MiB; `named_by` says in the error who asked for it.

    Raises `ConfigError` for a file that cannot be read or is not TOML.
    """
    origin = f" (named by {named_by})" if named_by else ""
    try:
        with path.open("rb") as stream:
            raw = stream.read(_MAX_BYTES + 1)
    except OSError as error:
        message = f"cannot read the configuration file {path}{origin}: {(error.strerror or str(error)).lower()}"
        raise ConfigError(message) from error
    if len(raw) > _MAX_BYTES:
        message = f"{path}: larger than 1 MiB; this is no configuration file"
        raise ConfigError(message)
    try:
        text = raw.decode("utf-8-sig").replace("\r\n", "\n")
        return Document(path, tomllib.loads(text), dict(_lines(text)))
    except UnicodeDecodeError as error:
        message = f"{path}: not UTF-8 (byte {error.start}); TOML is always UTF-8"
    except tomllib.TOMLDecodeError as error:
        message = f"{path}: not TOML: {error}"
    except RecursionError:
        message = f"{path}: not TOML that can be read: it nests too deep"
    # The library's exceptions carry the whole text of the file, so none of them stays attached.
    raise ConfigError(message) from None


def _lines(text: str) -> Iterator[tuple[tuple[str, ...], int]]:
    """Yield each key's path and line.

    tomllib keeps no lines, so they are looked up by the start of each line. A line inside a multi-line string could
    be mistaken for a key, which misplaces a hint and nothing else.
    """
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.split("\n"), start=1):
        if header := _HEADER.match(line):
            table = _parts(header[1])
            yield table, number
        elif entry := _ENTRY.match(line):
            yield (*table, *_parts(entry[1])), number


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in re.findall(_PART, dotted))
