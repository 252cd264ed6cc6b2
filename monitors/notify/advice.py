"""What to do about a problem, and where to read on: a table by rule, then by how a rule begins, then by kind."""

from __future__ import annotations

from monitors.rules import RULES, Group
from monitors.sites import SITES
from monitors.upstream.sources import PAGE_URL

_PAGE = PAGE_URL.removesuffix(".md") + "/"
_RATE_LIMITS = "https://docs.datadoghq.com/api/latest/rate-limits/"
_KEYS = "https://docs.datadoghq.com/account_management/api-app-keys/"
_SITES = "https://docs.datadoghq.com/getting_started/site/"

_PUBLISHED = "Read the vendor's page; the command upstream shows the difference, propose the change of the contract."
_READERS = "Check that your readers cope with it; if you can live with it, accept it with a reason."
_WAIT = "There is nothing to mend here: if it lasts, tell the vendor's support, with the time and the site."
_TLS = "Look at the certificate from another network: if it is the same there, tell the vendor, else your proxy."
_NETWORK = "Try the command below from another network to tell the site's trouble from yours."

_BY_RULE = {
    "throttled": "Lower the budget of requests to this site, or find who else uses up the limit of these keys.",
    "run-not-found": "Name another run for this site (run_id), one that nobody deletes.",
    "endpoint-not-deployed": "Nothing to do: the site does not serve the endpoint (yet); leave it out until it does.",
    "key-rejected": "Renew the keys of this site; a key is valid on one site only.",
    "key-of-other-site": "These keys belong to another site: exchange them in the configuration.",
    "key-lacks-permission": "Give the application key's owner the permission to read Model Lab.",
    "name-not-resolved": "Check the name with another resolver, to tell the site's trouble from yours.",
    "proxy-failed": "Check your proxy: the site itself was not reached.",
    "redirected": "Do not follow it with keys: ask the vendor whether the address has changed.",
    "tls-certificate-expires-soon": "Nothing yet: the vendor should renew it; ask in the last days.",
    "answered-without-keys": "Tell the vendor's security team: a run was served to a request without keys.",
    "response-property-enum-value-added": "Check that your readers take a value they do not know.",
    "response-optional-property-added": "Nothing, unless your readers refuse members they do not know.",
    "monitor-offline": "Check this machine's network, resolver and proxy; sites are judged again once it is back.",
    "monitor-store-failed": "Free the disk, mend the server or look who holds the store; docs/running.md says how.",
    "monitor-clock-off": "Set this machine's clock (NTP): times and certificates are judged by it.",
    "monitor-disk-low": "Make room where the store lies, or lower the days that [store] keeps.",
    "monitor-sink-failing": "model-lab-monitor notify list shows what waits and why, notify test tries now.",
    "monitor-config-refused": "model-lab-monitor config check lists the mistakes.",
    "run-id-mismatch": "Use no data of this answer: it is another run's.",
}
_BY_BEGINNING = (
    ("tls-", _TLS),
    ("connection-", _NETWORK),
    ("response-body-truncated", _WAIT),
    ("response-body-too-large", _WAIT),
    ("response-body-undecodable", _WAIT),
    ("response-malformed", _WAIT),
    ("response-headers-too-large", _WAIT),
    ("response-body-", "Make sure that your readers fail cleanly on such a body; ask the vendor if it lasts."),
)
_BY_KIND = {
    "availability": _WAIT,
    "contract": _READERS,
    "drift": _READERS,
    "monitor": "Look after the monitor's machine and its log: no site is judged by this.",
}
_LINKS = {
    "throttled": _RATE_LIMITS,
    "key-rejected": _KEYS,
    "key-of-other-site": _SITES,
    "key-lacks-permission": _KEYS,
    "endpoint-not-deployed": _PAGE,
    "run-not-found": _PAGE,
}


def advice(rule: str, kind: str) -> str:
    """Return what to do about a finding of a rule, in one sentence."""
    if rule in RULES and RULES[rule].group is Group.PUBLISHED:
        return _PUBLISHED
    found = _BY_RULE.get(rule) or next((text for begin, text in _BY_BEGINNING if rule.startswith(begin)), "")
    return found or _BY_KIND.get(kind, _READERS)


def link(rule: str, kind: str, site: str | None) -> str | None:
    """Return where to read on: the vendor's documentation, or the site's status page where it is unavailable."""
    if kind == "monitor":
        return None
    if rule in _LINKS:
        return _LINKS[rule]
    if kind != "availability":
        return _PAGE
    host = SITES[site].status_host if site is not None and site in SITES else None
    return None if host is None else f"https://{host}/"
