"""The table of formats: bytes in, exchanges out, recognised by what the bytes say and not by the file's name."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from monitors.recordings import answer, cassette, har, jsontext, mockserver, yamlstream
from monitors.recordings.entry import LeftAside
from monitors.recordings.ours import left_aside

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from monitors.recordings.entry import Exchange


_JSON: tuple[
    tuple[Callable[[Any], bool], Callable[[Any, jsontext.Written], Iterator[Exchange | None]]],
    ...,
] = (
    (har.matches, lambda document, _: har.exchanges(document)),
    (cassette.matches, lambda document, _: cassette.exchanges(document)),
    (mockserver.matches, mockserver.exchanges),
    (answer.matches, answer.exchanges),
)
KNOWN = "JSON bodies, HAR, VCR cassettes (YAML or JSON), MockServer expectations"
"""What is read, for messages."""

_OURS = re.compile(rb"model.{1,6}lab.{1,6}api.{1,6}runs")
_JSON_START = re.compile(rb"(?:\xef\xbb\xbf)?[ \t\r\n]*[\[{]")
_RUN = re.compile(rb'"metric_summaries"\s*:|"type"\s*:\s*"runs"')
_ANSWER = re.compile(rb'"(?:data|errors)"\s*:')
_HEAD_BYTES = 4096


def mentions_us(data: bytes) -> bool:
    """Tell whether the bytes name the run's path anywhere, in any spelling a recorder may use."""
    return _OURS.search(data) is not None


def looks_like_a_body(data: bytes, *, any_answer: bool) -> bool:
    """Tell whether bytes that are no recording look like a run, or like any answer of the API."""
    if not _JSON_START.match(data):
        return False
    return _RUN.search(data) is not None or (any_answer and _ANSWER.search(data[:_HEAD_BYTES]) is not None)


def exchanges(data: bytes, source: str) -> Iterator[Exchange | LeftAside | None] | None:
    """Return the exchanges of a recording, or None where the bytes are none.

    An item is None where an entry cannot be read. Raises `BrokenError`, also while the iterator runs.
    """
    if answer.is_dump(data):
        return answer.dump(data)
    if _JSON_START.match(data):
        try:
            document = jsontext.document(data)
        except jsontext.NotJsonError:
            pass
        else:
            for matches, read in _JSON:
                if matches(document):
                    return read(document, jsontext.Written(data))
            return None
    if yamlstream.is_cassette(data):
        if not mentions_us(data):
            return _counted(data, source)
        return (cassette.exchange(item) for item in yamlstream.interactions(data))
    return None


def _counted(data: bytes, source: str) -> Iterator[LeftAside]:
    """Count the interactions of a cassette that cannot hold ours, which is far faster than parsing it."""
    kinds = Counter(place for pair in yamlstream.operations(data) if isinstance(place := left_aside(*pair), tuple))
    for (kind, reason), count in kinds.items():
        yield LeftAside(source, reason, count, kind, exact=False)
