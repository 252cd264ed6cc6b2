"""The regional sites, from the contract's own table."""

from __future__ import annotations

import json
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.resources import files
from typing import TYPE_CHECKING

from monitors.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True)
class Site:
    """One regional installation: its key (`US5`), `DD_SITE` parameter, API host, status page host and place."""

    key: str
    dd_site: str
    api_host: str
    status_host: str | None
    location: str
    on_reference_page: bool

    @property
    def env_suffix(self) -> str:
        """The key as it stands in names of environment variables: `US1-FED` → `US1_FED`."""
        return self.key.replace("-", "_")


def _load() -> dict[str, Site]:
    rows = json.loads(files("schemas").joinpath("sites.json").read_bytes())["sites"]
    return {
        row["key"]: Site(
            row["key"], row["dd_site"], row["api_host"], row["status_host"], row["location"], row["on_reference_page"]
        )
        for row in rows
    }


SITES: Mapping[str, Site] = _load()
"""The nine sites by key, in the order of schemas/sites.json."""


def find_site(name: str) -> Site:
    """Return the site called `name`: its key in any letter case, its `DD_SITE` parameter or its API host.

    Raises `UsageError` with the nearest known name.
    """
    wanted = name.strip().lower()
    for site in SITES.values():
        if wanted in {site.key.lower(), site.dd_site, site.api_host}:
            return site
    names = {site.key.lower(): site.key for site in SITES.values()} | {s.dd_site: s.dd_site for s in SITES.values()}
    near = get_close_matches(wanted, names, n=1)
    hint = f"; did you mean {names[near[0]]}?" if near else ""
    message = (
        f"unknown site {name!r}{hint} Known: {', '.join(SITES)}."
        if hint
        else (f"unknown site {name!r}. Known: {', '.join(SITES)}.")
    )
    raise UsageError(message)


def find_sites(names: Iterable[str]) -> list[Site]:
    """Return the sites called so, in the table's order, each once; `all`, or no name given, means every site.

    Raises `UsageError` for a name of no site, and for blanks where a name should be: a variable that is not set must
    not send requests everywhere.
    """
    given_names = list(names)
    wanted = [name for given in given_names for name in given.split(",") if name.strip()]
    if given_names and not wanted:
        message = f"no site is named in {given_names[0]!r}; write a site, or all"
        raise UsageError(message)
    if not given_names or any(name.strip().lower() == "all" for name in wanted):
        return list(SITES.values())
    found = {find_site(name).key for name in wanted}
    return [site for key, site in SITES.items() if key in found]
