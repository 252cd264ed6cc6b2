"""What a single request may choose with the header `Prefer` (RFC 7240): a table of preferences and its reader."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mock_site.answers import CODES
from mock_site.catalogue import NAMED_RUNS
from mock_site.drifts import DriftAt, parse_drift
from mock_site.mistakes import MockUsageError, seconds, unknown
from mock_site.scenarios import MAX_DELAY_S

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

_MAX_CHARS = 4_096
_ITEM = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*")+')

PREFERENCES: Mapping[str, tuple[str, str]] = {
    "code": ("code=STATUS", "This status in its documented form, whatever keys and id; 502 to 504 are the edge's."),
    "delay": ("delay=SECONDS", "The answer waits, 60 s at most."),
    "drift": ("drift=NAME[@LOCATION]", "The answer carries the drift; 400 where it does not apply to this run."),
    "fault": ("fault=NAME", "The wire fault happens to this answer or its connection."),
    "run": ("run=NAME", "The run asked for is of the kind of this named run."),
}
"""Every preference the mock knows: how it is written and what it does. Others are ignored, as RFC 7240 has it."""


@dataclass(frozen=True, slots=True)
class Preferences:
    """What one request chose; `written` are the choices as they go into `Preference-Applied`."""

    code: int | None = None
    delay_s: float = 0.0
    drift: DriftAt | None = None
    fault: str | None = None
    run: str | None = None
    written: tuple[str, ...] = ()


def parse_prefer(values: Iterable[str], faults: Collection[str] = ()) -> Preferences:
    """Read all `Prefer` headers of a request; of a preference given twice the first counts (RFC 7240, section 2).

    Raises `MockUsageError` for a value the mock does not know, with the ones it does.
    """
    chosen: dict[str, str] = {}
    for name, value in _items(", ".join(values)):
        if name in PREFERENCES:
            chosen.setdefault(name, value)
    drift, fault, run = chosen.get("drift"), chosen.get("fault"), chosen.get("run")
    if fault is not None and fault not in faults:
        raise unknown(fault, "fault", faults)
    if run is not None and run not in NAMED_RUNS:
        raise unknown(run, "run", NAMED_RUNS)
    return Preferences(
        code=_code(chosen["code"]) if "code" in chosen else None,
        delay_s=_delay_s(chosen.get("delay", "0")),
        drift=None if drift is None else parse_drift(drift),
        fault=fault,
        run=run,
        written=tuple(f'{name}="{value}"' if "@" in value else f"{name}={value}" for name, value in chosen.items()),
    )


def _items(header: str) -> Iterable[tuple[str, str]]:
    if len(header) > _MAX_CHARS:
        message = f"Prefer is longer than {_MAX_CHARS} characters."
        raise MockUsageError(message)
    for match in _ITEM.finditer(header):
        # Parameters after a semicolon belong to single preferences; none of ours has any.
        name, _, value = match[0].partition(";")[0].partition("=")
        yield name.strip().lower(), _unquoted(value.strip())


def _unquoted(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] == '"':
        return re.sub(r"\\(.)", r"\1", value[1:-1])
    return value


def _code(text: str) -> int:
    if text not in map(str, CODES):
        raise unknown(text, "code", map(str, CODES))
    return int(text)


def _delay_s(text: str) -> float:
    # More than the most is cut, not refused: whoever asks for an hour wants "long".
    return min(seconds("delay", text, lowest=0, highest=86_400), MAX_DELAY_S)
