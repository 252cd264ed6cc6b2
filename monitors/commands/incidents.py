"""`incidents`: what is open, what was, the life of one, and what people do about it."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from monitors.commands.options import site_option
from monitors.commands.output import layout, note, write_stdout
from monitors.commands.storing import store_option
from monitors.errors import UsageError
from monitors.exit_codes import FAIL_ON, ExitCode, exit_code, threshold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from monitors.config.alerting import Maintenance
    from monitors.incidents.model import Incident
    from monitors.store import Store

_FORMATS = ("table", "json", "markdown")
_STATES = ("open", "pending", "resolved", "all")


class _Span(click.ParamType[datetime]):
    """A span of time that lies ahead or back, or a time: `2h`, `1d 12h`, `2026-12-01`, `2026-12-01T08:00+01:00`."""

    name = "time"

    def __init__(self, *, ahead: bool) -> None:
        self.ahead = ahead

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Read the option's text."""
        from monitors.incidents.spans import read_moment  # noqa: PLC0415 - only where a time is given

        if isinstance(value, datetime):
            return value
        try:
            return read_moment(str(value), datetime.now(UTC), ahead=self.ahead).replace(microsecond=0)
        except ValueError as error:
            self.fail(f"{str(value)!r} is neither a time nor {error}", param, ctx)


_format_option = click.option(
    "--format", "format_", type=click.Choice(_FORMATS), default="table", show_default=True, help="How to print it."
)
_statuspage_option = click.option(
    "--statuspage", is_flag=True, help="Ask the vendor's status page what it says of the sites."
)
_by_option = click.option("--by", metavar="WHO", help="Who does it.  [default: git's user, else the login name]")


class _Listing(click.Group):
    """A group that lists where it is not told what else to do."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the word `list` before options that are the list's."""
        if not args or (args[0].startswith("-") and args[0] not in ctx.help_option_names):
            args = ["list", *args]
        return super().parse_args(ctx, args)


@click.group("incidents", cls=_Listing, short_help="List incidents; acknowledge, silence or resolve one.")
def command() -> None:
    """List incidents, show the life of one, and say what is done about it. Without a word more, list what is open."""


@command.command("list", short_help="List incidents.")
@click.option("--state", type=click.Choice(_STATES), default="open", show_default=True, help="Which to list.")
@site_option("Only those seen on these sites.")
@click.option("--since", type=_Span(ahead=False), metavar="TIME", help="Only those going on since then, e.g. 7d.")
@click.option("--limit", type=click.IntRange(1), default=200, show_default=True, help="At most so many, newest first.")
@click.option(
    "--fail-on",
    type=click.Choice(FAIL_ON),
    default="breaking",
    show_default=True,
    help="Lowest level of an open incident that makes the exit code 1, 3 or 4.",
)
@_statuspage_option
@_format_option
@store_option
def list_(
    *,
    state: str,
    sites: tuple[str, ...],
    since: datetime | None,
    limit: int,
    fail_on: str,
    statuspage: bool,
    format_: str,
    state_dir: Path | None,
    config: Path | None,
) -> int:
    """List incidents, those that are open first, the newest first.

    The exit code tells what is open, whatever is listed: 1 a broken contract or drift, 3 an unavailable site, 4 the
    monitor's own trouble. Only --site narrows it.
    """
    from monitors.commands import incident_found, incident_views  # noqa: PLC0415 - brings rich
    from monitors.sites import find_sites  # noqa: PLC0415 - likewise only needed here

    store, windows = _looked(state_dir, config)
    wanted = tuple(site.key for site in find_sites(sites)) if sites else ()
    found = incident_found.wanted(store, state=state, sites=wanted, since=since, limit=limit)
    found = incident_found.with_planned(found, windows, wanted)
    if statuspage:
        found = incident_found.with_known(found)
    if format_ == "json":
        write_stdout(incident_views.as_json(found))
    elif format_ == "markdown":
        write_stdout(incident_views.as_markdown(found))
    else:
        write_stdout(incident_views.as_table(found, layout(sys.stdout, os.environ)))
    return _code_of(found.all_open, fail_on)


def _code_of(incidents: Iterable[Incident], fail_on: str) -> ExitCode:
    from dataclasses import replace  # noqa: PLC0415 - only here

    from monitors.model import Kind  # noqa: PLC0415 - likewise

    level = threshold(fail_on)
    findings = [replace(entry.finding, level=entry.level) for entry in incidents]
    own = [finding for finding in findings if finding.kind is Kind.MONITOR]
    failed = level is not None and any(finding.level >= level for finding in own)
    return exit_code([finding for finding in findings if finding not in own], level, harness_failed=failed)


@command.command("show", short_help="Show the life of one incident.")
@click.argument("number", type=click.IntRange(1), metavar="ID")
@_statuspage_option
@_format_option
@store_option
def show(*, number: int, statuspage: bool, format_: str, state_dir: Path | None, config: Path | None) -> None:
    """Show the life of one incident: what it is, where it was seen since when, what happened, who was told."""
    from monitors.commands import incident_found, incident_life  # noqa: PLC0415 - brings rich

    store, windows = _looked(state_dir, config)
    found = None if store is None else incident_found.life_of(store, number)
    if found is None:
        raise _unknown(number)
    found = incident_found.life_with_planned(found, windows)
    if statuspage:
        found = incident_found.life_with_known(found)
    if format_ == "json":
        write_stdout(incident_life.as_json(found))
    elif format_ == "markdown":
        write_stdout(incident_life.as_markdown(found))
    else:
        write_stdout(incident_life.as_table(found, layout(sys.stdout, os.environ)))


@command.command("ack", short_help="Take an incident on: no more reminders.")
@click.argument("number", type=click.IntRange(1), metavar="ID")
@click.option("--reason", default="", metavar="TEXT", help="What is being done about it.")
@_by_option
@store_option
def ack(*, number: int, reason: str, by: str | None, state_dir: Path | None, config: Path | None) -> None:
    """Take an incident on: it is told once, and there are no more reminders. That it spreads or ends is still told."""
    from monitors.incidents import people  # noqa: PLC0415 - only here

    who, before = _who(by), list[str]()

    def change(book: Any, at: datetime) -> Any:
        before.append(people.who_has(people.open_incident(book, number)))
        return people.acknowledge(book, number, by=who, reason=_line(reason), at=at)

    _changed(state_dir, config, change, number)
    note(f"incident {number} is acknowledged by {who}{f'; before, by {before[-1]}' if before[-1] else ''}")


@command.command("resolve", short_help="End an incident by hand.")
@click.argument("number", type=click.IntRange(1), metavar="ID")
@click.option("--reason", default="", metavar="TEXT", help="Why it is over.")
@_by_option
@store_option
def resolve(*, number: int, reason: str, by: str | None, state_dir: Path | None, config: Path | None) -> None:
    """End an incident by hand. If its problem goes on, it opens anew as any problem does."""
    from monitors.incidents import people  # noqa: PLC0415 - only here

    who = _who(by)
    _changed(
        state_dir, config, lambda book, at: people.resolve(book, number, by=who, reason=_line(reason), at=at), number
    )
    note(f"incident {number} is resolved by {who}")


@command.command("silence", short_help="Tell nothing of some incidents for a while.")
@click.option("--incident", "number", type=click.IntRange(1), metavar="ID", help="Of this one.")
@click.option("--rule", default="", metavar="RULE", help="Of those with this rule; may end in *.")
@site_option("Of those seen on these sites and no others.")
@click.option(
    "--until", type=_Span(ahead=True), metavar="TIME", required=True, help="Until when, e.g. 2h or 2026-12-01."
)
@click.option("--reason", required=True, metavar="TEXT", help="Why.")
@_by_option
@store_option
def silence(
    *,
    number: int | None,
    rule: str,
    sites: tuple[str, ...],
    until: datetime,
    reason: str,
    by: str | None,
    state_dir: Path | None,
    config: Path | None,
) -> None:
    """Tell nothing of some incidents for a while. They are kept all the same, and what is still open then is told."""
    from monitors.incidents import people  # noqa: PLC0415 - only here
    from monitors.sites import find_sites  # noqa: PLC0415 - likewise

    who, wanted = _who(by), tuple(site.key for site in find_sites(sites)) if sites else ()
    _refuse_unknown(rule)
    made = []

    def change(book: Any, at: datetime) -> Any:
        decision, silence = people.silence(
            book, until=until, reason=_line(reason), by=who, at=at, incident=number, rule=rule, sites=wanted
        )
        made.append(silence)
        return decision

    _changed(state_dir, config, change, number)
    note(f"silence {made[-1].id} holds until {until:%Y-%m-%d %H:%M} UTC")


@command.command("unsilence", short_help="End a silence.")
@click.argument("number", type=click.IntRange(1), metavar="SILENCE")
@_by_option
@store_option
def unsilence(*, number: int, by: str | None, state_dir: Path | None, config: Path | None) -> None:
    """End a silence before its time: what is open is told."""
    from monitors.incidents import people  # noqa: PLC0415 - only here

    who = _who(by)
    _changed(state_dir, config, lambda book, at: people.unsilence(book, number, by=who, at=at))
    note(f"silence {number} is over")


def _looked(state_dir: Path | None, config: Path | None) -> tuple[Store | None, tuple[Maintenance, ...]]:
    """Return the store, None where nothing was kept, and the windows of maintenance that are configured."""
    from monitors.commands.storing import existing_store, is_named, settings_of  # noqa: PLC0415 - brings the database

    settings = settings_of(config, named=is_named(state_dir))
    return existing_store(state_dir, settings), settings.maintenance


def _changed(
    state_dir: Path | None, config: Path | None, change: Callable[[Any, datetime], Any], number: int | None = None
) -> None:
    """Do something to the book, in one transaction; `number` is the incident it is about, which has to exist."""
    store, _ = _looked(state_dir, config)
    if store is None:
        message = "nothing has been kept yet; `model-lab-monitor watch` begins"
        raise UsageError(message)
    if number is not None and store.incident(number) is None:
        raise _unknown(number)
    with store.writing() as tx:
        book = tx.book()
        decision = change(book, datetime.now(UTC))
        tx.put_book(book, decision.book, decision.events)


def _unknown(number: int) -> UsageError:
    return UsageError(f"there is no incident {number}; `incidents list --state all` lists them")


def _refuse_unknown(rule: str) -> None:
    """Refuse what the `rules` of a sink refuse too: a rule that is none, a beginning that no rule has."""
    from monitors.config.readers import rule_list  # noqa: PLC0415 - only here

    try:
        rule_list([rule] if rule else [])
    except ValueError as error:
        message = f"--rule: {error}"
        raise UsageError(message) from error


def _who(given: str | None) -> str:
    from monitors.commands.accept import who  # noqa: PLC0415 - asks git

    if found := _line(given or "") or _line(who()):
        return found
    message = "--by is missing: neither git nor this machine says who you are"
    raise UsageError(message)


def _line(text: str) -> str:
    return " ".join(text.split())
