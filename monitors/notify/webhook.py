"""A signed JSON webhook: the content of each notice as schemas/notification.json describes it."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from monitors.errors import ConfigError
from monitors.notify.http import Service
from monitors.notify.sinks import secret

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from monitors.config.alerting import SinkSettings
    from monitors.incidents.model import Notice
    from monitors.notify.message import Message
    from monitors.notify.sinks import Around

SIGNATURE, TIMESTAMP, KEY, EVENT = (
    "X-Model-Lab-Signature",
    "X-Model-Lab-Timestamp",
    "Idempotency-Key",
    "X-Model-Lab-Event",
)


@dataclass(frozen=True, slots=True)
class Webhook:
    """Posts each notice to one address, signed with a shared secret."""

    settings: SinkSettings
    service: Service
    key: bytes
    now: Callable[[], datetime]

    def send(self, message: Message, notice: Notice) -> None:
        """Post one notice; whatever answers 200 to 299 has taken it, whatever body follows. Raises `SinkError` else."""
        body = json.dumps(message.content, allow_nan=False).encode()
        timestamp = str(int(self.now().timestamp()))
        headers = {
            TIMESTAMP: timestamp,
            SIGNATURE: f"sha256={signature(self.key, timestamp, body)}",
            KEY: notice.key,
            EVENT: str(notice.kind),
        }
        self.service.request("POST", content=body, headers=headers, read=False)


def signature(key: bytes, timestamp: str, body: bytes) -> str:
    """Return what proves that a body was sent by who knows the key, at that time: HMAC-SHA256 in hex."""
    return hmac.new(key, timestamp.encode("ascii") + b"." + body, hashlib.sha256).hexdigest()


def build(settings: SinkSettings, around: Around) -> Webhook:
    """Return the sink. Raises `ConfigError` without an address or a secret to sign with."""
    url = settings.secrets.get("url") or settings.options.get("url")
    if not url:
        message = f"sinks.{settings.name}: a sink of type webhook needs url, or url_env or url_file where it is secret"
        raise ConfigError(message)
    key = secret(settings, "secret")
    parts = urlsplit(url)
    hidden = (key, url, parts.path.strip("/"), parts.query) if "url" in settings.secrets else (key,)
    # The content is signed, not secret: an address within the user's own network may be plain HTTP.
    service = Service(url, timeout_s=settings.timeout_s, secrets=hidden, plain_http="url" not in settings.secrets)
    return Webhook(settings, service, key.encode(), around.now)
