"""What one value of the file may be: each reader turns a TOML value into a setting, or says what fits.

A reader raises `ValueError` with the words after "must be", or `UnfitError` with a whole clause of its own.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any

from monitors.checks import INT64_MAX
from monitors.config.mistakes import nearest
from monitors.errors import UsageError
from monitors.model import Level
from monitors.sites import find_site

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LEVELS: Mapping[str, Level] = {str(level): level for level in Level}
_LONG_WORD = re.compile(r"[A-Za-z0-9_-]{24,}")
_BARE_URL = re.compile(r"https?://[A-Za-z0-9.-]*/?")
_DIGIT = re.compile(r"[0-9]")
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*\Z")
_SHOWN_CHARS = 60
_MAX_INTEGER_BITS = 256
_MAX_NAMES = 500
_TOLD_OF_A_LIST = 20
_CRON_FIELDS, _CRON_CHARS = 5, 200


class UnfitError(ValueError):
    """A value no reader takes; each argument is a clause for after the key and a colon, and a mistake of its own."""

    args: tuple[str, ...]


def looks_secret(text: str) -> bool:
    """Say whether a text holds what could be a key: a long run of letters with digits among them."""
    return any(_DIGIT.search(word) for word in _LONG_WORD.findall(text))


def shown(value: Any) -> str:
    """Return a value as an error may show it: short, on one line, and not at all where it could be a key."""
    if isinstance(value, str) and (looks_secret(value) or ("://" in value and not _BARE_URL.fullmatch(value))):
        return f"({len(value)} characters, not shown in case they are a key)"
    if isinstance(value, dict | list):
        return "a table" if isinstance(value, dict) else "a list"
    if isinstance(value, date | time):
        return str(value)
    if isinstance(value, int) and value.bit_length() > _MAX_INTEGER_BITS:
        return f"an integer of {value.bit_length()} bits"
    text = repr(value) if not isinstance(value, bool) else str(value).lower()
    return text if len(text) <= _SHOWN_CHARS else text[:_SHOWN_CHARS] + "…"


def run_id(value: object) -> int:
    """Return a run id from a TOML integer or the text of an environment variable; `ValueError` says what fits."""
    number = int(value) if isinstance(value, str) and re.fullmatch(r"[0-9]{1,19}", value) else value
    if type(number) is not int or not 1 <= number <= INT64_MAX:
        message = f"an integer from 1 to {INT64_MAX} (int64)"
        raise ValueError(message)
    return number


def file_run_id(value: object) -> int:
    """Return a run id from a TOML integer alone."""
    if isinstance(value, str):
        message = f"an integer without quotes, from 1 to {INT64_MAX} (int64)"
        raise ValueError(message)  # noqa: TRY004 - every reader refuses by ValueError
    return run_id(value)


def number(least: float, most: float, what: str = "a number of seconds") -> Callable[[object], float]:
    """Return a reader of numbers within bounds."""

    def read(value: object) -> float:
        if type(value) in {int, float} and isinstance(value, int | float) and least <= value <= most:
            return float(value)
        message = f"{what} from {least} to {most}"
        raise ValueError(message)

    return read


def whole(least: int, most: int, what: str = "a whole number") -> Callable[[object], int]:
    """Return a reader of whole numbers within bounds."""

    def read(value: object) -> int:
        if type(value) is int and least <= value <= most:
            return value
        message = f"{what} from {least} to {most}"
        raise ValueError(message)

    return read


def word(*known: str) -> Callable[[object], str]:
    """Return a reader of one of the known words."""

    def read(value: object) -> str:
        if isinstance(value, str) and value in known:
            return value
        near = nearest(value, known) if isinstance(value, str) and not looks_secret(value) else ""
        message = f"{shown(value)} is none of {', '.join(known)}{near if near.startswith(';') else ''}"
        raise UnfitError(message)

    return read


def level(*words: str) -> Callable[[object], Level]:
    """Return a reader of levels by their words."""

    def read(value: object) -> Level:
        if isinstance(value, str) and value in words:
            return LEVELS[value]
        message = "one of " + ", ".join(f'"{word}"' for word in words)
        raise ValueError(message)

    return read


def boolean(value: object) -> bool:
    """Return true or false."""
    if isinstance(value, bool):
        return value
    message = "true or false"
    raise ValueError(message)


def variable(value: object) -> str:
    """Return the name of an environment variable."""
    if isinstance(value, str) and _VARIABLE.match(value):
        return value
    message = "the name of an environment variable, in capitals like DD_API_KEY_US5"
    raise ValueError(message)


def secret_path(what: str) -> Callable[[object], str]:
    """Return a reader of the path of a file that holds one secret."""

    def read(value: object) -> str:
        if isinstance(value, str) and value and "\0" not in value:
            return value
        message = f"the path of a file that holds the {what} and nothing else"
        raise ValueError(message)

    return read


def words(most: int) -> Callable[[object], str]:
    """Return a reader of a line of text of at most so many characters."""

    def read(value: object) -> str:
        if isinstance(value, str) and len(value) <= most and value.isprintable():
            return value
        quotes = "" if isinstance(value, str) else " in quotes"
        message = f"one line{quotes} of at most {most} characters"
        raise ValueError(message)

    return read


def site_list(value: object) -> tuple[str, ...]:
    """Return keys of sites, each once, from a list of names."""
    names = _names(value, 'a list of sites, like ["US5", "EU1"]')
    return _each(names, _site)


def site_name(value: object) -> str:
    """Return the key of one site."""
    if isinstance(value, str):
        return _site(value)
    message = 'a site like "US5"'
    raise ValueError(message)


def _each(names: list[str], read: Callable[[str], str]) -> tuple[str, ...]:
    """Return what each name is read as, each once; where some are wrong, all of them are told, up to a number."""
    found: list[str] = []
    clauses: list[str] = []
    for name in dict.fromkeys(names):
        try:
            found.append(read(name))
        except UnfitError as error:
            clauses += error.args
            if len(clauses) == _TOLD_OF_A_LIST:
                break
    if clauses:
        raise UnfitError(*clauses)
    return tuple(dict.fromkeys(found))


def _site(name: str) -> str:
    try:
        return find_site(name).key
    except UsageError as error:
        # A name that could be a key pasted into the wrong place is not repeated.
        said = str(error) if shown(name) == repr(name) else f"unknown site {shown(name)}"
        raise UnfitError(said) from error


def rule_list(value: object) -> tuple[str, ...]:
    """Return ids of rules, or their beginnings with a `*` at the end, that exist."""
    return _each(_names(value, 'a list of rules, like ["tls-*", "edge-answer"]'), _rule)


def _rule(name: str) -> str:
    from monitors.rules import RULES  # noqa: PLC0415 - only needed where rules are named

    listed = "; `model-lab-monitor rules` lists them"
    if name in RULES:
        return name
    if name.endswith("*"):
        if any(rule.startswith(name[:-1]) for rule in RULES):
            return name
        message = f"no rule begins with {shown(name[:-1])}{listed}"
    else:
        near = nearest(name, RULES)
        message = f"unknown rule {shown(name)}{near if near.startswith(';') else listed}"
    raise UnfitError(message)


def addresses(value: object) -> tuple[str, ...]:
    """Return `host:port` texts, each once."""
    return _each(_names(value, 'a list of host:port, like ["1.1.1.1:443"]'), _address)


def _address(name: str) -> str:
    host, _, port = name.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    fits = bare and (":" not in bare or bare != host) and not re.search(r"[\s/@\[\]]", bare) and bare.isprintable()
    if fits and re.fullmatch(r"[0-9]{1,5}", port) and 1 <= int(port) <= 65535:  # noqa: PLR2004 - 16 bits
        return name
    message = f"{shown(name)} is no host:port; write a host, a colon and a port from 1 to 65535"
    raise UnfitError(message)


def _names(value: object, what: str) -> list[str]:
    if isinstance(value, list) and len(value) <= _MAX_NAMES and all(isinstance(name, str) and name for name in value):
        return [str(name) for name in value]
    raise ValueError(what)


def cron(value: object) -> str:
    """Return a schedule of five fields that comes due at all."""
    what = 'five fields like "30 2 * * SUN": minute, hour, day of month, month, day of week'
    if not isinstance(value, str) or len(value.split()) != _CRON_FIELDS or len(value) > _CRON_CHARS:
        raise ValueError(what)
    from cronsim import CronSim, CronSimError  # noqa: PLC0415 - only needed where a schedule is given

    try:
        next(CronSim(value, datetime(2024, 1, 1, tzinfo=UTC)))
    except CronSimError as error:
        message = f"{str(error).lower()} in {shown(value)}; write {what}"
        raise UnfitError(message) from error
    except StopIteration as error:
        message = f"{shown(value)} never comes due; write {what}"
        raise UnfitError(message) from error
    return value


def cron_or_nothing(value: object) -> str:
    """Return a schedule as `cron` does, or the empty text, which means never."""
    return "" if value == "" else cron(value)


def zone(value: object) -> str:
    """Return the name of a time zone of the IANA database."""
    import zoneinfo  # noqa: PLC0415 - only needed where a zone is given

    what = 'a time zone like "Europe/Berlin"'
    if not isinstance(value, str):
        raise ValueError(what)  # noqa: TRY004 - every reader refuses by ValueError
    try:
        zoneinfo.ZoneInfo(value)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError) as error:
        near = nearest(value, sorted(name for name in zoneinfo.available_timezones() if "/" in name))
        hint = near if near.startswith(";") else f"; write {what}"
        message = f"unknown time zone {shown(value)}{hint}"
        raise UnfitError(message) from error
    return value


def moment(value: object) -> datetime:
    """Return a date-time with an offset, in UTC."""
    what = "a date-time with its offset and without quotes, like 2026-03-01T22:00:00+01:00"
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise ValueError(what)
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError(what) from None


def template(value: object) -> str:
    """Return a template whose names are all known."""
    if not isinstance(value, str):
        message = "a text with names like $title in it"
        raise ValueError(message)  # noqa: TRY004 - every reader refuses by ValueError
    from monitors.config.templates import flaws  # noqa: PLC0415 - only needed where a template is given

    if found := flaws(value):
        raise UnfitError(*found)
    return value
