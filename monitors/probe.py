"""One check made on one site, once: what is asked, and the observation that comes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from monitors import __version__
from monitors.checks import RUN_PATH
from monitors.errors import UsageError
from monitors.model import Observation
from monitors.transport import Exchange, ResolverError, Sealed, SiteClient

if TYPE_CHECKING:
    from monitors.checks import Check
    from monitors.config import Credentials, SiteSettings
    from monitors.sites import Site

_HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip",
    "Connection": "close",
    "User-Agent": f"model-lab-monitor/{__version__}",
}


@dataclass(frozen=True, slots=True)
class Target:
    """A site as it is probed: with which keys and canary run, and by which client.

    `key_names` are the variables of the keys where the configuration names others than `DD_API_KEY_US5` and its like.
    """

    site: Site
    base_url: str
    credentials: Credentials | None
    run_id: int | None
    client: SiteClient
    key_names: tuple[str, ...] = ()
    sealed: Sealed = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Prepare the keys once for all probes."""
        object.__setattr__(self, "sealed", Sealed(self.credentials))

    def lacks(self, check: Check) -> str | None:
        """Return what a check needs that this target has not, in words, or None."""
        if check.with_keys and self.credentials is None:
            return f"no keys for {self.site.key}"
        if check.run_id is None and self.run_id is None:
            return f"no run id for {self.site.key}"
        return None


def target_for(settings: SiteSettings, *, base_url: str | None = None, **client_options: Any) -> Target:
    """Return the target of a configured site; `client_options` are those of `SiteClient`.

    `base_url` is by default the API host of the table. Raises `UsageError` for an address that cannot be used.
    """
    site = settings.site
    client = SiteClient(base_url or f"https://{site.api_host}", site_host=site.api_host, **client_options)
    return Target(site, client.base_url, settings.credentials, settings.run_id, client, settings.key_names)


def probe(target: Target, check: Check, *, method: str = "GET") -> Observation:
    """Make one check on one site and return what was observed, failures included.

    Raises `UsageError` if the target lacks what the check needs, `RefusedError` for a request that must not be sent,
    `ResolverError` (its `observation` filled in) and `HarnessError` where this machine fails.
    """
    if lacking := target.lacks(check):
        message = f"the check {check.name} cannot run: {lacking}"
        raise UsageError(message)
    run_id = check.run_id if check.run_id is not None else str(target.run_id)
    sealed = target.sealed
    headers = {**_HEADERS, **dict(sealed.headers)} if check.with_keys else _HEADERS
    path = RUN_PATH.format(run_id=run_id)
    at = datetime.now(UTC)

    def observation(seen: Exchange) -> Observation:
        return Observation(
            site=target.site.key,
            check=check.name,
            at=at,
            method=method,
            url=target.base_url + path,
            run_id=run_id,
            with_keys=check.with_keys,
            credential=sealed.digest if check.with_keys else None,
            status=seen.status,
            headers=seen.headers,
            body=seen.body,
            wire_size=seen.wire_size,
            body_size=seen.body_size,
            phases=seen.phases,
            http_version=seen.http_version,
            address=seen.address,
            tls=seen.tls,
            failure=seen.failure,
        )

    try:
        return observation(target.client.exchange(method, path, headers, sealed))
    except ResolverError as error:
        error.observation = observation(Exchange(failure=error.failure))
        raise
