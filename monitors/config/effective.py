"""The values in force, as a person asks for them: each with its name, and where it came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from monitors.checks import CHECKS
from monitors.config import table, urls
from monitors.config.credentials import MASK
from monitors.config.sinks import SINK, SINK_TYPES, STORE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from monitors.config.alerting import Maintenance, SinkSettings
    from monitors.config.loading import Settings
    from monitors.config.site import SiteSettings
    from monitors.model import JSON

DEFAULT = "default"
_HOST = "the name of this machine"


@dataclass(frozen=True, slots=True)
class Effective:
    """One value: its name as the file would have it, and where it came from; a secret is masked already.

    The value is None where nobody says one and there is no default.
    """

    name: str
    value: JSON
    origin: str


def effective(settings: Settings, store: tuple[str | None, str] = (None, DEFAULT)) -> Iterator[Effective]:
    """Yield every value of the settings, in the order of docs/configuration.md.

    `store` is the URL of the store where the settings name none, and who says so.
    """
    shown = _Shown(settings)
    yield from shown.rows((), table.TOP, settings)
    for site in settings.sites:
        yield from shown.site(site)
    for check in CHECKS:
        yield shown.row(("checks", check, "interval_s"), settings.watch.intervals_s[check])
    for name in table.WATCH:
        if name == "vantage" and not settings.watch.vantage:
            yield Effective("watch.vantage", settings.watch.seen_from, _HOST)
        elif name != "interval_s":
            yield shown.row(("watch", name), getattr(settings.watch, name))
    yield from shown.rows(("incidents",), table.INCIDENTS, settings.thresholds)
    for window in settings.maintenance:
        yield from shown.window(window)
    for sink in settings.sinks:
        yield from shown.sink(sink)
    url = urls.masked(settings.store_url) if settings.store_url else None
    named = shown.row(("store", "url"), url, ("store", "url_env"), ("store", "url_file"))
    yield named if named.origin != DEFAULT else Effective(named.name, *store)
    yield from shown.rows(("store",), [name for name in STORE if not name.startswith("url")], settings.retention)


@dataclass(frozen=True, slots=True)
class _Shown:
    """The settings, with what it takes to show their parts."""

    settings: Settings

    def row(self, path: tuple[str, ...], value: Any, *or_else: tuple[str, ...]) -> Effective:
        found = (self.settings.origins[way] for way in (path, *or_else) if way in self.settings.origins)
        return Effective(".".join(path), _plain(value), next(found, DEFAULT))

    def rows(self, path: tuple[str, ...], names: Iterable[str], holder: object) -> Iterator[Effective]:
        return (self.row((*path, name), getattr(holder, name)) for name in names)

    def secret(self, path: tuple[str, ...], *, there: bool) -> Effective:
        """Show that a secret is there; where it is not, who names the place it should come from."""
        ways = ((*path[:-1], f"{path[-1]}{end}") for end in ("_env", "_file"))
        return self.row(path, MASK if there else None, *ways)

    def site(self, site: SiteSettings) -> Iterator[Effective]:
        path = ("sites", site.site.key)
        yield self.row((*path, "run_id"), site.run_id)
        for name in ("api_key", "app_key"):
            yield self.secret((*path, name), there=site.credentials is not None)
        for check in CHECKS:
            seconds = self.settings.watch.site_intervals_s.get((site.site.key, check))
            if seconds is not None:
                yield self.row((*path, "checks", check, "interval_s"), seconds, (*path, "interval_s"))

    def window(self, window: Maintenance) -> Iterator[Effective]:
        path = ("maintenance", window.name)
        once = {"cron", "duration_s", "timezone"} if window.start else {"start", "end"}
        yield from self.rows(path, [name for name in table.MAINTENANCE if name not in once], window)

    def sink(self, sink: SinkSettings) -> Iterator[Effective]:
        path = ("sinks", sink.name)
        kind = SINK_TYPES[sink.type]
        yield from self.rows(path, SINK, sink)
        for name in kind.secrets:
            if name not in sink.options:
                yield self.secret((*path, name), there=name in sink.secrets)
        for name in kind.rows:
            if name in sink.options:
                value = sink.options[name]
                yield self.row((*path, name), tuple(value.split(",")) if name == "labels" else value)


def _plain(value: Any) -> JSON:
    """Return a value as JSON has it: levels by their words, times in UTC, whole seconds without a fraction."""
    if isinstance(value, tuple):
        return [str(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if value is None or type(value) in {bool, int, float, str}:
        return value  # type: ignore[no-any-return]  # what type() says, mypy does not follow
    return value.isoformat().replace("+00:00", "Z") if hasattr(value, "isoformat") else str(value)
