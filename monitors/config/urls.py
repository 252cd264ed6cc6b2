"""URLs of sinks and of the store: what may stand in the file, and how one is shown without its secrets."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from monitors.config.readers import UnfitError, looks_secret
from monitors.config.servers import server_url

if TYPE_CHECKING:
    from pathlib import Path
    from urllib.parse import SplitResult

_SQLITE = "sqlite:///"
_SECRET_WORD = re.compile(r"pass|secret|token|key|sig|auth", re.IGNORECASE)
_REPOSITORY = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})/[A-Za-z0-9._-]{1,100}\Z")
_LOOPBACK = re.compile(r"localhost|127(?:\.[0-9]{1,3}){3}|::1")
_MAX_LABELS, _LABEL_CHARS = 20, 50
STORE_FORMS = "sqlite:///PATH or postgresql://USER@HOST/DATABASE"


def split(url: str) -> SplitResult | None:
    """Return the parts of a URL with a host, or None for what is none."""
    try:
        parts = urlsplit(url)
        fits = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return None
    return parts if fits and url.isprintable() and " " not in url else None


def plain_url(value: object) -> str:
    """Return an http or https URL that holds no secret."""
    parts = split(value) if isinstance(value, str) else None
    if not isinstance(value, str) or parts is None or parts.scheme not in {"http", "https"}:
        message = "a URL like https://hooks.example.com/model-lab"
        raise ValueError(message)
    words = [*parts.path.split("/"), *(name for pair in parse_qsl(parts.query) for name in pair)]
    named = any(_SECRET_WORD.search(name) for name, _ in parse_qsl(parts.query))
    if "@" in parts.netloc or named or any(map(looks_secret, words)):
        message = (
            "what looks like a secret is never written into this file; write url_env with the name of an environment "
            "variable, or url_file with a path, and replace the secret if the file was shared"
        )
        raise UnfitError(message)
    return value


def base_url(value: object) -> str:
    """Return the https URL an API begins with; http on this machine alone, since keys are sent there."""
    parts = split(value) if isinstance(value, str) else None
    local = parts is not None and parts.scheme == "http" and _LOOPBACK.fullmatch(parts.hostname or "")
    plain = parts is not None and not parts.query and not parts.fragment and "@" not in parts.netloc
    if not isinstance(value, str) or parts is None or not plain or not (local or parts.scheme == "https"):
        message = "an https URL without user, query and fragment, like https://github.example.com/api/v3"
        raise ValueError(message)
    return value.rstrip("/")


def repository(value: object) -> str:
    """Return `OWNER/NAME`."""
    if isinstance(value, str) and _REPOSITORY.match(value):
        return value
    message = 'the owner and name of a repository, like "example/model-lab-alerts"'
    raise ValueError(message)


def labels(value: object) -> str:
    """Return labels joined by commas, which no label may hold."""
    fits = isinstance(value, list) and len(value) <= _MAX_LABELS
    names = [name for name in value if isinstance(name, str)] if isinstance(value, list) else []
    if not fits or not isinstance(value, list) or len(names) != len(value) or not all(map(_is_label, names)):
        message = f"a list of at most {_MAX_LABELS} labels, none with a comma in it or over {_LABEL_CHARS} characters"
        raise ValueError(message)
    return ",".join(dict.fromkeys(names))


def _is_label(name: str) -> bool:
    return bool(name.strip()) and name.isprintable() and "," not in name and len(name) <= _LABEL_CHARS


def literal_store_url(value: object) -> str:
    """Return the URL of a store that the file may hold: one without a password."""
    if not isinstance(value, str):
        raise ValueError(STORE_FORMS)  # noqa: TRY004 - every reader refuses by ValueError
    server = server_url(value)
    # What cannot be taken apart and has an @ in it may hold a password wherever that is.
    unread = server is None and "@" in value and not value.startswith(_SQLITE)
    if unread or (server and server.has_password):
        message = (
            "a password is never written into this file; write url_env with the name of an environment variable, "
            "or url_file with a path, and replace the password if the file was shared"
        )
        raise UnfitError(message)
    return store_url(value, None)


def store_url(text: str, folder: Path | None) -> str:
    """Return the URL of a store in the form the store takes; a relative path of SQLite's starts at `folder`.

    Raises `ValueError` with the forms that fit; the text itself, which may hold a password, is not in it.
    """
    if text.startswith(_SQLITE) and (path := text[len(_SQLITE) :]) and path.isprintable() and not _marks(path):
        return text if folder is None or path == ":memory:" else f"{_SQLITE}{folder / path}"
    server = server_url(text)
    if server is not None and server.names_database:
        return server.text
    raise ValueError(STORE_FORMS)


def _marks(path: str) -> bool:
    return "?" in path or "#" in path


def masked(url: str) -> str:
    """Return a store's URL as it may be shown: who logs in, with what, and every parameter masked."""
    if url.startswith(_SQLITE):
        return url
    server = server_url(url)
    return "***" if server is None else server.masked
