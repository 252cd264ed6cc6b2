"""YAML cassettes: interactions one by one from the parser's events, no object ever constructed from a tag.

Reading events rather than loading the document keeps memory at one interaction, resolves no plain scalar into a
number or a date, executes nothing whatever the tags say, and gives every bomb a bound: nesting, nodes and anchors
are counted, and an alias is a reference, never a copy.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

from monitors.recordings.bodies import from_base64
from monitors.recordings.entry import BrokenError, UnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_DEPTH = 32
"""Deepest nesting of a cassette; the recorders write about eight levels."""

MAX_NODES = 500_000
"""Most nodes in one interaction."""

MAX_ANCHORS = 100_000
"""Most anchors in one cassette."""

MAX_DIRECTIVES = 100
"""Most directives (`%TAG …`) in one cassette, none of which a recorder writes: the parser compares each with all."""

_LISTS = ("interactions", "http_interactions")
_CASSETTE = re.compile(
    rb"^(?:\{[ \t\r\n]*)?[\"']?(?:http_)?interactions[\"']?[ \t]*:"
    rb"|^-[ \t]+(?:!\S+[ \t]*)?(?:\r?\n[ \t]+)?request[ \t]*:",
    re.MULTILINE,
)
_BINARY_TAGS = ("tag:yaml.org,2002:binary", "tag:yaml.org,2002:python/bytes", "!binary")
_NULLS = ("", "~", "null", "Null", "NULL")
_OPERATION = re.compile(
    rb"^[ \t-]*method[ \t]*:[ \t]*(?P<m1>\S+)[ \t]*\r?\n[ \t]*ur[il][ \t]*:[ \t]*(?P<u1>\S+)"
    rb"|^[ \t-]*ur[il][ \t]*:[ \t]*(?P<u2>\S+)[ \t]*\r?\n[ \t]*method[ \t]*:[ \t]*(?P<m2>\S+)",
    re.MULTILINE,
)
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def is_cassette(data: bytes) -> bool:
    """Tell whether the bytes have the outline of a YAML cassette: a list of interactions at the top."""
    return _CASSETTE.search(data) is not None


def operations(data: bytes) -> Iterator[tuple[str, str]]:
    """Yield method and URL of each interaction by its lines alone, without parsing: fast, and nearly exact."""
    for match in _OPERATION.finditer(data):
        method, url = match["m1"] or match["m2"], match["u1"] or match["u2"]
        yield method.decode("latin-1").strip("'\":").upper(), url.decode("latin-1").strip("'\"")


def interactions(data: bytes) -> Iterator[Any]:
    """Yield each interaction as dicts, lists, texts, bytes and None; raises `BrokenError` with line and column."""
    if data.count(b"\n%") > MAX_DIRECTIVES:
        message = f"more than {MAX_DIRECTIVES} directives"
        raise BrokenError(message)
    tree = _Tree()
    try:
        for event in yaml.parse(data, Loader=_LOADER):
            item = tree.feed(event)
            if item is not _NOTHING:
                yield item
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        said = error.problem or error.context
        if said == _TOO_DEEP:
            # Newer releases of libyaml read ahead, and give up at a depth of their own before the events show ours.
            said = f"nests deeper than {MAX_DEPTH} levels"
        message = f"{place}{said}"
        raise BrokenError(message) from None
    except yaml.reader.ReaderError as error:
        line = data.count(b"\n", 0, error.position) + 1
        message = f"line {line}: {error.reason}"
        raise BrokenError(message) from None


_TOO_DEEP = "exceeded maximum nesting depth"
_NOTHING = object()
_NO_KEY = object()
_ODD_KEY = object()
_DAMAGED = object()


class _Open:
    """A collection whose end has not come; `streams` marks the list of interactions."""

    __slots__ = ("key", "streams", "value")

    def __init__(self, value: dict[Any, Any] | list[Any], *, streams: bool) -> None:
        self.value = value
        self.key: Any = _NO_KEY
        self.streams = streams


class _Tree:
    """Grows values from events and gives each interaction away as soon as it is whole."""

    def __init__(self) -> None:
        self._open: list[_Open] = []
        self._anchors: dict[str, Any] = {}
        self._nodes = 0

    def feed(self, event: yaml.Event) -> Any:
        if isinstance(event, yaml.ScalarEvent):
            return self._place(self._remember(event, _scalar(event)))
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._anchors:
                message = f"{_line(event)}: the alias *{event.anchor} has no anchor"
                raise BrokenError(message)
            return self._place(self._anchors[event.anchor])
        if isinstance(event, yaml.CollectionStartEvent):
            self._begin(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            return self._end()
        elif isinstance(event, yaml.DocumentStartEvent):
            self._anchors.clear()
        return _NOTHING

    def _remember(self, event: yaml.NodeEvent, value: Any) -> Any:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            message = f"{_line(event)}: more than {MAX_NODES} nodes in one interaction"
            raise BrokenError(message)
        if event.anchor:
            self._anchors[event.anchor] = value
            if len(self._anchors) > MAX_ANCHORS:
                message = f"{_line(event)}: more than {MAX_ANCHORS} anchors"
                raise BrokenError(message)
        return value

    def _begin(self, event: yaml.CollectionStartEvent) -> None:
        if len(self._open) >= MAX_DEPTH:
            message = f"{_line(event)}: nests deeper than {MAX_DEPTH} levels"
            raise BrokenError(message)
        is_list = isinstance(event, yaml.SequenceStartEvent)
        value: dict[Any, Any] | list[Any] = [] if is_list else {}
        self._remember(event, value)
        streams = is_list and (
            not self._open or (len(self._open) == 1 and not self._open[0].streams and self._open[0].key in _LISTS)
        )
        if self._open and not self._open[-1].streams:
            self._place(value)
        self._open.append(_Open(value, streams=streams))

    def _end(self) -> Any:
        closed = self._open.pop()
        if self._open and self._open[-1].streams:
            return self._place(closed.value)
        return _NOTHING

    def _place(self, value: Any) -> Any:
        if not self._open:
            return _NOTHING
        parent = self._open[-1]
        if parent.streams:
            self._nodes = 0
            return value
        if isinstance(parent.value, list):
            parent.value.append(value)
        elif parent.key is _NO_KEY:
            parent.key = value if isinstance(value, str) else _ODD_KEY
        else:
            parent.value[parent.key] = value
            parent.key = _NO_KEY
        return _NOTHING


def _line(event: yaml.Event) -> str:
    return f"line {event.start_mark.line + 1}" if event.start_mark else "somewhere"


def _scalar(event: yaml.ScalarEvent) -> Any:
    if event.tag in _BINARY_TAGS:
        try:
            return from_base64(event.value)
        except UnreadableError:
            return _DAMAGED
    if event.implicit[0] and not event.style and event.value in _NULLS:
        return None
    return event.value
