"""An issue on GitHub for each incident: opened, commented and closed with it.

What was sent is found again by marks in the text, so that a notice that comes twice is seen once. A mark is made from
the installation's random word, which stands in no issue: nobody else can forge one.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from monitors.incidents.model import NoticeKind
from monitors.notify.content import about, moment, text
from monitors.notify.errors import SinkError
from monitors.notify.escaping import cut, escaped, shortened
from monitors.notify.http import Service
from monitors.notify.sinks import option, secret

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from monitors.config.alerting import SinkSettings
    from monitors.incidents.model import Notice
    from monitors.notify.message import Message
    from monitors.notify.sinks import Around

BASE_URL = "https://api.github.com"
LABELS = "model-lab"
_VERSION = "2022-11-28"
_PAGE = 100
# An issue is looked for among those touched since its incident began, the latest first.
_MAX_PAGES = 20
_CLOCKS_DIFFER = timedelta(hours=1)
# GitHub takes 65,536 characters of text and 256 of a title.
_BODY_CHARS, _TITLE_CHARS = 60_000, 250
_OVER_AT_ONCE = {NoticeKind.DIGEST, NoticeKind.TEST}


@dataclass(frozen=True, slots=True)
class GithubIssues:
    """Keeps the issues of one repository in step with incidents. `numbers` remembers which issue is whose."""

    settings: SinkSettings
    service: Service
    repository: str
    labels: tuple[str, ...]
    numbers: dict[str, int] = field(default_factory=dict)

    def send(self, message: Message, notice: Notice) -> None:
        """Open, comment or close an issue, whatever of it is not done yet. Raises `SinkError`."""
        with self.service.attempt():
            self._send(message, notice)

    def _send(self, message: Message, notice: Notice) -> None:
        installation = text(message.content.get("installation"))
        subject = f"{installation}/{notice.incident}" if notice.incident else notice.key
        mark, own = _mark("incident", subject), _mark("notice", notice.key)
        since = _begin(message, notice)
        number = self._find(mark, since)
        over = notice.kind is NoticeKind.RESOLVED
        if number is None:
            if over:
                # It was deleted, or moved away: there is nothing left to close.
                return
            number = self._open(message, mark, own)
        else:
            if not self._has(number, own, notice.at - _CLOCKS_DIFFER):
                self._comment(number, message, own)
            if notice.kind is NoticeKind.OPENED and self._issue(number).get("state") == "closed":
                # Over on the sites this sink hears of, and back there while the incident went on elsewhere.
                self._set(number, state="open")
        if over or notice.kind in _OVER_AT_ONCE:
            self._set(number, state="closed", state_reason="completed")
        self.numbers[mark] = number

    def _find(self, mark: str, since: datetime) -> int | None:
        """Return the number of the issue with a mark, None where there is none."""
        known = self.numbers.get(mark)
        if known is not None and mark in _text(self._issue(known)):
            return known
        parameters = {"state": "all", "sort": "created", "direction": "desc", "since": _stamp(since)}
        found = [
            issue["number"]
            for issue in self._listed("/issues", parameters)
            if "pull_request" not in issue and mark in _text(issue)
        ]
        # The first one made, should two have been: all later notices go there.
        return min(found, default=None)

    def _issue(self, number: int) -> dict[str, Any]:
        try:
            found = self.service.request("GET", f"{self.repository}/issues/{number}").json()
        except SinkError as error:
            if error.permanent:  # deleted, or moved away
                return {}
            raise
        return found if isinstance(found, dict) else {}

    def _has(self, number: int, mark: str, since: datetime) -> bool:
        """Tell whether an issue or one of its comments says what was to be said already."""
        comments = self._listed(f"/issues/{number}/comments", {"since": _stamp(since)})
        return mark in _text(self._issue(number)) or any(mark in _text(comment) for comment in comments)

    def _listed(self, path: str, parameters: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        for page in range(1, _MAX_PAGES + 1):
            sent = {**parameters, "per_page": str(_PAGE), "page": str(page)}
            found = self.service.request("GET", self.repository + path, parameters=sent).json()
            if not isinstance(found, list):
                message = f"{self.service.shown}: answered with no list; is base_url the address of GitHub's API?"
                raise SinkError(message, permanent=True)
            yield from (item for item in found if isinstance(item, dict))
            if len(found) < _PAGE:
                return

    def _open(self, message: Message, *marks: str) -> int:
        body = f"{cut(message.markdown(), _BODY_CHARS)}\n\n{''.join(marks)}"
        wanted = {"title": shortened(message.chat_title, _TITLE_CHARS), "body": body, "labels": list(self.labels)}
        made = self.service.request("POST", f"{self.repository}/issues", body=wanted).json()
        if not isinstance(made, dict) or not isinstance(made.get("number"), int):
            problem = f"{self.service.shown}: answered without the number of the issue"
            raise SinkError(problem)
        return int(made["number"])

    def _comment(self, number: int, message: Message, mark: str) -> None:
        body = f"**{escaped(message.title)}**\n\n{cut(message.markdown(), _BODY_CHARS)}\n\n{mark}"
        self.service.request("POST", f"{self.repository}/issues/{number}/comments", body={"body": body})

    def _set(self, number: int, **wanted: str) -> None:
        self.service.request("PATCH", f"{self.repository}/issues/{number}", body=wanted)


def _begin(message: Message, notice: Notice) -> datetime:
    incident = about(message.content)
    begin = incident.since if incident is not None else None
    return (begin or moment(message.content.get("at")) or notice.at) - _CLOCKS_DIFFER


def _mark(what: str, of: str) -> str:
    return f"<!-- model-lab-monitor {what} {hashlib.sha256(f'{what}/{of}'.encode()).hexdigest()[:32]} -->"


def _text(item: Any) -> str:
    return text(item.get("body")) if isinstance(item, dict) else ""


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def build(settings: SinkSettings, around: Around) -> GithubIssues:  # noqa: ARG001 - every sink is built alike
    """Return the sink."""
    token = secret(settings, "token")
    owner, _, name = option(settings, "repository").partition("/")
    headers = {
        "Authorization": f"Bearer {token}",
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": _VERSION,
    }
    base_url = settings.options.get("base_url") or BASE_URL
    service = Service(base_url, timeout_s=settings.timeout_s, headers=headers, secrets=(token,))
    labels = [label.strip() for label in settings.options.get("labels", LABELS).split(",")]
    return GithubIssues(settings, service, f"/repos/{owner}/{name}", tuple(filter(None, labels)))
