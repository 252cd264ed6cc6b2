"""The URL of a database server, taken apart so that nothing secret of it is ever shown, however it was written."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote

_FORM = re.compile(r"(postgresql|postgres|postgresql\+psycopg)://([^/?]*)(?:/([^?]*))?(?:\?(.*))?")
_PLACE = re.compile(r"(?:[\w.-]+|\[[0-9A-Fa-f:.]+(?:%\w+)?\])?(?::[0-9]{1,5})?")
# libpq: a host that begins with a slash is the directory of a socket.
_SOCKET = re.compile(r"(%2[Ff][\w.%+-]*)((?::[0-9]{1,5})?)")
_DIRECTORY = re.compile(r"/[\w./+-]*")
# https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS, of those that say where and how
_OPEN = frozenset({
    "application_name",
    "channel_binding",
    "client_encoding",
    "connect_timeout",
    "dbname",
    "gssencmode",
    "host",
    "hostaddr",
    "keepalives",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "load_balance_hosts",
    "port",
    "require_auth",
    "ssl_max_protocol_version",
    "ssl_min_protocol_version",
    "sslmode",
    "target_session_attrs",
    "tcp_user_timeout",
})  # fmt: skip
_MASK, _LONG = "***", 4


@dataclass(frozen=True, slots=True)
class ServerUrl:
    """A URL of PostgreSQL: `text` as a driver takes it, `shown` with host, port and database alone.

    `has_password` tells whether it holds one, or anything that may be one.
    """

    text: str = field(repr=False)
    shown: str
    where: str
    database: str
    who: str = field(repr=False)
    parameters: tuple[tuple[str, str], ...] = field(repr=False)

    @property
    def has_password(self) -> bool:
        """Tell whether it holds a password, or a parameter that may be one."""
        return ":" in self.who or any(name not in {*_OPEN, "user"} for name, _ in self.parameters)

    @property
    def masked(self) -> str:
        """The URL as settings are listed: who logs in and every parameter are masked, so that one sees they are set."""
        place = self.shown.partition("://")[2]
        masked = [*([_MASK] if any(pair not in self.shown_parameters for pair in self.parameters) else [])]
        more = f"{'&' if self.shown_parameters else '?'}{_MASK}" if masked else ""
        return f"postgresql+psycopg://{_MASK + '@' if self.who else ''}{place}{more}"

    @property
    def shown_parameters(self) -> tuple[tuple[str, str], ...]:
        """The parameters that say where it is, and nothing else: the directory of a socket."""
        return tuple(pair for pair in self.parameters if _is_socket(*pair))

    @property
    def names_database(self) -> bool:
        """Tell whether it says which database is meant."""
        return bool(self.database) or any(name == "dbname" and value for name, value in self.parameters)

    def scrub(self, said: str) -> str:
        """Return what a driver or a server said without anything of the URL but host, port and database."""
        user, _, password = self.who.partition(":")
        users = {user, *(value for name, value in self.parameters if name == "user")}
        for name in {*users, *map(unquote, users)} - {"", self.database}:
            said = said.replace(f'"{name}"', f'"{_MASK}"')
        said = re.sub(r'\b(user|role) "[^"]*"', rf'\1 "{_MASK}"', said)
        closed = [(name, value) for name, value in self.parameters if name not in {*_OPEN, "user"}]
        secrets = {password, *(part for pair in closed for part in pair)}
        secrets |= set(map(unquote, secrets))
        # A driver strips, and stumbles over a blank: what it repeats then are pieces.
        secrets |= {piece for secret in secrets for piece in secret.split()}
        for secret in sorted(secrets - {""}, key=len, reverse=True):
            # Whole words: a password of a letter or two must not take the sentence apart.
            word = re.escape(secret) if len(secret) >= _LONG else rf"(?<!\w){re.escape(secret)}(?!\w)"
            said = re.sub(word, _MASK, said)
        return said


def server_url(url: str) -> ServerUrl | None:
    """Return the parts of a URL of PostgreSQL, None for one that is none or that can be read in more than one way.

    An `@`, `/` or `?` of a password is to be written `%40`, `%2F`, `%3F`. An `@` is understood all the same where the
    last one before the database can only be the one before the host; where it may be either, nothing is guessed.
    """
    match = _FORM.fullmatch(url)
    if match is None or not url.isprintable() or " " in url:
        return None
    _, authority, database, query = match.groups(default="")
    who, _, where = authority.rpartition("@")
    if socket := _SOCKET.fullmatch(where):
        # Drivers do not all understand it at this place.
        where = socket[2]
        query = f"host={socket[1]}{'&' if query else ''}{query}"
    if "@" in database + query or not _PLACE.fullmatch(where):
        return None
    rest = f"{'/' if database or query else ''}{database}{'?' if query else ''}{query}"
    at = f"{who.replace('@', '%40')}@" if who else ""
    parameters = tuple(parse_qsl(query, keep_blank_values=True))
    socket_shown = next((f"?host={value}" for name, value in parameters if _is_socket(name, value)), "")
    shown = f"postgresql://{where}{'/' + database if database or socket_shown else ''}{socket_shown}"
    return ServerUrl(f"postgresql+psycopg://{at}{where}{rest}", shown, where, unquote(database), who, parameters)


def _is_socket(name: str, value: str) -> bool:
    return name == "host" and _DIRECTORY.fullmatch(value) is not None
