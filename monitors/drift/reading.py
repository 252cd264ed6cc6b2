"""Files of contracts read: JSON or YAML, parsed strictly enough to be compared, with plain words for what is wrong."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml

from monitors.drift.resolve import Home, dangling
from monitors.errors import UsageError

_MAX_BYTES = 64 * 2**20
_MAX_NODES = 2_000_000
_MAX_DIGITS = 4_300
_MAX_BITS = int(_MAX_DIGITS / math.log10(2))
_SUFFIXES = (".json", ".yaml", ".yml")


class _Yaml(yaml.SafeLoader):
    """YAML with the core types only: dates stay text, and `on` and `no` are no booleans."""


_CORE = {"tag:yaml.org,2002:int", "tag:yaml.org,2002:float", "tag:yaml.org,2002:null", "tag:yaml.org,2002:merge"}
_BOOLEAN = ("tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"))
_Yaml.yaml_implicit_resolvers = {
    first: [resolver for resolver in resolvers if resolver[0] in _CORE] + ([_BOOLEAN] if first in "tTfF" else [])
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read(path: Path) -> Any:
    """Return a JSON or YAML file as JSON values; raises `UsageError` with file and place for anything else."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            message = f"{path}: larger than {_MAX_BYTES >> 20} MiB; is this the right file?"
            raise UsageError(message)
        text = path.read_text("utf-8-sig")
    except OSError as error:
        message = f"{path}: cannot be read: {(error.strerror or str(error)).lower()}"
        raise UsageError(message) from error
    except UnicodeDecodeError as error:
        message = f"{path}: is not UTF-8 text"
        raise UsageError(message) from error
    try:
        return _parsed(path, text)
    except RecursionError as error:
        message = f"{path}: nests too deep to be read"
        raise UsageError(message) from error


def _parsed(path: Path, text: str) -> Any:
    if text.lstrip()[:1] in {"{", "["} or path.suffix.lower() == ".json":
        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            if path.suffix.lower() == ".json":
                message = f"{path}: not JSON: {error.msg.lower()} at line {error.lineno}, column {error.colno}"
                raise UsageError(message) from error
        except ValueError as error:  # Python reads no integer longer than that
            raise _endless(path) from error
    try:
        value = yaml.load(text, Loader=_Yaml)  # noqa: S506  # a SafeLoader with fewer types still
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark is not None else ""
        message = f"{path}: not YAML: {getattr(error, 'problem', None) or 'it does not parse'}{where}"
        raise UsageError(message) from error
    return _plain(path, value, [0])


def _plain(path: Path, value: Any, seen: list[int]) -> Any:
    """Turn YAML's keys into names; anchors that multiply, or hold themselves, are refused by the number of values."""
    seen[0] += 1
    if seen[0] > _MAX_NODES:
        message = f"{path}: its YAML anchors unfold to more than {_MAX_NODES:,} values"
        raise UsageError(message)
    if isinstance(value, dict):
        return {_name(key): _plain(path, child, seen) for key, child in value.items()}
    if isinstance(value, list):
        return [_plain(path, child, seen) for child in value]
    if isinstance(value, int) and value.bit_length() > _MAX_BITS:
        raise _endless(path)
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _endless(path: Path) -> UsageError:
    return UsageError(f"{path}: a number has more than {_MAX_DIGITS:,} digits; is this the right file?")


def _name(key: Any) -> str:
    if isinstance(key, bool):
        return str(key).lower()
    return "null" if key is None else str(key)


class Folder(Mapping[str, Home]):
    """The files references lead to, by `file:` address, read when first asked for; the network is never asked."""

    def __init__(self) -> None:
        """Start with nothing read."""
        self._read: dict[str, Home] = {}
        self._named: dict[str, Path] = {}

    def open(self, path: Path) -> Home:
        """Return a file as a document whose references are all good; raises `UsageError` for one that is not."""
        address = path.resolve().as_uri()
        self._named[address] = path
        home = self[address]
        waiting, checked = [address], set[str]()
        while waiting:
            here = waiting.pop()
            checked.add(here)
            lost = dangling(self[here])
            if lost:
                message = f"{self._path(here)}: the reference {lost[0]!r} leads nowhere; only local files are followed"
                raise UsageError(message)
            waiting.extend(other for other in self._read if other not in checked)
        return home

    def __getitem__(self, address: str) -> Home:
        """Return the document at an address, read once."""
        if address not in self._read:
            self._read[address] = Home(read(self._path(address)), address, self)
        return self._read[address]

    def __contains__(self, address: object) -> bool:
        """Tell whether there is a file of a known kind at an address."""
        if not isinstance(address, str) or not address.startswith("file:"):
            return False
        path = _path(address)
        return address in self._read or (path.suffix.lower() in _SUFFIXES and path.is_file())

    def _path(self, address: str) -> Path:
        """Return the file at an address, as the user named it if they did."""
        return self._named.get(address, _path(address))

    def __iter__(self) -> Iterator[str]:
        """Yield the addresses read so far."""
        return iter(self._read)

    def __len__(self) -> int:
        """Return how many files were read so far."""
        return len(self._read)


def _path(address: str) -> Path:
    return Path(unquote(urlsplit(address).path))
