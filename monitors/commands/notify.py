"""`notify`: test the sinks, send a digest, see what is still to be delivered."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from monitors.commands.options import config_option, names_option
from monitors.commands.output import note, row_layout, write_stdout
from monitors.commands.storing import existing_store, is_named, settings_of, store_option
from monitors.errors import UsageError
from monitors.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path

    from monitors.config import Settings
    from monitors.config.alerting import SinkSettings
    from monitors.incidents.model import Notice
    from monitors.notify.errors import SinkError
    from monitors.store import OutboxRow, Store

_FORMATS = ("table", "json")


def _sink_option(help_text: str) -> Callable[[Any], Any]:
    return names_option("--sink", "names", metavar="SINK[,SINK…]", help=help_text)


def _span(_context: click.Context, _parameter: click.Parameter, given: str) -> timedelta:
    from monitors.incidents.spans import read_span  # noqa: PLC0415 - not for --help

    try:
        span = read_span(given)
    except ValueError as error:
        message = f"{given!r} is not {error}"
        raise click.BadParameter(message) from error
    if not span:
        message = f"{given!r} is no time at all"
        raise click.BadParameter(message)
    return span


@click.group("notify", short_help="Test the sinks, send a digest, see what waits.")
def command() -> None:
    """Test the sinks, send a digest, see what waits.

    Sinks are the places notices go to: [sinks.NAME] of the configuration file.
    """


@command.command("test", short_help="Send a test to each sink, now.")
@_sink_option("Only these sinks.")
@config_option
def test(names: tuple[str, ...], config: Path | None) -> int:
    """Send a test to each sink, now, and say which took it.

    The exit code is 4 where one did not.
    """
    from monitors.notify.composing import trial  # noqa: PLC0415 - likewise

    settings = _settings(config, without=("keys", "store"))
    at, vantage = datetime.now(UTC), settings.watch.seen_from
    sinks = _chosen(settings.sinks, names)
    return _send([(sink, trial(sink.name, at=at, vantage=vantage)) for sink in sinks])[0]


@command.command("digest", short_help="Send a digest to the sinks that take any, now.")
@click.option(
    "--since",
    default="1d",
    show_default=True,
    metavar="SPAN",
    callback=_span,
    help="How far it goes back: 12h, 1d, 1w.",
)
@_sink_option("Only these sinks, whether they take digests or not.")
@click.option("--print", "print_only", is_flag=True, help="Print it, and send nothing.")
@store_option
def digest(
    since: timedelta, names: tuple[str, ...], *, print_only: bool, config: Path | None, state_dir: Path | None
) -> int:
    """Send a digest to the sinks that take any, now: what is open, what began and ended, how available each site was.

    What a sink does not take waits in the store, and `watch` tries again; the exit code is 4 then.
    """
    from dataclasses import replace  # noqa: PLC0415 - likewise

    from monitors.notify.composing import digest as composed  # noqa: PLC0415
    from monitors.notify.composing import digest_notices  # noqa: PLC0415

    settings = settings_of(config, named=is_named(state_dir)) if print_only else _settings(config)
    sinks = [] if print_only else _takers(settings, names)
    at = datetime.now(UTC)
    store = existing_store(state_dir, settings)
    if store is None:
        message = "there is nothing to tell of yet: no store; `watch` makes it"
        raise UsageError(message)
    with store:
        said = composed(store, at - since, at)
        installation, vantage = store.book().installation, settings.watch.seen_from
        if print_only:
            write_stdout(_digest_text(said, at, installation, vantage))
            return ExitCode.OK
        notices = digest_notices(
            said,
            [replace(sink, digest=True) for sink in sinks],
            at=at,
            installation=installation,
            vantage=vantage,
        )
        code, refused = _send(list(zip(sinks, notices, strict=True)))
        if refused:
            _keep(store, refused, at)
            note("what was not taken waits in the store: `watch` tries it again")
    return code


@command.command("list", short_help="List what is still to be delivered.")
@click.option(
    "--format", "format_", type=click.Choice(_FORMATS), default="table", show_default=True, help="How to print it."
)
@store_option
def list_(*, format_: str, config: Path | None, state_dir: Path | None) -> None:
    """List what is still to be delivered: to which sink, how often it was tried, and what went wrong last."""
    settings = settings_of(config, named=is_named(state_dir))
    store = existing_store(state_dir, settings)
    rows: list[OutboxRow] = []
    if store is not None:
        with store:
            rows = store.undelivered()
    known = settings.sink_names
    if format_ == "json":
        from monitors.report.text import dumps  # noqa: PLC0415 - likewise

        write_stdout(dumps([_as_json(row, known) for row in rows], indent=2) + "\n")
    elif not rows:
        write_stdout("nothing waits to be delivered\n")
    else:
        from monitors.report.tables import lined_up  # noqa: PLC0415 - brings rich

        head = ("sink", "notice", "since", "tries", "next", "what went wrong")
        now = datetime.now(UTC)
        write_stdout(lined_up(head, [_as_row(row, known, now) for row in rows], row_layout(sys.stdout, os.environ)))


def _keep(store: Store, refused: Mapping[str, tuple[Notice, str]], at: datetime) -> None:
    """Put into the outbox what a sink did not take, with the reason."""
    with store.writing() as writing:
        writing.queue([notice for notice, _ in refused.values()])
    for row in store.undelivered():
        if row.notice.key in refused:
            store.mark_failed(row.id, at, refused[row.notice.key][1], at)


def _settings(config: Path | None, without: tuple[str, ...] = ("keys",)) -> Settings:
    from monitors.config import load  # noqa: PLC0415 - likewise

    return load(config, os.environ, (), without=without)


def _chosen(sinks: Sequence[SinkSettings], names: tuple[str, ...]) -> list[SinkSettings]:
    """Return the sinks named, all where none is. Raises `UsageError` where there is none, or none of a name."""
    if not sinks:
        message = "no sink is configured; add a table [sinks.NAME] to the configuration file (docs/notifications.md)"
        raise UsageError(message)
    wanted = [name for given in names for word in given.split(",") if (name := word.strip())]
    known = {sink.name: sink for sink in sinks}
    for name in wanted:
        if name not in known:
            from difflib import get_close_matches  # noqa: PLC0415 - only for a mistake

            near = get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"configured are {', '.join(known)}"
            message = f"there is no sink {name!r}; {hint}"
            raise UsageError(message)
    return [sink for sink in sinks if not wanted or sink.name in wanted]


def _takers(settings: Settings, names: tuple[str, ...]) -> list[SinkSettings]:
    chosen = _chosen(settings.sinks, names)
    takers = chosen if names else [sink for sink in chosen if sink.digest]
    if not takers:
        message = "no sink takes digests; write `digest = true` in its table, or name one with --sink"
        raise UsageError(message)
    return takers


def _send(pairs: Sequence[tuple[SinkSettings, Notice]]) -> tuple[ExitCode, dict[str, tuple[Notice, str]]]:
    """Send each notice to its sink, all at once, and print how each went; return the exit code and what was refused."""
    from monitors.notify.attempts import start  # noqa: PLC0415 - likewise
    from monitors.notify.message import message_of  # noqa: PLC0415
    from monitors.notify.sinks import build  # noqa: PLC0415

    # All of them are built before anything is sent: a mistake in one is told first.
    sinks = [(build(settings), notice) for settings, notice in pairs]
    going = []
    for sink, notice in sinks:
        message = message_of(notice, sink.settings)
        going.append(start(partial(sink.send, message, notice), notice.sink))
    width = max(len(settings.name) for settings, _ in pairs)
    refused: dict[str, tuple[Notice, str]] = {}
    for (settings, notice), running in zip(pairs, going, strict=True):
        outcome = running.wait(settings.timeout_s)
        error: SinkError | str | None = (
            f"did not take it within {settings.timeout_s:g} s" if outcome is None else outcome.error
        )
        if error is not None:
            refused[notice.key] = (notice, str(error))
        write_stdout(f"{settings.name:{width}}  {'delivered' if error is None else f'FAILED: {error}'}\n")
    return (ExitCode.HARNESS if refused else ExitCode.OK), refused


def _digest_text(said: Any, at: datetime, installation: str, vantage: str) -> str:
    from monitors.config.alerting import SinkSettings  # noqa: PLC0415 - likewise
    from monitors.notify.composing import digest_notices  # noqa: PLC0415
    from monitors.notify.message import message_of  # noqa: PLC0415

    printed = SinkSettings("stdout", "stdout", digest=True)
    [notice] = digest_notices(said, [printed], at=at, installation=installation, vantage=vantage)
    message = message_of(notice)
    return "\n".join((message.title, *message.plain().split("\n"))) + "\n"


def _as_json(row: OutboxRow, known: Collection[str]) -> Any:
    from monitors.report.text import utc  # noqa: PLC0415 - likewise

    return {
        "sink": row.notice.sink,
        "configured": row.notice.sink in known,
        "incident": row.notice.incident or None,
        "kind": str(row.notice.kind),
        "key": row.notice.key,
        "at": utc(row.notice.at),
        "attempts": row.attempts,
        "first_failed": utc(row.first_failed),
        "next_at": utc(row.next_at),
        "error": row.error,
    }


def _as_row(row: OutboxRow, known: Collection[str], now: datetime) -> tuple[str, ...]:
    from monitors.incidents.spans import span  # noqa: PLC0415 - likewise
    from monitors.notify.wording import clock  # noqa: PLC0415

    notice = row.notice
    what = f"incident {notice.incident} {notice.kind}" if notice.incident else str(notice.kind)
    due = "now" if row.next_at is None or row.next_at <= now else f"in {span(row.next_at - now)}"
    trouble = row.error or ("not tried yet" if notice.sink in known else "")
    if notice.sink not in known:
        due, trouble = "-", f"no such sink is configured any more{f'; {trouble}' if trouble else ''}"
    return notice.sink, what, clock(notice.at), str(row.attempts), due, trouble
