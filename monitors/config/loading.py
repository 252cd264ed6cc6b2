"""From the file and the environment to settings, with every mistake listed at once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monitors.checks import CHECKS
from monitors.config import scheduled, sink_tables
from monitors.config.alerting import Maintenance, Retention, SinkSettings, Thresholds, WatchSettings
from monitors.config.document import Document, read
from monitors.config.lookup import Lookup
from monitors.config.mistakes import Mistakes
from monitors.config.readers import shown
from monitors.config.reading import Tables
from monitors.config.site import SiteSettings, SiteSources
from monitors.config.table import SITE, SITE_CHECK, TOP
from monitors.errors import ConfigError, UsageError
from monitors.model import Level
from monitors.sites import find_site, find_sites

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from monitors.sites import Site

FILE_NAME = "model-lab-monitor.toml"
FILE_VARIABLE = "MODEL_LAB_MONITOR_CONFIG"
_DEFAULT_SITE = "datadoghq.com"
_TABLES = ("sites", "checks", "watch", "incidents", "maintenance", "sinks", "store")
SECRETS = ("keys", "sinks", "store")
"""What `load` can be told not to look up."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The whole configuration; `path` is the file that was read, None where there was none.

    `store_url` is None where nobody says which store. `files` are the files read, the configuration's own first, and
    `origins` says where each value came from that is not the default, by its path. `warnings` are lines on what is no
    mistake and hardly meant: keys that the file says where to find, and that are not there. `sink_names` has the names
    of sinks that are mistaken too.
    """

    sites: tuple[SiteSettings, ...]
    timeout_s: float = 10.0
    certificate_warning_days: int = 14
    fail_on: Level = Level.BREAKING
    availability: Level = Level.BREAKING
    pause_s: float = 1.0
    path: Path | None = None
    confirm_count: int = 2
    confirm_window_s: float = 86_400.0
    compare_after: int = 3
    thresholds: Thresholds = field(default_factory=Thresholds)
    maintenance: tuple[Maintenance, ...] = ()
    sinks: tuple[SinkSettings, ...] = ()
    retention: Retention = field(default_factory=Retention)
    watch: WatchSettings = field(default_factory=WatchSettings)
    store_url: str | None = field(default=None, repr=False)
    files: tuple[Path, ...] = field(default=(), compare=False)
    origins: Mapping[tuple[str, ...], str] = field(default_factory=dict, compare=False, repr=False)
    warnings: tuple[str, ...] = field(default=(), compare=False)
    sink_names: frozenset[str] = field(default=frozenset(), compare=False)


def load(
    path: Path | None, environ: Mapping[str, str], site_names: Sequence[str], *, without: Collection[str] = ()
) -> Settings:
    """Return the settings for the named sites (none named, or `all`: all nine).

    `path` is the file the user named; else `$MODEL_LAB_MONITOR_CONFIG` counts, else `model-lab-monitor.toml` in the
    working directory if it is there. An empty environment variable counts as unset. `without` names what the caller
    has no use for, of `SECRETS`: the keys of sites, the secrets of sinks, the URL of the store are then not looked up,
    and nothing about them is a mistake but what the file itself says. Raises `UsageError` for an unknown site name and
    `ConfigError` with every mistake of the file and the environment.
    """
    chosen = find_sites(site_names)
    document = _document(path, environ)
    mistakes = Mistakes(document)
    loader = _Loader(Tables(document, mistakes), Lookup(document, environ, mistakes), frozenset(without))
    settings = loader.settings(chosen)
    if text := mistakes.text():
        raise ConfigError(text)
    return settings


def load_store(path: Path | None, environ: Mapping[str, str]) -> tuple[Settings, tuple[str, ...]]:
    """Return the settings of who only looks into the store, and the mistakes that do not keep them from that.

    What is mistaken beside `[store]` is as if it were not there, and no secret but the store's is looked up. Raises
    `ConfigError` as `load` does where the store itself is mistaken, or the file cannot be read at all.
    """
    document = _document(path, environ)
    of_store = Mistakes(document)
    loader = _Loader(Tables(document, of_store), Lookup(document, environ, of_store), frozenset())
    url, retention = loader.store()
    if len(of_store):
        return load(path, environ, (), without=("keys", "sinks")), ()
    others = Mistakes(document)
    loader = _Loader(Tables(document, others), Lookup(document, environ, others), frozenset(SECRETS))
    settings = loader.settings(find_sites(()))
    return replace(settings, store_url=url, retention=retention), tuple(others.listed())


def _document(path: Path | None, environ: Mapping[str, str]) -> Document:
    if path is not None:
        return read(path)
    if named := environ.get(FILE_VARIABLE):
        return read(Path(named), named_by=FILE_VARIABLE)
    default = Path(FILE_NAME)
    return read(default) if default.exists() else Document()


@dataclass(slots=True)
class _Loader:
    """One pass over file and environment."""

    tables: Tables
    lookup: Lookup
    without: frozenset[str]

    def settings(self, chosen: Sequence[Site]) -> Settings:
        document, values, origins = self.tables.document, self.tables.document.values, self.tables.origins
        known = self.tables.rows((), values, TOP, also=_TABLES)
        of_file = self._of_sites(values.get("sites", {}))
        intervals = {key: self._intervals(key, *of_file[key]) for key in of_file}
        home = self._home()
        sites, warnings = [], []
        for site in chosen:
            path, table = of_file.get(site.key, (("sites", site.key), {}))
            sources = SiteSources(site, site.key == home, table, path, self.lookup, "keys" not in self.without)
            sites.append(sources.settings())
            warnings += [sources.warning] if sources.warning else []
            origins |= {("sites", site.key, name): origin for name, origin in sources.origins.items()}
        url, retention = self.store()
        secrets_of_sinks = None if "sinks" in self.without else self.lookup
        return Settings(
            sites=tuple(sites),
            path=document.path,
            thresholds=scheduled.thresholds(self.tables, self._table("incidents"), known.get("confirm_count")),
            maintenance=tuple(scheduled.maintenance(self.tables, values.get("maintenance", {}))),
            sinks=tuple(sink_tables.sinks(self.tables, values.get("sinks", {}), secrets_of_sinks)),
            retention=retention,
            watch=scheduled.watch(self.tables, self._table("watch"), values.get("checks", {}), intervals),
            store_url=url,
            files=tuple(dict.fromkeys([*([document.path] if document.path else []), *self.lookup.files])),
            origins=origins,
            warnings=tuple(warnings),
            sink_names=frozenset(values["sinks"] if isinstance(values.get("sinks"), dict) else ()),
            **known,
        )

    def store(self) -> tuple[str | None, Retention]:
        """Return the store's URL, None where nobody says one, and how long it keeps what."""
        with_url = "store" not in self.without
        return scheduled.store(self.tables, self._table("store"), self.lookup, with_url=with_url)

    def _table(self, name: str) -> Mapping[str, Any]:
        return self.tables.table((name,), self.tables.document.values.get(name, {}))

    def _of_sites(self, values: Any) -> dict[str, tuple[tuple[str, ...], dict[str, Any]]]:
        """Return the checked table of each site by its key, with the path the file has it at."""
        found: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {}
        for name, table in self.tables.named(("sites",), values, "sites.US5"):
            path = ("sites", name)
            try:
                key = find_site(name).key
            except UsageError as error:
                self.tables.wrong(path, _said(name, error))
                self._unplaced(path, table)
                continue
            if not isinstance(table, dict):
                self.tables.wrong(path, f"sites.{name} must be a table like [sites.{key}]; it is {shown(table)}")
            elif key in found:
                self.tables.wrong(
                    path, f"sites.{name} is {key}, which another table already describes; keep one of them"
                )
                self._unplaced(path, table)
            else:
                known = self.tables.rows(path, table, SITE, also=("checks",), shown_as=("sites", key))
                found[key] = path, known | {"checks": table.get("checks", {})}
        return found

    def _unplaced(self, path: tuple[str, ...], table: Any) -> None:
        """Check a table of no site, or of one that has a table already: mistakes are told all at once."""
        if isinstance(table, dict):
            self.tables.rows(path, table, SITE, also=("checks",))
            scheduled.check_intervals(self.tables, (*path, "checks"), table.get("checks", {}), SITE_CHECK)

    def _intervals(self, key: str, path: tuple[str, ...], table: Mapping[str, Any]) -> dict[str, float]:
        """Return the intervals a site has of its own, by check."""
        shown_as = ("sites", key, "checks")
        found = dict.fromkeys(CHECKS, table["interval_s"]) if "interval_s" in table else {}
        return found | scheduled.check_intervals(
            self.tables, (*path, "checks"), table["checks"], SITE_CHECK, shown_as=shown_as
        )

    def _home(self) -> str | None:
        """Return the site that variables without a site in their name belong to; None if DD_SITE is wrong."""
        named = self.lookup.environ.get("DD_SITE") or _DEFAULT_SITE
        try:
            return find_site(named).key
        except UsageError as error:
            self.lookup.mistakes.add(f"DD_SITE: {_said(named, error, 'no site of that name; it is ')}")
            return None


def _said(name: str, error: UsageError, before: str = "unknown site ") -> str:
    """Return what is wrong with the name of a site; one that could be a key in the wrong place is not repeated."""
    return str(error) if shown(name) == repr(name) else f"{before}{shown(name)}"
