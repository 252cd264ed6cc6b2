"""What no sink may send, and where to, however it is spelled: the endpoint that is watched, the sites' API hosts."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING
from urllib.parse import unquote

from monitors.sites import SITES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitors.sites import Site

WATCHED_PATH = "/api/v2/model-lab-api"
"""The endpoint that is watched: its DELETE deletes a run."""

METHODS = frozenset({"GET", "POST", "PATCH"})
"""What a sink may send. The endpoint watched has a DELETE that deletes the run: no sink ever needs one."""

_WATCHED = WATCHED_PATH.strip("/").split("/")
# No address is quoted more often; one that is, is made to hide something.
_MAX_QUOTING = 16
_AUTHORITY = re.compile(r"\A[a-z0-9+.-]*:?[/\\]{2}[^/\\?#]*", re.IGNORECASE)
_HOSTS = {site.api_host: site for site in SITES.values()}
# A host is named where no longer name goes on around it; a dot at its end is part of the name's long form.
_NAMED = re.compile(rf"(?<![a-z0-9.-])({'|'.join(map(re.escape, _HOSTS))})(?!-|[a-z0-9]|\.[a-z0-9])")
# Services of apprise whose method the address chooses; that delete where it says so; that are sent to by PUT.
_ANY_METHOD = re.compile(r"(?:json|xml|form)s?://")
_DELETING = re.compile(r"(?:opsgenie|jira)://")
_PUTTING = re.compile(r"matrixs?://")
_MATRIX_HOOKS = ("hookshot", "matrix", "slack", "t2bot")
_PAIR = re.compile(r"[?&;]([^?&;=]+)=([^?&;]*)")


def is_watched(address: str) -> bool:
    """Tell whether the path of the endpoint watched stands in an address, below whatever prefix.

    Percent-encoding, letter case, doubled slashes, dot segments and parameters of segments make no difference. The bare
    word `model-lab-api` is nothing: repositories, hooks and channels may be called so.
    """
    path, _, query = _AUTHORITY.sub("", address.partition("#")[0]).partition("?")
    plain = [_undone(text) for text in (address, path, query)]
    if None in plain:
        return True
    # As a server sees it that splits the address before it decodes it; and as one that decodes it first.
    whole, *parts = (text or "" for text in plain)
    parts += re.split(r"[?#&=]", _AUTHORITY.sub("", whole))
    return any(_leads_there(text) for text in parts)


def site_named(address: str) -> Site | None:
    """Return the site whose API host stands in an address, in any of its parts; None for none."""
    text = _undone(address)
    if text is None:
        return None
    found = _NAMED.search(text.replace("\u3002", ".").lower())
    return _HOSTS[found[1]] if found else None


def flaw(address: str, type_: str) -> str | None:
    """Return why a sink of a type may not send to an address, as the end of `the address …`; None where it may.

    Nothing of the address is repeated but the name of a site's API host.
    """
    if is_watched(address):
        return (
            f"leads to {WATCHED_PATH}, the endpoint that is watched, which no sink sends anything to; write that of "
            "the service that takes your notices"
        )
    site = site_named(address)
    if site is None:
        return _method_flaw(address) if type_ == "apprise" else None
    if type_ != "datadog":
        return (
            f"names {site.api_host}, the API of {site.key}, which only a datadog sink sends to; write that of the "
            'service that takes your notices, or type = "datadog"'
        )
    if _AUTHORITY.sub("", address).strip("/"):
        return f"goes on behind {site.api_host}, where only three paths are posted to; write https://{site.api_host}"
    return None


def _method_flaw(address: str) -> str | None:
    """Return what makes apprise send anything but `METHODS`, as `flaw` does."""
    text = (_undone(address) or "").lower()
    pairs = [(name[:1] + name[1:].replace("+", ""), value) for name, value in _PAIR.findall(text)]
    if _ANY_METHOD.search(text) and any(
        name == "method" and value and value.upper() not in METHODS for name, value in pairs
    ):
        return "has a method other than GET, POST and PATCH, and no sink sends any other; leave method out"
    if _DELETING.search(text) and any(
        (name == "action" or name.startswith(":")) and value and "delete".startswith(value) for name, value in pairs
    ):
        return "has an action that deletes, and no sink ever sends DELETE; write another, or leave it out"
    if _PUTTING.search(text) and not any(name == "mode" and value in _MATRIX_HOOKS for name, value in pairs):
        return (
            "is one that Matrix takes messages at by PUT, which no sink sends; write that of a webhook there, with "
            f"mode={', '.join(_MATRIX_HOOKS[:-1])} or {_MATRIX_HOOKS[-1]}"
        )
    return None


def _undone(text: str) -> str | None:
    """Return a text without percent-encoding, of any depth, and without what readers of addresses drop or fold.

    None where it is quoted too deep to be meant.
    """
    for _ in range(_MAX_QUOTING):
        plain = unquote(text)
        if plain == text:
            folded = unicodedata.normalize("NFKC", plain)
            return "".join(char for char in folded if char.isprintable() and not char.isspace())
        text = plain
    return None


def _leads_there(path: str) -> bool:
    given = [part.partition(";")[0].lower() for part in re.split(r"[/\\]", path)]
    segments = [part for part in given if part not in {"", "."}]
    return any(_holds(way) for way in (segments, list(_resolved(segments))))


def _resolved(segments: list[str]) -> Iterator[str]:
    """Yield the segments with each `..` and the one before it taken away."""
    left: list[str] = []
    for segment in segments:
        if segment != "..":
            left.append(segment)
        elif left:
            left.pop()
    yield from left


def _holds(segments: list[str]) -> bool:
    # A `?` or `#` that was quoted in the path ends the segment for whoever decodes it first.
    names = [re.split(r"[?#]", segment)[0] for segment in segments]
    return any(names[at : at + len(_WATCHED)] == _WATCHED for at in range(len(names)))
