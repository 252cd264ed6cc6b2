"""One signature for every sink, and the table that makes each from its settings."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable  # noqa: TC003 - a dataclass's fields are read when it is made
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import import_module
from typing import TYPE_CHECKING, Protocol

from monitors.config import forbidden
from monitors.config.sinks import ADDRESSES
from monitors.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitors.config.alerting import SinkSettings
    from monitors.incidents.model import Notice
    from monitors.notify.message import Message


class Sink(Protocol):
    """A place notices go to; one of the table is made by `build`."""

    @property
    def settings(self) -> SinkSettings:
        """What it was made from."""

    def send(self, message: Message, notice: Notice) -> None:
        """Deliver one notice; the same one may come again. Raises `SinkError` where it was not taken."""


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Around:
    """What sinks need of the world: the environment, standard output, and the time (UTC)."""

    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    write: Callable[[str], None] = _write
    now: Callable[[], datetime] = _now


SINKS: Mapping[str, str] = {
    "apprise": "monitors.notify.apprise_sink",
    "webhook": "monitors.notify.webhook",
    "github-issues": "monitors.notify.github_issues",
    "github-actions": "monitors.notify.github_actions",
    "datadog": "monitors.notify.datadog",
    "stdout": "monitors.notify.stdout",
}
"""The module of each type; its function `build` makes the sink. Imported when one is made: some bring much along."""


def build(settings: SinkSettings, around: Around | None = None) -> Sink:
    """Return the sink that settings describe; nothing is connected yet.

    Raises `ConfigError` for a type nobody knows, for an option that is missing or cannot be used, and for an address no
    sink may send to.
    """
    if settings.type not in SINKS:
        message = f"sinks.{settings.name}: type {settings.type!r} is none of {', '.join(SINKS)}"
        raise ConfigError(message)
    for name in ADDRESSES:
        address = settings.secrets.get(name) or settings.options.get(name)
        if address and (flaw := forbidden.flaw(address, settings.type)):
            message = f"sinks.{settings.name}: the {name} {flaw}"
            raise ConfigError(message)
    sink: Sink = import_module(SINKS[settings.type]).build(settings, around or Around())
    return sink


def secret(settings: SinkSettings, name: str) -> str:
    """Return a secret of a sink. Raises `ConfigError` where it is not given."""
    if given := settings.secrets.get(name):
        return given
    message = f"sinks.{settings.name}: a sink of type {settings.type} needs {name}_env or {name}_file"
    raise ConfigError(message)


def option(settings: SinkSettings, name: str) -> str:
    """Return an option of a sink. Raises `ConfigError` where it is not given."""
    if given := settings.options.get(name):
        return given
    message = f"sinks.{settings.name}: a sink of type {settings.type} needs {name}"
    raise ConfigError(message)
