"""Every setting as data: what the file may hold, which environment variables count, what each one takes.

The same rows check the file and make the tables of docs/configuration.md.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from monitors.checks import INT64_MAX
from monitors.model import JSON, Level

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

LEVELS: Mapping[str, Level] = {str(level): level for level in Level}
_LOOKS_SECRET = re.compile(r"(?=.*[0-9])[A-Za-z0-9_-]{24,}\Z")
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*\Z")
_SHOWN_CHARS = 60
_MAX_DAYS = 3650
_MAX_TIMES = 1000
_MAX_WINDOW_S = 3650 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Row:
    """One setting: where it is set (`file` or `environment`), its name, what it takes, its default, its meaning.

    `read` turns the file's value into the setting's and raises `ValueError` with the words after "must be".
    """

    where: str
    name: str
    takes: str
    default: str
    meaning: str
    read: Callable[[Any], Any] = str


def shown(value: JSON) -> str:
    """Return a value as an error may show it: short, on one line, and not at all where it could be a key."""
    if isinstance(value, str) and _LOOKS_SECRET.match(value):
        return f"({len(value)} characters, not shown in case they are a key)"
    if isinstance(value, dict | list):
        return "a table" if isinstance(value, dict) else "a list"
    text = repr(value) if not isinstance(value, bool) else str(value).lower()
    return text if len(text) <= _SHOWN_CHARS else text[:_SHOWN_CHARS] + "…"


def run_id(value: object) -> int:
    """Return a run id from a TOML integer or the text of an environment variable; `ValueError` says what fits."""
    number = int(value) if isinstance(value, str) and re.fullmatch(r"[0-9]{1,19}", value) else value
    if type(number) is not int or not 1 <= number <= INT64_MAX:
        message = f"an integer from 1 to {INT64_MAX} (int64)"
        raise ValueError(message)
    return number


def _file_run_id(value: object) -> int:
    if isinstance(value, str):
        message = f"an integer without quotes, from 1 to {INT64_MAX} (int64)"
        raise ValueError(message)  # noqa: TRY004 - every reader refuses by ValueError
    return run_id(value)


def _seconds(least: float, most: float) -> Callable[[object], float]:
    def read(value: object) -> float:
        if type(value) in {int, float} and isinstance(value, int | float) and least <= value <= most:
            return float(value)
        message = f"a number of seconds from {least} to {most}"
        raise ValueError(message)

    return read


def _days(value: object) -> int:
    if type(value) is int and 0 <= value <= _MAX_DAYS:
        return value
    message = f"a whole number of days from 0 to {_MAX_DAYS}"
    raise ValueError(message)


def _times(value: object) -> int:
    if type(value) is int and 1 <= value <= _MAX_TIMES:
        return value
    message = f"a whole number from 1 to {_MAX_TIMES}"
    raise ValueError(message)


def _level(*words: str) -> Callable[[object], Level]:
    def read(value: object) -> Level:
        if isinstance(value, str) and value in words:
            return LEVELS[value]
        message = "one of " + ", ".join(f'"{word}"' for word in words)
        raise ValueError(message)

    return read


def _variable(value: object) -> str:
    if isinstance(value, str) and _VARIABLE.match(value):
        return value
    message = "the name of an environment variable, in capitals like DD_API_KEY_US5"
    raise ValueError(message)


def _path(value: object) -> str:
    if isinstance(value, str) and value and "\0" not in value:
        return value
    message = "the path of a file that holds the key and nothing else"
    raise ValueError(message)


def _rows(where: str, *rows: tuple[str, str, str, str] | tuple[str, str, str, str, Callable[[Any], Any]]) -> list[Row]:
    return [Row(where, *row) for row in rows]


TOP = {
    row.name: row
    for row in _rows(
        "file",
        (
            "timeout_s",
            "seconds, 0.1 to 300",
            "`10`",
            "How long one probe may take from the name lookup to the last byte.",
            _seconds(0.1, 300),
        ),
        (
            "certificate_warning_days",
            f"days, 0 to {_MAX_DAYS}",
            "`14`",
            "A certificate that expires within so many days is a warning; 0 turns the warning off.",
            _days,
        ),
        (
            "fail_on",
            "`info`, `warning` or `breaking`",
            '`"breaking"`',
            "The lowest level that makes a command fail; `--fail-on` has the last word.",
            _level("info", "warning", "breaking"),
        ),
        (
            "availability",
            "`warning` or `breaking`",
            '`"breaking"`',
            "The level of a site that is unavailable. What is only a warning by its rule, like throttling, stays one.",
            _level("warning", "breaking"),
        ),
        (
            "pause_s",
            "seconds, 0 to 60",
            "`1`",
            "The least time between two requests of the contract tests to one real site.",
            _seconds(0, 60),
        ),
        (
            "confirm_count",
            f"integer, 1 to {_MAX_TIMES}",
            "`2`",
            "How often a site must show a drift that only memory tells before it is declared; 1 declares at once.",
            _times,
        ),
        (
            "confirm_window_s",
            f"seconds, 0 to {_MAX_WINDOW_S}",
            "`86400`",
            "The time within which that must be; in answers that follow each other it may take longer.",
            _seconds(0, _MAX_WINDOW_S),
        ),
        (
            "compare_after",
            f"integer, 1 to {_MAX_TIMES}",
            "`3`",
            "How many answers two sites must have given before they are compared.",
            _times,
        ),
    )
}
SITE = {
    row.name: row
    for row in _rows(
        "file",
        (
            "run_id",
            f"integer, 1 to {INT64_MAX}",
            "none",
            "The canary run of this site; best a finished one, as it never changes.",
            _file_run_id,
        ),
        (
            "api_key_env",
            "name in capitals",
            "none",
            "The environment variable that holds the API key of this site.",
            _variable,
        ),
        (
            "api_key_file",
            "path, relative to the configuration file",
            "none",
            "The file that holds the API key of this site.",
            _path,
        ),
        (
            "app_key_env",
            "name in capitals",
            "none",
            "The environment variable that holds the application key of this site.",
            _variable,
        ),
        (
            "app_key_file",
            "path, relative to the configuration file",
            "none",
            "The file that holds the application key of this site.",
            _path,
        ),
    )
}
ENVIRONMENT = _rows(
    "environment",
    ("MODEL_LAB_MONITOR_CONFIG", "path", "`model-lab-monitor.toml` here", "The configuration file; `--config` wins."),
    (
        "DD_SITE",
        "a site: `us5.datadoghq.com`, `US5` or its API host",
        "`datadoghq.com`",
        "The site that the variables without a site in their name belong to.",
    ),
    ("DD_API_KEY", "key", "none", "The API key of the site `DD_SITE` names."),
    ("DD_APP_KEY", "key", "none", "The application key of the site `DD_SITE` names."),
    ("MODEL_LAB_RUN_ID", "integer", "none", "The canary run of the site `DD_SITE` names."),
    ("DD_API_KEY_SITE", "key", "none", "The API key of one site, e.g. `DD_API_KEY_US5`, `DD_API_KEY_US1_FED`."),
    ("DD_APP_KEY_SITE", "key", "none", "The application key of one site, e.g. `DD_APP_KEY_US5`."),
    ("MODEL_LAB_RUN_ID_SITE", "integer", "none", "The canary run of one site, e.g. `MODEL_LAB_RUN_ID_US5`."),
    (
        "…KEY_FILE, …KEY_SITE_FILE",
        "path",
        "none",
        "A key variable with `_FILE` at its end names a file that holds the key, e.g. `DD_APP_KEY_US5_FILE`.",
    ),
)


def describe() -> Iterator[Row]:
    """Yield every setting, the file's first, names as a user writes them (`sites.SITE.run_id`)."""
    yield from TOP.values()
    for row in SITE.values():
        yield Row(row.where, f"sites.SITE.{row.name}", row.takes, row.default, row.meaning)
    yield from ENVIRONMENT


def markdown(where: str) -> str:
    """Return the settings of the `file` or the `environment` as a Markdown table."""
    lines = ["| name | takes | default | meaning |", "|---|---|---|---|"]
    for row in describe():
        if row.where == where:
            names = ", ".join(f"`{name}`" for name in row.name.split(", "))
            lines.append(f"| {names} | {row.takes} | {row.default} | {row.meaning} |")
    return "\n".join(lines) + "\n"
