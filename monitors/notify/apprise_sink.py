"""Chat, mail, paging and the like, through apprise: one address says which of its hundred services, and where."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from monitors import PROGRAM
from monitors.errors import ConfigError
from monitors.notify.apprise_guard import guarded
from monitors.notify.errors import SinkError
from monitors.notify.message import Tone
from monitors.notify.quiet import keep_to_itself, quieten
from monitors.notify.sinks import secret
from monitors.report.text import plain

if TYPE_CHECKING:
    from monitors.config.alerting import SinkSettings
    from monitors.incidents.model import Notice
    from monitors.notify.message import Message
    from monitors.notify.sinks import Around

_TONES = {Tone.FAILURE: "failure", Tone.WARNING: "warning", Tone.INFO: "info", Tone.SUCCESS: "success"}
# Services that keep incidents of their own: one notice opens it, a later one under the same name ends it.
_PER_INCIDENT = {"pagerduty": {"action": "map", "dedup": "{incident}"}}
_REASON_CHARS = 160
_MIN_SECRET_CHARS = 6


@dataclass(frozen=True, slots=True)
class AppriseSink:
    """Hands each notice to one of apprise's services as plain text, mentions and links in it defused."""

    settings: SinkSettings
    url: str

    def send(self, message: Message, notice: Notice) -> None:
        """Send one notice.

        Raises `SinkError` with what apprise says of it, the address masked; `RefusedError` for what no sink may send.
        """
        opened = _opened(_with_incident(self.url, message, notice))
        if opened is None:
            problem = "apprise does not know the service any more"
            raise SinkError(problem, permanent=True)
        with guarded() as refused:
            result = opened.notify(
                title=message.chat_title,
                body=message.chat(),
                notify_type=_TONES[message.tone],
                body_format="text",
                # Just below our own deadline, so that it is apprise that says what was slow.
                timeout=max(self.settings.timeout_s * 0.9, 0.5),
            )
        if refused:
            raise refused[0]
        if not result:
            raise SinkError(self._masked(_reason(result)))

    def _masked(self, text: str) -> str:
        parts = urlsplit(self.url)
        pieces = {self.url, parts.netloc, parts.username or "", parts.password or "", parts.query, parts.path}
        pieces |= set(parts.path.split("/")) | {value for _, value in parse_qsl(parts.query)}
        pieces |= {unquote(piece) for piece in pieces}
        for piece in sorted(pieces, key=len, reverse=True):
            if len(piece) >= _MIN_SECRET_CHARS:
                text = text.replace(piece, "***")
        return plain(text, _REASON_CHARS)


def _with_incident(url: str, message: Message, notice: Notice) -> str:
    """Return the address with the incident in it, for services that can close what they have opened."""
    scheme = url.partition("://")[0].lower()
    if scheme not in _PER_INCIDENT or not notice.incident:
        return url
    head, _, query = url.partition("?")
    given = dict(parse_qsl(query, keep_blank_values=True))
    incident = f"{message.content.get('installation')}-{notice.incident}"
    wanted = {name: value.format(incident=incident) for name, value in _PER_INCIDENT[scheme].items()}
    return f"{head}?{urlencode({**wanted, **given}, quote_via=quote)}"


def _opened(url: str) -> Any:
    """Return apprise with one service, None for an address it does not know."""
    apprise = _apprise()
    asset = apprise.AppriseAsset(
        app_id=PROGRAM,
        app_desc="Watches the Model Lab API",
        app_url="",
        async_mode=False,
        http_redirects=False,
        interpret_emojis=False,
        interpret_escapes=False,
        # Nothing of apprise's own on the disk.
        storage_mode="memory",
    )
    opened = apprise.Apprise(asset=asset)
    return opened if opened.add(url) else None


@cache
def _apprise() -> Any:
    # Deferred: apprise takes a tenth of a second to import, and as long again to know its services.
    import apprise  # noqa: PLC0415

    keep_to_itself("apprise")
    quieten("requests", "urllib3")
    with warnings.catch_warnings():
        # Some of its services import what Python is about to drop.
        warnings.simplefilter("ignore", DeprecationWarning)
        apprise.Apprise.instantiate("json://127.0.0.1")
    return apprise


def _reason(result: Any) -> str:
    if str(getattr(result.status, "name", "")) == "TIMEOUT":
        return "the service did not answer in time"
    said = [str(getattr(entry, "message", entry)) for entry in result.logs()]
    return next((" ".join(line.split()) for line in said if line.strip()), "the service did not take it")


def build(settings: SinkSettings, around: Around) -> AppriseSink:  # noqa: ARG001 - every sink is built alike
    """Return the sink. Raises `ConfigError` for an address that apprise does not know."""
    url = secret(settings, "url").strip()
    if any(character.isspace() for character in url) or _opened(url) is None:
        message = f"sinks.{settings.name}: the url is no address apprise knows, such as slack://… or mailto://…"
        raise ConfigError(message)
    return AppriseSink(settings, url)
