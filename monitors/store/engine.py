"""The one seam to the database: how it is reached, what a transaction is, and what its errors mean."""

from __future__ import annotations

import os
import re
import sqlite3
import weakref
import zlib
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from monitors.config.servers import server_url
from monitors.errors import HarnessError, UsageError
from monitors.store import errors
from monitors.store.files import OpenedFile
from monitors.store.tables import prepare_for_postgresql

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine
    from sqlalchemy.engine import ExceptionContext

    from monitors.config.servers import ServerUrl

_SQLITE = "sqlite:///"
_FORMS = "write sqlite:///PATH or postgresql://USER@HOST/DATABASE"
_KIND = re.compile(r"([a-z][a-z0-9+]{1,20})://")
_SILENCE_S = 15.0
"""How much longer than for a lock one waits for a server that says nothing."""
# https://www.postgresql.org/docs/current/libpq-connect.html: a host that is gone is noticed within half a minute.
_NETWORK = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 4,
    "tcp_user_timeout": 30_000,
}
# https://www.sqlite.org/rescode.html, primary codes
_BUSY, _FULL, _DAMAGED = frozenset({5, 6}), frozenset({3, 8, 10, 13, 14, 23}), frozenset({11, 26})
# Extended codes: the file ends before it should, its content is not what the disk was given.
_CUT_SHORT = frozenset({10 | 2 << 8, 10 | 32 << 8, 10 | 33 << 8})
_UNDECODABLE = "Could not decode to UTF-8"
_BAFFLED = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, zlib.error)
"""What code raises that was given something it was not made for."""
_REASONS = {
    3: "access denied",
    8: "it may only be read",
    10: "the disk fails",
    13: "the disk is full",
    14: "it cannot be opened",
    23: "access denied",
}
# https://www.postgresql.org/docs/current/errcodes-appendix.html
_LOCK_TIMEOUT, _STATES_BUSY = "55P03", frozenset({"55P03", "40001", "40P01"})
_STATES_FULL = ("53100", "25006", "42501")


class _UndecodableError(sqlite3.DatabaseError):
    """SQLite said something of a file in which it repeated bytes that are no text."""


def sqlite_url(path: Path) -> str:
    """Return the URL of a store in a file."""
    return f"{_SQLITE}{path}"


class Database:
    """A database that can be reached: connections, and transactions whose errors are ours.

    `path` is the file of an SQLite database, None for a server. `shown` names it without who logs in, and with
    what.
    """

    def __init__(self, url: str, busy_timeout_s: float) -> None:
        """Prepare to reach it; nothing is opened yet. Raises `UsageError` for a URL that is none of ours."""
        self.busy_timeout_s = busy_timeout_s
        self._server: ServerUrl | None = None
        self.path = Path(url.removeprefix(_SQLITE)) if url.startswith(_SQLITE) else None
        if self.path is not None:
            if not str(self.path).strip("."):
                message = f"the store's URL names no file; {_FORMS}"
                raise UsageError(message)
            self.shown = str(self.path)
            self._file: OpenedFile | None = OpenedFile(self.path)
            self._engine = _sqlite_engine(self.path, busy_timeout_s, self._file)
        else:
            self._file = None
            self._server, parsed = _parsed(url)
            self.shown = self._server.shown
            self._engine = _postgresql_engine(parsed, busy_timeout_s + _SILENCE_S)
        self._reader = self._engine
        if self.path is None:
            # Several selects of one reading see the same moment.
            self._reader = self._engine.execution_options(isolation_level="REPEATABLE READ")
        named = {"shown": self.shown, "path": self.path}
        self._reader = self._reader.execution_options(**named)
        self._writer = self._engine.execution_options(writes=True, **named)
        # Whoever forgets to close it leaves no connection open all the same.
        self._closing = weakref.finalize(self, self._engine.dispose)

    @property
    def is_sqlite(self) -> bool:
        """Tell whether it is a file."""
        return self.path is not None

    def assure_file(self) -> None:
        """Raise `StoreReplacedError` where the file is no longer the one that was opened."""
        if self._file is not None:
            self._file.assure()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection that sees one moment of the database for as long as the context lasts."""
        with self.translated(), self._reader.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give a connection in a transaction that no other writer is in; it is committed at the end."""
        with self.translated(), self._writer.begin() as connection:
            if not self.is_sqlite:
                wait_ms = max(1, int(self.busy_timeout_s * 1000))
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = {wait_ms}")
                connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%s, hashtext(current_schema()))", (WRITERS,))
                connection.exec_driver_sql("SET LOCAL lock_timeout = 0")
            yield connection

    def connect_alone(self, *, patient: bool = False) -> Connection:
        """Return a connection in no transaction, each statement counts at once; errors are not translated.

        With `patient`, a server may take as long as it likes for a statement.
        """
        if self.is_sqlite:
            return self._engine.connect().execution_options(free=True)
        connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        if patient:
            raw: Any = connection.connection.dbapi_connection
            raw.silence_s = None
            # Nobody else gets it.
            connection.detach()
        return connection

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Raise what the database says as an error of ours, which names the store and never who logs in to it."""
        try:
            yield
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise self._meaning(error) from error
        except _BAFFLED as error:
            # A mistake of the program's, or what it was given to read is none.
            if found := self._first_problem():
                raise errors.damaged(self.shown, self.path, found) from error
            raise

    def _meaning(self, error: Exception) -> HarnessError:
        said: Any = error.orig if isinstance(error, DBAPIError) else error
        if isinstance(said, sqlite3.Error):
            return self._sqlite_meaning(said)
        state, line = getattr(said, "sqlstate", None) or "", self._first_line(said)
        if state in _STATES_BUSY:
            return errors.StoreBusyError(f"{self.shown}: another process holds the store; try again when it is done")
        if state in _STATES_FULL:
            return errors.StoreFullError(f"{self.shown}: cannot be written to: {line}")
        if isinstance(error, DBAPIError) and (not state or state[:2] in {"08", "28", "3D", "53", "57"}):
            return errors.StoreUnreachableError(f"{self.shown}: cannot be reached: {line}")
        return errors.StoreError(f"{self.shown}: {type(said).__name__}: {line}")

    def _sqlite_meaning(self, error: sqlite3.Error) -> HarnessError:
        extended = getattr(error, "sqlite_errorcode", None) or 0
        code = extended & 0xFF
        if code in _BUSY:
            return errors.StoreBusyError(f"{self.shown}: another process holds the store; try again when it is done")
        if code in _DAMAGED or extended in _CUT_SHORT:
            return errors.damaged(self.shown, self.path)
        if code in _FULL:
            return errors.StoreFullError(f"{self.shown}: cannot be written to: {_REASONS[code]}")
        # Our statements fit our tables, and our rows each other: whatever does not is looked into.
        undecodable = isinstance(error, _UndecodableError) or str(error).startswith(_UNDECODABLE)
        if found := self._first_problem() or ("text that is none" if undecodable else None):
            return errors.damaged(self.shown, self.path, found)
        return errors.StoreError(f"{self.shown}: {type(error).__name__}: {self._first_line(error)}")

    def _first_problem(self) -> str | None:
        """Look through the whole store, after something that cannot be; returns the first thing that is amiss."""
        # Deferred: reads the tables through this module.
        from monitors.store.upkeep import problems  # noqa: PLC0415

        try:
            with self._reader.begin() as connection:
                return next(problems(connection), None)
        except errors.StoreDamagedError as error:
            return str(error).removeprefix(f"{self.shown}: ").partition("; ")[0]
        except (SQLAlchemyError, sqlite3.Error) as error:
            said: Any = error.orig if isinstance(error, DBAPIError) else error
            code = getattr(said, "sqlite_errorcode", None) or 0
            # Not where the disk or another process keeps one from looking.
            unreadable = isinstance(said, sqlite3.Error) and code & 0xFF not in _BUSY | _FULL
            return self._first_line(said) if unreadable else None

    def _first_line(self, error: BaseException) -> str:
        """Return what an error says; what is wrong in a URL, a driver may repeat."""
        said = self._server.scrub(str(error)) if self._server else str(error)
        lines = said.strip().splitlines()
        return lines[0] if lines else type(error).__name__

    def leave(self) -> None:
        """Close a file that is no longer the one of the store: all of it is in the file then, wherever that is now.

        Beside the path there may lie what SQLite keeps beside a file. It must not be taken for that of the next one.
        """
        with suppress(errors.StoreError), self.translated(), self.connect_alone() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        self.close()

    def close(self) -> None:
        """Close every connection; a later call opens new ones."""
        self._engine.dispose()


WRITERS, HOLDERS = 0x4D4C4D01, 0x4D4C4D02
"""The first halves of PostgreSQL's advisory locks; the second is the schema's."""


def _parsed(url: str) -> tuple[ServerUrl, URL]:
    """Return the URL of a server; the text is not repeated: whatever was meant as a URL may hold a password."""
    server = server_url(url)
    try:
        parsed = None if server is None else make_url(server.text)
    except (ArgumentError, ValueError):
        parsed = None
    if server is None or parsed is None:
        if (kind := _KIND.match(url)) and not kind[1].startswith("postgres"):
            message = f"a store of the kind {kind[1]!r} is none of ours; {_FORMS}"
            raise UsageError(message)
        message = f"the store's URL cannot be read; {_FORMS}; in a password an @, / or ? is written %40, %2F or %3F"
        raise UsageError(message)
    return server, parsed


def _sqlite_engine(path: Path, busy_timeout_s: float, file: OpenedFile) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        # None: transactions begin where we say so, below.
        connect_args={"timeout": busy_timeout_s, "isolation_level": None, "check_same_thread": False},
        hide_parameters=True,
    )

    @event.listens_for(engine, "do_connect")
    def assure(*_: object) -> None:
        # SQLite would make an empty file, or read another one with what it kept beside the first.
        file.assure()

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        try:
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY"):
                connection.execute(f"PRAGMA {pragma}").close()
        except (sqlite3.Error, UnicodeDecodeError) as error:
            # Nobody else knows of a connection that was never ready.
            connection.close()
            if isinstance(error, UnicodeDecodeError):
                raise _UndecodableError from error
            raise

    @event.listens_for(engine, "handle_error")
    def undecodable(context: ExceptionContext) -> None:
        # What SQLite says of a file may be cut out of it.
        if isinstance(context.original_exception, UnicodeDecodeError):
            raise _UndecodableError from context.original_exception

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        if not options.get("free"):
            connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("writes") else "BEGIN")

    return engine


def _postgresql_engine(url: URL, silence_s: float) -> Engine:
    prepare_for_postgresql()
    # What the URL says of these counts before.
    network = {name: value for name, value in _NETWORK.items() if name not in url.query}
    try:
        from monitors.store.patience import PatientConnection  # noqa: PLC0415 - a driver not everybody has

        engine = create_engine(url, connect_args=network, pool_pre_ping=True, hide_parameters=True)
    except ImportError as error:
        message = "a store on a PostgreSQL server needs its driver: pip install 'model-lab-monitor[postgresql]'"
        raise UsageError(message) from error
    except SQLAlchemyError as error:
        # A parameter that is SQLAlchemy's own, not the server's.
        message = f"the store's URL has a parameter that cannot be; {_FORMS}"
        raise UsageError(message) from error

    @event.listens_for(engine, "do_connect")
    def connect(_dialect: object, _record: object, positional: Any, named: Any) -> PatientConnection:
        connection = PatientConnection.connect(*positional, **named)
        connection.silence_s = silence_s
        return connection

    return engine


def make_file(path: Path) -> None:
    """Make the file of a store, and its directory, for its owner alone; raises `UsageError` where that cannot be."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        message = f"{path}: cannot be written to: {reason}; name another directory with --state-dir"
        if isinstance(error, OSError) and path.exists():
            raise errors.StoreFullError(message) from error
        raise UsageError(message) from error
