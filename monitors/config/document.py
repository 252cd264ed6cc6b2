"""The TOML file as read: its values, and the line each one stands on."""

from __future__ import annotations

import ast
import re
import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from monitors.config.files import read_regular, why
from monitors.config.readers import shown
from monitors.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_MAX_BYTES = 2**20
_PART = r"""(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')"""
_DOTTED = rf"{_PART}(?:[ \t]*\.[ \t]*{_PART})*"
_HEADER = re.compile(rf"[ \t]*\[{{1,2}}[ \t]*({_DOTTED})[ \t]*\]")
# Up to the quotes that open a multi-line string; strings that end on their line, and comments, are passed over.
_OPENS = re.compile(
    r"""(?:[^"'#]|"(?!"")(?:\\.|[^"\\])*+"|""(?!")|'(?!'')[^']*+'|''(?!'))*+(\"{3}|'{3})""",
)
_ENDS = {
    '"' * 3: re.compile(r'(?:\\.|[^"\\]|"{1,2}(?!"))*+"{3,5}'),
    "'" * 3: re.compile(r"(?:[^']|'{1,2}(?!'))*+'{3,5}"),
}
_DEEPEST = 5
_FLAW = re.compile(r"(?P<what>.*) \((?:at line (?P<line>\d+), column (?P<column>\d+)|at end of document)\)", re.DOTALL)
_ENTRY = re.compile(rf"[ \t]*({_DOTTED})[ \t]*=")


@dataclass(frozen=True, slots=True)
class Document:
    """A configuration file; the empty one where there is none.

    `implied` are the lines on which tables begin without a line of their own: `sites.US5` of `[sites.US5.checks]`.
    """

    path: Path | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    lines: Mapping[tuple[str, ...], int] = field(default_factory=dict)
    implied: Mapping[tuple[str, ...], int] = field(default_factory=dict)

    def line(self, path: tuple[str, ...]) -> int:
        """Return the line of a key, or of the closest table around it, or 0 where that is not known."""
        if path not in self.lines and path in self.implied:
            return self.implied[path]
        return next((self.lines[path[:end]] for end in range(len(path), 0, -1) if path[:end] in self.lines), 0)

    def place(self, path: tuple[str, ...]) -> str:
        """Return `file:line` of a key, or of the closest table around it, or the file alone."""
        near = self.line(path)
        return f"{self.path}:{near}" if near else str(self.path)


def read(path: Path, named_by: str = "") -> Document:
    """Read a TOML file of at most 1 MiB; `named_by` says in the error who asked for it.

    Raises `ConfigError` for what is no regular file, cannot be read, or is not TOML.
    """
    origin = f" (named by {named_by})" if named_by else ""
    try:
        raw = read_regular(path, _MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        message = f"cannot read the configuration file {path}{origin}: {why(error)}"
        raise ConfigError(message) from error
    if len(raw) > _MAX_BYTES:
        message = f"{path}: larger than 1 MiB; this is no configuration file"
        raise ConfigError(message)
    try:
        text = raw.decode("utf-8-sig").replace("\r\n", "\n")
        lines = dict(_lines(text))
        return Document(path, tomllib.loads(text), lines, _implied(lines))
    except UnicodeDecodeError as error:
        message = f"{path}: not UTF-8 (byte {error.start}); TOML is always UTF-8"
    except tomllib.TOMLDecodeError as error:
        message = _not_toml(path, str(error))
    except ValueError:
        # Python refuses to read numbers of thousands of digits, and the library lets that through.
        message = f"{path}: not TOML that can be read: it holds a number of thousands of digits"
    except RecursionError:
        message = f"{path}: not TOML that can be read: it nests too deep"
    # The library's exceptions carry the whole text of the file, so none of them stays attached.
    raise ConfigError(message) from None


def _not_toml(path: Path, said: str) -> str:
    """Return what the library found, in the form of every other mistake: the place first, names as they are written."""
    found = _FLAW.fullmatch(said)
    if found is None:
        return f"{path}: not TOML: {said}"
    what = _as_header(found["what"][:1].lower() + found["what"][1:])
    if found["line"] is None:
        return f"{path}: not TOML: {what} at the end of the file"
    return f"{path}:{found['line']}: not TOML: {what} (column {found['column']})"


def _as_header(what: str) -> str:
    """Return the words with the name of a table, which the library gives as a tuple of Python's, as a header has it."""
    begin, end = what.find("("), what.rfind(")") + 1
    try:
        names = ast.literal_eval(what[begin:end])
    except (ValueError, SyntaxError):
        return what
    header = ".".join(map(_written, names[:_DEEPEST])) + ("…" if len(names) > _DEEPEST else "")
    return f"{what[:begin]}[{header}]{what[end:]}"


def _written(name: str) -> str:
    """Return a name as it stands in a header; one that could be a key is not repeated."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) and shown(name) == repr(name) else shown(name)


def _implied(lines: Mapping[tuple[str, ...], int]) -> dict[tuple[str, ...], int]:
    """Return where each table begins that only its inner tables tell of; none of ours is deeper than a few."""
    found: dict[tuple[str, ...], int] = {}
    for path, number in lines.items():
        for end in range(1, min(len(path), _DEEPEST)):
            found.setdefault(path[:end], number)
    return found


def _lines(text: str) -> Iterator[tuple[tuple[str, ...], int]]:
    """Yield each key's path and line.

    tomllib keeps no lines, so they are looked up by the start of each line that is not inside a multi-line string. A
    line inside a list could still be mistaken for a key, which misplaces a hint and nothing else.
    """
    table: tuple[str, ...] = ()
    inside = ""
    for number, line in enumerate(text.split("\n"), start=1):
        if not inside:
            if header := _HEADER.match(line):
                table = _parts(header[1])
                yield table, number
            elif entry := _ENTRY.match(line):
                yield (*table, *_parts(entry[1])), number
        inside = _still_inside(line, inside)


def _still_inside(line: str, inside: str) -> str:
    """Return the quotes of the multi-line string a line ends in, empty where it ends in none."""
    at = 0
    while True:
        if inside:
            end = _ENDS[inside].match(line, at)
            if end is None:
                return inside
            at, inside = end.end(), ""
        elif (opening := _OPENS.match(line, at)) is None:
            return ""
        else:
            at, inside = opening.end(), opening[1]


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in re.findall(_PART, dotted))
