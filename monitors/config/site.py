"""Where the keys and the canary run of one site come from: its own variables, the general ones, then the file."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monitors.config.credentials import KEY_FORM, Credentials, key_flaw
from monitors.config.table import run_id, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitors.config.document import Document
    from monitors.sites import Site

_MAX_KEY_BYTES = 4096
_KINDS = {"api": "API", "app": "application"}


@dataclass(frozen=True, slots=True)
class SiteSettings:
    """What is known of one chosen site: its keys and its canary run, each None where nothing was said."""

    site: Site
    credentials: Credentials | None = None
    run_id: int | None = None


@dataclass(slots=True)
class SiteSources:
    """The places one site's settings come from; `home` is true for the site that `DD_SITE` names.

    `table` is the site's checked table of the file. Mistakes are collected, never raised.
    """

    site: Site
    home: bool
    table: Mapping[str, Any]
    document: Document
    environ: Mapping[str, str]
    mistakes: list[str] = field(default_factory=list)

    def settings(self) -> SiteSettings:
        """Return the settings, with None for whatever is missing or mistaken."""
        keys = {kind: self._key(kind) for kind in _KINDS}
        missing = [kind for kind, key in keys.items() if key is None]
        if len(missing) == 1:
            self._half(missing[0])
        elif missing:
            self._half_named()
        api_key, app_key = keys["api"], keys["app"]
        credentials = Credentials(api_key, app_key) if api_key and app_key else None
        return SiteSettings(self.site, credentials, self._run_id())

    def _variables(self, name: str) -> list[str]:
        own = f"{name}_{self.site.env_suffix}"
        return [own, name] if self.home else [own]

    def _half(self, missing: str) -> None:
        have = next(words for kind, words in _KINDS.items() if kind != missing)
        variable = self.table.get(f"{missing}_key_env") or self._variables(f"DD_{missing.upper()}_KEY")[-1]
        self.mistakes.append(
            f"{self.site.key}: there is an {have} key but no {_KINDS[missing]} key; set {variable}, or give neither"
        )

    def _half_named(self) -> None:
        """Refuse a file that says where one key is and never where the other: no environment makes that a pair."""
        named = {kind: [f"{kind}_key_{where}" for where in ("env", "file")] for kind in _KINDS}
        given = {kind: [name for name in names if self.table.get(name)] for kind, names in named.items()}
        missing = [kind for kind, names in given.items() if not names]
        if len(missing) == 1:
            have = next(name for names in given.values() for name in names)
            place = self.document.place(("sites", self.site.key, have))
            lacking = " nor ".join(named[missing[0]])
            self.mistakes.append(
                f"{place}: {self.site.key}: {have} is given, but neither {lacking}; give both keys, or neither"
            )

    def _key(self, kind: str) -> str | None:
        """Return the key, None where nobody names one, or an empty text where the one named is unfit."""
        for variable in self._variables(f"DD_{kind.upper()}_KEY"):
            value, file = self.environ.get(variable), self.environ.get(f"{variable}_FILE")
            if value and file:
                return self._unfit(f"{variable} and {variable}_FILE are both set; unset one of them")
            if value:
                return self._fit(variable, value)
            if file:
                return self._from_file(f"{variable}_FILE", Path(file))
        return self._key_of_table(f"{kind}_key")

    def _key_of_table(self, name: str) -> str | None:
        variable, file = self.table.get(f"{name}_env"), self.table.get(f"{name}_file")
        if variable and file:
            place = self.document.place(("sites", self.site.key, f"{name}_file"))
            return self._unfit(f"{place}: {name}_env and {name}_file are both given; keep one of them")
        if variable:
            key = self.environ.get(variable)
            return self._fit(variable, key) if key else None
        if file and self.document.path:
            return self._from_file(f"{name}_file of {self.site.key}", self.document.path.parent / file)
        return None

    def _fit(self, origin: str, key: str) -> str:
        flaw = key_flaw(key)
        return self._unfit(f"{origin}: the key {flaw}; {KEY_FORM}") if flaw else key

    def _unfit(self, mistake: str) -> str:
        self.mistakes.append(mistake)
        return ""

    def _from_file(self, origin: str, path: Path) -> str:
        # A key pasted where a path belongs is not repeated.
        named = str(path) if shown(path.name) == repr(path.name) else shown(path.name)
        try:
            with path.open("rb") as stream:
                raw = stream.read(_MAX_KEY_BYTES + 1)
        except (OSError, ValueError) as error:
            reason = (getattr(error, "strerror", None) or str(error)).lower()
            return self._unfit(f"{origin}: cannot read {named}: {reason}")
        if len(raw) > _MAX_KEY_BYTES:
            return self._unfit(f"{origin}: {named} is larger than {_MAX_KEY_BYTES} bytes; it should hold one key")
        # Editors and `echo` end a file with a line end, which is no part of the key.
        return self._fit(origin, raw.decode("latin-1").rstrip("\r\n"))

    def _run_id(self) -> int | None:
        for variable in self._variables("MODEL_LAB_RUN_ID"):
            if text := self.environ.get(variable, "").strip():
                try:
                    return run_id(text)
                except ValueError as error:
                    self.mistakes.append(f"{variable} must be {error}; it is {shown(text)}")
                    return None
        return self.table.get("run_id")
