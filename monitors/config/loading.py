"""From the file and the environment to settings, with every mistake listed at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monitors.config.document import Document, read
from monitors.config.site import SiteSettings, SiteSources
from monitors.config.table import SITE, TOP, shown
from monitors.errors import ConfigError, UsageError
from monitors.model import Level
from monitors.sites import find_site, find_sites

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from monitors.config.table import Row
    from monitors.sites import Site

FILE_NAME = "model-lab-monitor.toml"
FILE_VARIABLE = "MODEL_LAB_MONITOR_CONFIG"
_DEFAULT_SITE = "datadoghq.com"


@dataclass(frozen=True, slots=True)
class Settings:
    """The whole configuration; `path` is the file that was read, None where there was none."""

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


def load(path: Path | None, environ: Mapping[str, str], site_names: Sequence[str]) -> Settings:
    """Return the settings for the named sites (none named, or `all`: all nine).

    `path` is the file the user named; else `$MODEL_LAB_MONITOR_CONFIG` counts, else `model-lab-monitor.toml` in the
    working directory if it is there. An empty environment variable counts as unset. Raises `UsageError` for an unknown
    site name and `ConfigError` with every mistake of the file and the environment.
    """
    chosen = find_sites(site_names)
    loader = _Loader(_document(path, environ), environ)
    settings = loader.settings(chosen)
    if loader.mistakes:
        raise ConfigError(_listed(loader.mistakes))
    return settings


def _document(path: Path | None, environ: Mapping[str, str]) -> Document:
    if path is not None:
        return read(path)
    if named := environ.get(FILE_VARIABLE):
        return read(Path(named), named_by=FILE_VARIABLE)
    default = Path(FILE_NAME)
    return read(default) if default.exists() else Document()


def _listed(mistakes: Sequence[str]) -> str:
    if len(mistakes) == 1:
        return mistakes[0]
    return "\n  ".join([f"{len(mistakes)} mistakes in the configuration:", *mistakes])


def _hint(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else f". Known: {', '.join(known)}."


@dataclass(slots=True)
class _Loader:
    """One pass over file and environment; collects mistakes instead of stopping at the first."""

    document: Document
    environ: Mapping[str, str]
    mistakes: list[str] = field(default_factory=list)

    def settings(self, chosen: Sequence[Site]) -> Settings:
        values = self.document.values
        top = {name: value for name, value in values.items() if name != "sites"}
        known = self._table((), top, TOP, also=("sites",))
        tables = self._site_tables(values.get("sites", {}))
        home = self._home()
        sites = []
        for site in chosen:
            sources = SiteSources(site, site.key == home, tables.get(site.key, {}), self.document, self.environ)
            sites.append(sources.settings())
            self.mistakes += sources.mistakes
        return Settings(sites=tuple(sites), path=self.document.path, **known)

    def _wrong(self, path: tuple[str, ...], message: str) -> None:
        self.mistakes.append(f"{self.document.place(path)}: {message}")

    def _table(
        self,
        path: tuple[str, ...],
        values: Mapping[str, Any],
        rows: Mapping[str, Row],
        also: tuple[str, ...] = (),
    ) -> dict[str, Any]:
        """Return the table's values as the rows read them; anything else is a mistake."""
        known = {}
        for name, value in values.items():
            if name in {"api_key", "app_key"}:
                self._literal_key((*path, name))
            elif name not in rows:
                self._wrong((*path, name), f"unknown key {shown(name)}{_hint(name, [*rows, *also])}")
            else:
                try:
                    known[name] = rows[name].read(value)
                except ValueError as error:
                    self._wrong((*path, name), f"{name} must be {error}; it is {shown(value)}")
        return known

    def _literal_key(self, path: tuple[str, ...]) -> None:
        name = path[-1]
        self._wrong(
            path,
            f"{name}: a key is never written into this file; write {name}_env with the name of an environment "
            f"variable, or {name}_file with a path, and replace the key if the file was shared",
        )

    def _site_tables(self, values: Any) -> dict[str, dict[str, Any]]:
        """Return the checked table of each site by its key."""
        if not isinstance(values, dict):
            self._wrong(("sites",), f"sites must be tables like [sites.US5]; it is {shown(values)}")
            return {}
        tables: dict[str, dict[str, Any]] = {}
        for name, table in values.items():
            path = ("sites", name)
            try:
                key = find_site(name).key
            except UsageError as error:
                self._wrong(path, str(error))
                continue
            if not isinstance(table, dict):
                self._wrong(path, f"sites.{name} must be a table like [sites.{key}]; it is {shown(table)}")
            elif key in tables:
                self._wrong(path, f"sites.{name} is {key}, which another table already describes; keep one of them")
            else:
                tables[key] = self._table(path, table, SITE)
        return tables

    def _home(self) -> str | None:
        """Return the site that variables without a site in their name belong to; None if DD_SITE is wrong."""
        named = self.environ.get("DD_SITE") or _DEFAULT_SITE
        try:
            return find_site(named).key
        except UsageError as error:
            # A name that could be a key pasted into the wrong variable is not repeated.
            said = str(error) if shown(named) == repr(named) else f"no site of that name; it is {shown(named)}"
            self.mistakes.append(f"DD_SITE: {said}")
            return None
