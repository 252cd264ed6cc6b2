"""The vendor's reference page as a value: operations with sites, parameters and responses."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import urlsplit

from monitors.errors import UsageError

if TYPE_CHECKING:
    from monitors.upstream.fields import Field


class PageError(UsageError):
    """The page cannot be read: its form changed, it is no such page, or it is about another operation."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One row of the table of sites: the site's name on the page, and method and URL of the endpoint there."""

    site: str
    method: str
    url: str
    line: int


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument of the request; `place` is `path`, `query`, `header` or `cookie`."""

    place: str
    field: Field


@dataclass(frozen=True, slots=True)
class Response:
    """One response: its status as written, and the fields of its body, None where the page shows no table."""

    status: str
    line: int
    description: str = ""
    fields: tuple[Field, ...] | None = None
    listed: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation as the page describes it. `problems` are what could not be read, as line and sentence."""

    title: str
    line: int
    endpoints: tuple[Endpoint, ...]
    preview: bool = False
    deprecated: bool = False
    parameters: tuple[Parameter, ...] = ()
    responses: tuple[Response, ...] = ()
    problems: tuple[tuple[int, str], ...] = ()

    @property
    def method(self) -> str:
        """The method most sites are listed with."""
        return Counter(endpoint.method for endpoint in self.endpoints).most_common(1)[0][0]

    @property
    def path(self) -> str:
        """The path most sites are listed with."""
        return Counter(path_of(endpoint.url) for endpoint in self.endpoints).most_common(1)[0][0]

    def readable(self) -> Operation:
        """Return the operation itself. Raises `PageError` with the first thing that could not be read."""
        if self.problems:
            line, text = min(self.problems)
            unreadable(text, line)
        return self


@dataclass(frozen=True, slots=True)
class Page:
    """A page: its operations in order."""

    operations: tuple[Operation, ...]


def unreadable(text: str, line: int | None = None) -> NoReturn:
    """Raise the error of a page that cannot be read, with the line where there is one."""
    where = f" (line {line})" if line is not None else ""
    message = f"cannot read the page: {text}{where}"
    raise PageError(message)


def path_of(url: str) -> str:
    """Return the path of a URL as written, braces and all."""
    try:
        return urlsplit(url).path or "/"
    except ValueError:
        return url
