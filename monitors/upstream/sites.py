"""The sites a page or document lists compared with the contract's."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from monitors.model import Change
from monitors.rules import judge
from monitors.sites import SITES
from monitors.upstream.page import unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitors.model import Finding
    from monitors.upstream.view import Server, View

_WHERE = "$.servers"


def site_findings(base: View, revision: View, *, from_page: bool) -> list[Finding]:
    """Return the findings about sites, none where a document lists no servers.

    Raises `PageError` for a page none of whose sites is one of the contract's.
    """
    old = {server.url: server for server in base.servers}
    new = {server.url: server for server in revision.servers}
    if not new:
        return []
    if not old.keys() & new.keys():
        if from_page:
            unreadable("none of its sites is one of the contract's")
        # A document of a mirror or a proxy lists itself; it says nothing about the vendor's sites.
        return []
    return [_told(change, site) for change, site in _changes(old, new)]


def _told(change: Change, site: str | None) -> Finding:
    (finding,) = judge([change], site=site)
    return replace(finding, discriminator=str(site or change.revision))


def _changes(old: dict[str, Server], new: dict[str, Server]) -> Iterator[tuple[Change, str | None]]:
    moved = {}
    for url, server in new.items():
        before = _known_as(server.label, old)
        if url in old:
            if server.endpoint is not None:
                message = f"{old[url].site or url} is listed as {server.endpoint}"
                yield Change("site-endpoint-changed", _WHERE, url, server.endpoint, message), old[url].site
        elif before is not None and before.url not in new:
            moved[before.url] = url
            message = f"{before.site} is at {url}, not {before.url}"
            yield Change("site-endpoint-changed", _WHERE, before.url, url, message), before.site
        elif not server.overlay:
            message = f"{server.label or 'a site'} is new: {url}"
            yield Change("site-added", _WHERE, None, url, message), None
    for url, server in old.items():
        if url not in new and url not in moved and not server.overlay:
            message = f"{server.site or url} is no longer listed"
            yield Change("site-removed", _WHERE, url, None, message), server.site


def _known_as(label: str, old: dict[str, Server]) -> Server | None:
    """Return the contract's site with this name on the page, e.g. `app.datadoghq.eu`."""
    for server in old.values():
        site = SITES.get(server.site or "")
        if site is not None and label.lower() in {site.dd_site, f"app.{site.dd_site}"}:
            return server
    return None
