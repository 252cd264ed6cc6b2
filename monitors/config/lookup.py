"""Secrets: never in the file, but in a variable, or in a file that a variable or the configuration names."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from monitors.config.credentials import key_flaw
from monitors.config.files import read_regular, why
from monitors.config.readers import shown
from monitors.config.reading import dotted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from monitors.config.document import Document
    from monitors.config.mistakes import Mistakes

_MAX_SECRET_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Found:
    """One secret and where it came from, in words; an empty one was there but is unfit, which is noted already."""

    value: str = field(repr=False)
    origin: str


@dataclass(slots=True)
class Lookup:
    """Looks secrets up; notes what is wrong with one, and every file it read."""

    document: Document
    environ: Mapping[str, str]
    mistakes: Mistakes
    files: list[Path] = field(default_factory=list)

    def first(self, variables: Iterable[str], what: str = "key") -> Found | None:
        """Return the secret of the first variable that is set, itself or with `_FILE` at its end."""
        return next((found for name in variables if (found := self.variable(name, what))), None)

    def variable(self, name: str, what: str = "key", named_by: str = "") -> Found | None:
        """Return the secret a variable holds, or the file that NAME_FILE names; None where neither is set."""
        value, file = self.environ.get(name), self.environ.get(f"{name}_FILE")
        by = f" (named by {named_by})" if named_by else ""
        if value and file:
            return self._unfit(f"{name} and {name}_FILE are both set; unset one of them")
        if value:
            return self._fit(name, value, what, f"environment {name}{by}")
        return self._file(f"{name}_FILE", Path(file), what, f"{name}_FILE") if file else None

    def table(self, path: tuple[str, ...], values: Mapping[str, str], name: str, what: str = "key") -> Found | None:
        """Return the secret that NAME_env or NAME_file of a table leads to; None where it leads nowhere."""
        variable, file = values.get(f"{name}_env"), values.get(f"{name}_file")
        if variable and file:
            self.mistakes.wrong((*path, f"{name}_file"), f"{name}_env and {name}_file are both given; keep one of them")
            return Found("", "")
        if variable:
            return self.variable(variable, what, self.document.place((*path, f"{name}_env")))
        if file and self.document.path:
            place = self.document.place((*path, f"{name}_file"))
            way = (*path, f"{name}_file")
            return self._file(f"{name}_file of {dotted(path[-1:])}", self.document.path.parent / file, what, place, way)
        return None

    def _fit(self, origin: str, value: str, what: str, words: str, way: tuple[str, ...] = ()) -> Found:
        flaw = key_flaw(value)
        form = f"a {what} is printable ASCII without spaces or line ends"
        return self._unfit(f"{origin}: the {what} {flaw}; {form}", way) if flaw else Found(value, words)

    def _unfit(self, mistake: str, way: tuple[str, ...] = ()) -> Found:
        """Note what is wrong, at the key of the file that leads there if one does."""
        if way:
            self.mistakes.wrong(way, mistake)
        else:
            self.mistakes.add(mistake)
        return Found("", "")

    def _file(self, origin: str, path: Path, what: str, named_by: str, way: tuple[str, ...] = ()) -> Found:
        # A key pasted where a path belongs is not repeated.
        named = str(path) if shown(path.name) == repr(path.name) else shown(path.name)
        self.files.append(path)
        try:
            raw = read_regular(path, _MAX_SECRET_BYTES + 1)
        except (OSError, ValueError) as error:
            return self._unfit(f"{origin}: cannot read {named}: {why(error)}", way)
        if len(raw) > _MAX_SECRET_BYTES:
            large = f"{named} is larger than {_MAX_SECRET_BYTES} bytes; it should hold one {what}"
            return self._unfit(f"{origin}: {large}", way)
        # Editors and `echo` end a file with a line end, which is no part of the key.
        value = raw.decode("latin-1").rstrip("\r\n")
        return self._fit(origin, value, what, f"file {named} (named by {named_by})", way)
