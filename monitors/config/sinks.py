"""The types of sinks and the options of each, as data; and what the store takes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from monitors.config import readers, urls
from monitors.config.row import Row, rows

if TYPE_CHECKING:
    from collections.abc import Mapping

_VARIABLE, _FILE = "name in capitals", "path, relative to the configuration file"
_MAX_KEPT_DAYS = 36_500
ADDRESSES = ("url", "base_url")
"""The options, secret ones too, that say where a sink sends."""


@dataclass(frozen=True, slots=True)
class SinkType:
    """One type: its rows by name, the secrets it needs, the options it cannot do without.

    Each secret NAME is given by one of the rows NAME_env and NAME_file, or by NAME itself where that is a row.
    """

    rows: Mapping[str, Row] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    required: tuple[str, ...] = ()


def _secret(name: str, what: str, example: str) -> list[tuple[Any, ...]]:
    variable = example.upper().replace("-", "_")
    return [
        (f"{name}_env", _VARIABLE, "none", f"The environment variable that holds {what}.", readers.variable,
         f'"{variable}"'),
        (f"{name}_file", _FILE, "none", f"The file that holds {what}.", readers.secret_path(name.replace("_", " ")),
         f'"keys/{example}"'),
    ]  # fmt: skip


SINK_TYPES: Mapping[str, SinkType] = {
    "apprise": SinkType(
        rows(
            *_secret(
                "url", "the apprise URL: Slack, Teams, PagerDuty, e-mail and a hundred more services", "ops-slack-url"
            )
        ),
        secrets=("url",),
    ),
    "webhook": SinkType(
        rows(
            (
                "url",
                "URL without anything secret in it",
                "none",
                "Where notices are posted; one with a secret in it goes into `url_env` or `url_file`.",
                urls.plain_url,
                '"https://hooks.example.com/model-lab"',
            ),
            *_secret("url", "the URL where notices are posted", "ops-webhook-url"),
            *_secret("secret", "the secret that signs each notice", "ops-webhook-secret"),
        ),
        secrets=("url", "secret"),
    ),
    "github-issues": SinkType(
        rows(
            (
                "repository",
                "`OWNER/NAME`",
                "none",
                "The repository whose issues are opened, commented and closed with incidents.",
                urls.repository,
                '"example/model-lab-alerts"',
            ),
            *_secret("token", "a token that may write issues there", "github-token"),
            (
                "labels",
                "list of labels",
                '`["model-lab"]`',
                "The labels of each issue.",
                urls.labels,
            ),
            (
                "base_url",
                "URL",
                '`"https://api.github.com"`',
                "The API, for GitHub Enterprise: `https://HOST/api/v3`.",
                urls.base_url,
            ),
        ),
        secrets=("token",),
        required=("repository",),
    ),
    "github-actions": SinkType(),
    "datadog": SinkType(
        rows(
            (
                "site",
                "a site",
                '`"US1"`',
                "The site of your account, which gets events, service checks and metrics.",
                readers.site_name,
            ),
            *_secret("api_key", "the API key of that account", "account-api-key"),
            (
                "base_url",
                "URL",
                "by site",
                "The API, where it is not that of the site, such as a proxy of yours.",
                urls.base_url,
                '"https://api.datadoghq.com"',
            ),
        ),
        secrets=("api_key",),
    ),
    "stdout": SinkType(),
}
"""Every type by the word `type` takes."""

APPRISE_SCHEMES: Mapping[str, str] = {
    "discord": "discord",
    "email": "mailtos",
    "googlechat": "gchat",
    "gotify": "gotifys",
    "jira": "jira",
    "mail": "mailtos",
    "matrix": "matrixs",
    "mattermost": "mmosts",
    "msteams": "workflows",
    "ntfy": "ntfys",
    "opsgenie": "opsgenie",
    "pagerduty": "pagerduty",
    "pushover": "pover",
    "rocketchat": "rockets",
    "signal": "signal",
    "slack": "slack",
    "smtp": "mailtos",
    "sns": "sns",
    "splunk": "splunk",
    "teams": "workflows",
    "telegram": "tgram",
    "twilio": "twilio",
    "victorops": "victorops",
    "webex": "webex",
    "whatsapp": "whatsapp",
    "zulip": "zulip",
}
"""Services people look for among the types, and how the address of each begins for apprise."""


def _sink_type(value: object) -> str:
    """Return a type of sink; whoever names a service hears which type has it."""
    if isinstance(value, str) and (scheme := APPRISE_SCHEMES.get(re.sub(r"[\W_]", "", value.lower()))):
        message = (
            f'{value!r} is none of {", ".join(SINK_TYPES)}; write type = "apprise", and its address {scheme}://… '
            "into url_env or url_file"
        )
        raise readers.UnfitError(message)
    return readers.word(*SINK_TYPES)(value)


SINK = rows(
    (
        "type",
        ", ".join(f"`{name}`" for name in SINK_TYPES),
        "none",
        "What kind of sink it is; it decides which options there are beside those of every sink.",
        _sink_type,
        '"stdout"',
    ),
    (
        "level",
        "`info`, `warning` or `breaking`",
        '`"warning"`',
        "The lowest level of an incident that is told.",
        readers.level("info", "warning", "breaking"),
    ),
    (
        "sites",
        "list of sites",
        "all",
        "Only incidents on one of these sites are told.",
        readers.site_list,
        '["US5", "EU1"]',
    ),
    (
        "rules",
        "list of rules; `*` at the end of one stands for anything",
        "all",
        "Only incidents by one of these rules are told.",
        readers.rule_list,
        '["tls-*", "edge-answer"]',
    ),
    (
        "incidents",
        "`true` or `false`",
        "not `digest`",
        "Tell of incidents as they open, change and are resolved.",
        readers.boolean,
        "true",
    ),
    (
        "digest",
        "`true` or `false`",
        "`false`",
        "Send digests, when `watch.digest_cron` says, or `notify digest` is run; alone unless `incidents` is true too.",
        readers.boolean,
    ),
    (
        "title",
        "[template](notifications.md#templates)",
        "the sink's own",
        "The title of each message.",
        readers.template,
        '"[$event] $title"',
    ),
    (
        "body",
        "[template](notifications.md#templates)",
        "the sink's own",
        "The text of each message.",
        readers.template,
        '"$message"',
    ),
    (
        "timeout_s",
        "seconds, 1 to 300",
        "`30`",
        "How long one delivery may take before it counts as failed and is tried again.",
        readers.number(1, 300),
    ),
)

_KEPT = (
    ("keep_successes_days", 14, "probes that went well"),
    ("keep_failures_days", 90, "probes that failed or drifted"),
    ("keep_hours_days", 90, "summaries by the hour"),
    ("keep_days_days", 1_830, "summaries by the day"),
    ("keep_incidents_days", 1_830, "incidents that are resolved, and what was told of them,"),
    ("keep_bodies_days", 90, "bodies of answers that failed or drifted"),
)
STORE = rows(
    (
        "url",
        "`sqlite:///PATH` or `postgresql://…` without a password",
        "a file in the user's state directory",
        (
            "Where everything is kept; a relative path starts at the configuration file. A URL with a password "
            "goes into `url_env` or `url_file`. A server on a socket is `postgresql://USER@/DATABASE?host=/DIRECTORY`."
        ),
        urls.literal_store_url,
        '"sqlite:////var/lib/model-lab-monitor/monitor.sqlite"',
    ),
    *_secret("url", "the URL of the store", "model-lab-store-url"),
    *(
        (
            name,
            f"days, 0 to {_MAX_KEPT_DAYS}",
            f"`{days}`",
            f"How long {what} are kept; 0 keeps them for ever.",
            readers.whole(0, _MAX_KEPT_DAYS, "a whole number of days"),
        )
        for name, days, what in _KEPT
    ),
)
