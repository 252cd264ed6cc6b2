"""Environment variables that look like ours but belong to no site, so that nobody reads them."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

from monitors.sites import SITES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_OURS = re.compile(r"(DD_API_KEY|DD_APP_KEY|MODEL_LAB_RUN_ID)_(\w{2,12}?)(_FILE)?")
# Programs of the vendor's read DD_API_KEY_SECRET_ARN and the like: only what has the form of a site is a slip.
_LIKE_A_SITE = re.compile(r"[A-Z]{2}_?\d{0,2}(_?FED)?|SITE", re.IGNORECASE)


def strays(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield a line on each variable that is set for a site that does not exist; values are never in it."""
    suffixes = [site.env_suffix for site in SITES.values()]
    for variable in sorted(environ):
        found = _OURS.fullmatch(variable)
        if found is None or not environ[variable] or found[2] in suffixes or not _LIKE_A_SITE.fullmatch(found[2]):
            continue
        near = get_close_matches(found[2].upper(), suffixes, n=1) or suffixes[:1]
        kept = f"{found[1]}_{near[0]}{found[3] or ''}"
        yield f"{variable} is not read: no site is called {found[2]}; did you mean {kept}?"
