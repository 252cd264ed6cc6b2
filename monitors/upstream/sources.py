"""Where published descriptions come from: a file, or an address on the web, read with GET and without any key."""

from __future__ import annotations

import re
import time
import urllib.error
import urllib.request
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from monitors import __version__
from monitors.drift.reading import Folder
from monitors.errors import HarnessError, UsageError
from monitors.upstream.parsing import parse

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.client import HTTPResponse

    from monitors.drift.resolve import Home
    from monitors.upstream.page import Page

PAGE_URL = "https://docs.datadoghq.com/api/latest/model-lab-api/get-a-model-lab-run.md"
"""The vendor's page of the operation in its Markdown form, which every page of its reference has at its own address
with `.md` behind."""

MAX_BYTES = 20 * 2**20
"""A longer file or answer is refused; the vendor's whole API description in one file is about half of that."""

TIMEOUT_S = 30.0
_TRIES = 3
_PAUSE_S = 1.0
_CHUNK_BYTES = 64 * 1024
_HEAD_CHARS = 20_000
_SUFFIXES = frozenset({".json", ".yaml", ".yml"})
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_OPENAPI = re.compile(r"^[\"']?(?:openapi|swagger)[\"']?\s*:\s*[\"']?\d", re.MULTILINE)
_HEADERS = {
    "User-Agent": f"model-lab-monitor/{__version__}",
    "Accept": "text/markdown, application/json;q=0.9, */*;q=0.1",
}


def read(source: str, *, timeout_s: float = TIMEOUT_S, pause: Callable[[float], None] = time.sleep) -> Page | Home:
    """Return the page or the OpenAPI document a file or an address holds.

    References in a document are followed to files beside it, never to the web. Raises `UsageError` for what is
    neither page nor document, or is not there, and `HarnessError` where the web cannot be reached.
    """
    if "://" in source:
        return _of_text(_download(source, timeout_s, pause), source)
    path = Path(source)
    return parse(text_of(path)) if is_page(path) else Folder().open(path)


def is_page(path: Path) -> bool:
    """Tell whether a file is to be read as a page of the vendor's reference, rather than as JSON or YAML."""
    return path.suffix.lower() not in _SUFFIXES and not _is_document(text_of(path))


def _of_text(text: str, source: str) -> Page | Home:
    if not _is_document(text):
        return parse(text)
    with TemporaryDirectory() as folder:
        path = Path(folder, "document.json" if text.lstrip()[:1] == "{" else "document.yaml")
        path.write_text(text, "utf-8")
        try:
            return Folder().open(path)
        except UsageError as error:
            raise UsageError(str(error).replace(str(path), source)) from error


def _is_document(text: str) -> bool:
    begun = text.lstrip()[:2]
    return (begun[:1] == "{" and begun != "{%") or _OPENAPI.search(text[:_HEAD_CHARS]) is not None


def text_of(path: Path) -> str:
    """Return the text of a file; raises `UsageError` for one that is not there, too long or no UTF-8."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        message = f"{path}: cannot be read: {reason.lower()}"
        raise UsageError(message) from error
    return _text(str(path), data)


def _text(source: str, data: bytes) -> str:
    if len(data) > MAX_BYTES:
        message = f"{source}: is longer than {MAX_BYTES} bytes"
        raise UsageError(message)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"{source}: is no UTF-8 text (byte {error.start})"
        raise UsageError(message) from error


class _SameHost(urllib.request.HTTPRedirectHandler):
    """Follows a redirect only to the host that was asked for, and never down to plain HTTP."""

    def redirect_request(  # noqa: PLR0917 - urllib's signature
        self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> Any:
        """Return the next request; raises `UsageError` for one that leaves the host."""
        old, new = urlsplit(req.full_url), urlsplit(newurl)
        if (old.scheme, old.netloc) != (new.scheme, new.netloc):
            message = f"{req.full_url}: redirects to {newurl}, another host; name that address if it is right"
            raise UsageError(message)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _download(url: str, timeout_s: float, pause: Callable[[float], None]) -> str:
    _refuse_address(url)
    opener = urllib.request.build_opener(_SameHost)
    deadline = time.monotonic() + timeout_s
    for attempt in range(1, _TRIES + 1):
        try:
            return _text(url, _get(opener, url, deadline))
        except urllib.error.HTTPError as error:
            if error.code < 500:  # noqa: PLR2004 - only a failing server may do better next time
                message = f"{url}: answered {error.code}; is this still the address of the page?"
                raise UsageError(message) from error
            reason = f"answered {error.code}"
        except (OSError, ValueError) as error:
            reason = str(getattr(error, "reason", error))
        if attempt == _TRIES or time.monotonic() + _PAUSE_S * attempt >= deadline:
            break
        pause(_PAUSE_S * attempt)
    message = f"{url}: cannot be fetched: {reason}"
    raise HarnessError(message)


def _refuse_address(url: str) -> None:
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        parts, host = urlsplit(""), None
    if not host or parts.scheme not in {"https", "http"} or (parts.scheme == "http" and host not in _LOOPBACK):
        message = f"{url}: is no https address"
        raise UsageError(message)
    if parts.username or parts.password:
        message = f"https://{host}…: an address with a password in it is not asked for"
        raise UsageError(message)


def _get(opener: urllib.request.OpenerDirector, url: str, deadline: float) -> bytes:
    request = urllib.request.Request(url, headers=_HEADERS, method="GET")  # noqa: S310 - the scheme was checked
    response: HTTPResponse
    with opener.open(request, timeout=_left(deadline)) as response:
        data = bytearray()
        while chunk := response.read1(_CHUNK_BYTES):
            data += chunk
            if len(data) > MAX_BYTES:
                break
            _left(deadline)
        return bytes(data)


def _left(deadline: float) -> float:
    left_s = deadline - time.monotonic()
    if left_s <= 0:
        message = "the deadline passed"
        raise TimeoutError(message)
    return left_s
