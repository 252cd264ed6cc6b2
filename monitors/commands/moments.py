"""Times as a person writes them in an option."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    F = TypeVar("F", bound=Callable[..., Any])


class Moment(click.ParamType[datetime]):
    """A time in the past: a span back from now, a date, or a date and time, in UTC unless it says otherwise."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Read the option's text."""
        from monitors.incidents.spans import read_moment  # noqa: PLC0415 - only where a time is given

        if isinstance(value, datetime):
            return value
        try:
            return read_moment(str(value), datetime.now(UTC), ahead=False)
        except ValueError as error:
            self.fail(f"{str(value)!r} is neither a time nor {error}", param, ctx)
        except OverflowError:
            self.fail(f"{str(value)!r} is no time of the calendar", param, ctx)


def since_option(default: str) -> Callable[[F], F]:
    """Return the option `--since`."""
    return click.option(
        "--since",
        type=Moment(),
        default=default,
        show_default=True,
        metavar="TIME",
        help="From then on: 30m, 2h, 1d 12h, 2w ago, a date, or a date and time (UTC unless it says otherwise).",
    )


until_option = click.option(
    "--until", type=Moment(), metavar="TIME", help="Up to then, likewise, itself not included.  [default: now]"
)


def refuse_backwards(since: datetime, until: datetime | None) -> None:
    """Raise `UsageError` where a span ends before it begins."""
    if until is not None and until <= since:
        message = f"--until {until:%Y-%m-%d %H:%M} is not after --since {since:%Y-%m-%d %H:%M}"
        raise click.UsageError(message)
