"""Where the keys and the canary run of one site come from: its own variables, the general ones, then the file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from monitors.config.credentials import Credentials
from monitors.config.readers import run_id, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitors.config.lookup import Found, Lookup
    from monitors.sites import Site

_KINDS = {"api": "API", "app": "application"}


@dataclass(frozen=True, slots=True)
class SiteSettings:
    """What is known of one chosen site: its keys and its canary run, each None where nothing was said.

    `key_names` are the variables that hold its keys, as the file names them; empty for those everybody knows.
    """

    site: Site
    credentials: Credentials | None = None
    run_id: int | None = None
    key_names: tuple[str, ...] = ()


@dataclass(slots=True)
class SiteSources:
    """The places one site's settings come from; `home` is true for the site that `DD_SITE` names.

    `table` is the site's checked table of the file, `path` what the file calls it. Mistakes are noted, never raised;
    `origins` tells where each value came from, `warning` what is no mistake and hardly meant.
    """

    site: Site
    home: bool
    table: Mapping[str, Any]
    path: tuple[str, ...]
    lookup: Lookup
    with_keys: bool = True
    origins: dict[str, str] = field(default_factory=dict)
    warning: str = ""

    def settings(self) -> SiteSettings:
        """Return the settings, with None for whatever is missing or mistaken."""
        credentials = self._credentials() if self.with_keys else None
        return SiteSettings(self.site, credentials, self._run_id(), self._named())

    def _credentials(self) -> Credentials | None:
        keys = {kind: self._key(kind) for kind in _KINDS}
        missing = [kind for kind, key in keys.items() if key is None]
        if len(missing) == 1:
            # One that is there and unfit has been told already: whoever mends it is told of the other one then.
            if any(found.value for found in keys.values() if found):
                self._half(missing[0])
        elif missing:
            self._half_named()
            self._unset()
        for kind, found in keys.items():
            if found:
                self.origins[f"{kind}_key"] = found.origin
        api_key, app_key = keys["api"], keys["app"]
        if api_key and app_key and api_key.value and app_key.value:
            return Credentials(api_key.value, app_key.value)
        return None

    def _variables(self, name: str) -> list[str]:
        own = f"{name}_{self.site.env_suffix}"
        return [own, name] if self.home else [own]

    def _half(self, missing: str) -> None:
        """Note that one key is there and the other is not: at the line that speaks of it, in its words."""
        have = next(kind for kind in _KINDS if kind != missing)
        said = f"{self.site.key}: there is an {_KINDS[have]} key but no {_KINDS[missing]} key;"
        way, variable = f"{missing}_key_env", self.table.get(f"{missing}_key_env")
        instead = f"set {variable}"
        if not variable:
            variable = self._variables(f"DD_{missing.upper()}_KEY")[-1]
            by_file = f"{have}_key_file" in self.table
            way = f"{have}_key_{'file' if by_file else 'env'}"
            instead = f"give {missing}_key_file" if by_file else f"give {missing}_key_env"
            instead = f"{instead} too, or set {variable}" if way in self.table else f"set {variable}"
        if way in self.table:
            self.lookup.mistakes.wrong((*self.path, way), f"{said} {instead}, or give neither")
        else:
            self.lookup.mistakes.add(f"{said} {instead}, or give neither")

    def _half_named(self) -> None:
        """Refuse a file that says where one key is and never where the other: no environment makes that a pair."""
        named = {kind: [f"{kind}_key_{where}" for where in ("env", "file")] for kind in _KINDS}
        given = {kind: [name for name in names if self.table.get(name)] for kind, names in named.items()}
        missing = [kind for kind, names in given.items() if not names]
        if len(missing) == 1:
            have = next(name for names in given.values() for name in names)
            lacking = " nor ".join(named[missing[0]])
            self.lookup.mistakes.wrong(
                (*self.path, have),
                f"{self.site.key}: {have} is given, but neither {lacking}; give both keys, or neither",
            )

    def _unset(self) -> None:
        """Warn of variables the file names and nobody has set: another machine may have them, or they were lost."""
        if named := self._named():
            where = f"{self.lookup.document.place((*self.path, 'api_key_env'))}: {self.site.key}"
            self.warning = f"{where}: {' and '.join(named)} are not set, so no check that needs keys is made there"

    def _named(self) -> tuple[str, ...]:
        """Return the variables the file names for both keys, none where it does not."""
        named = [variable for kind in _KINDS if (variable := self.table.get(f"{kind}_key_env"))]
        return tuple(named) if len(named) == len(_KINDS) else ()

    def _key(self, kind: str) -> Found | None:
        """Return the key, None where nobody names one."""
        found = self.lookup.first(self._variables(f"DD_{kind.upper()}_KEY"))
        return found or self.lookup.table(self.path, self.table, f"{kind}_key")

    def _run_id(self) -> int | None:
        for variable in self._variables("MODEL_LAB_RUN_ID"):
            if text := self.lookup.environ.get(variable, "").strip():
                try:
                    found = run_id(text)
                except ValueError as error:
                    self.lookup.mistakes.add(f"{variable} must be {error}; it is {shown(text)}")
                    return None
                self.origins["run_id"] = f"environment {variable}"
                return found
        return self.table.get("run_id")
