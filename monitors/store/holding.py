"""One instance for each store: who runs on it holds it, and the system lets go when the process ends, however."""

from __future__ import annotations

import json
import os
import socket
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, BinaryIO

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from monitors.store import sql, tables
from monitors.store.engine import HOLDERS
from monitors.store.errors import HeldError, StoreBusyError, StoreFullError
from monitors.store.files import identity

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Connection

    from monitors.store.engine import Database

_HOLDER = "holder"
# Beyond the text, so that others can read it while the byte is locked.
_LOCKED_BYTE = 2**20
_TRIES = 10


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a store: what it does there, its process, its machine, since when."""

    who: str
    pid: int
    host: str
    since: str

    def json(self) -> str:
        """Return it written down."""
        return json.dumps([self.who, self.pid, self.host, self.since])


def me(who: str) -> Holder:
    """Return this process as a holder."""
    return Holder(who, os.getpid(), socket.gethostname(), f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC")


def held(shown: str, text: str | None) -> HeldError:
    """Return the error that names who holds the store, from what the holder wrote down."""
    try:
        holder = Holder(*json.loads(text or ""))
    except (ValueError, TypeError):
        return HeldError(f"{shown}: another instance of the monitor runs on this store; stop it first")
    return HeldError(
        f"{shown}: `{holder.who}` runs on this store, process {holder.pid} on {holder.host} since {holder.since}; "
        "stop it first"
    )


@contextmanager
def file_held(store: Path, shown: str, who: str) -> Iterator[None]:
    """Hold a store in a file for as long as the context lasts; raises `HeldError` naming who has it."""
    hold = FileHold(store, shown, who)
    try:
        yield
    finally:
        hold.release()


class FileHold:
    """Holds a store in a file through a lock on a file beside it, which the system drops when the process ends."""

    def __init__(self, store: Path, shown: str, who: str) -> None:
        """Take it; raises `HeldError` naming who has it."""
        self._path = store.with_name(f"{store.name}.lock")
        self._shown, self._who = shown, who
        self._released = False
        self._file: BinaryIO | None = self._taken()

    def assure(self) -> None:
        """Take it anew where the file beside is no longer ours; raises `HeldError` where another was quicker."""
        if self._released or (self._file is not None and self._is_at_its_place(self._file)):
            return
        if self._file is not None:
            # A lock on a file that nobody finds any more keeps nobody out.
            self._file.close()
            self._file = None
        self._file = self._taken()

    def release(self) -> None:
        """Let go, for good."""
        self._released = True
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def _taken(self) -> BinaryIO:
        for _ in range(_TRIES):
            file = self._opened()
            try:
                self._lock(file)
                if self._is_at_its_place(file):
                    return file
            except BaseException:
                file.close()
                raise
            # Removed after it was opened and before it was locked.
            file.close()
        message = f"{self._path}: is removed again and again"
        raise StoreBusyError(message)

    def _lock(self, file: BinaryIO) -> None:
        if not _try_lock(file):
            raise held(self._shown, file.read(_LOCKED_BYTE).decode("utf-8", "replace"))
        file.truncate(0)
        file.write(me(self._who).json().encode())
        file.flush()

    def _opened(self) -> BinaryIO:
        try:
            return os.fdopen(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600), "r+b")
        except OSError as error:
            message = f"{self._path}: cannot be written to: {(error.strerror or str(error)).lower()}"
            raise StoreFullError(message) from error

    def _is_at_its_place(self, file: BinaryIO) -> bool:
        try:
            return identity(self._path.stat()) == identity(os.fstat(file.fileno()))
        except OSError:
            return False


if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: BinaryIO) -> bool:
        try:
            file.seek(_LOCKED_BYTE)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            file.seek(0)
        return True

else:
    import fcntl

    def _try_lock(file: BinaryIO) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


class ServerHold:
    """Holds a store on a server through a session's lock, which the server drops when the connection ends."""

    def __init__(self, database: Database, who: str) -> None:
        """Take it; raises `HeldError` naming who has it."""
        self._database, self._who = database, who
        self._connection: Connection | None = None
        self.assure()

    def assure(self) -> None:
        """Take it anew where the connection was lost meanwhile; raises `HeldError` where another was quicker."""
        if self._connection is not None:
            try:
                self._connection.exec_driver_sql("SELECT 1")
            except SQLAlchemyError:
                self.release()
        if self._connection is None:
            with self._database.translated():
                self._take()

    def release(self) -> None:
        """Let go."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(SQLAlchemyError):  # a connection that is gone holds nothing any more
                if not connection.invalidated:
                    # The server gets round to a connection that ended: who starts at once would be told of us.
                    connection.exec_driver_sql("SELECT pg_advisory_unlock_all()")
            with suppress(SQLAlchemyError):
                connection.invalidate()
                connection.close()

    def _take(self) -> None:
        connection = self._database.connect_alone()
        lock = "SELECT pg_try_advisory_lock(%s, hashtext(current_schema()))"
        try:
            taken = connection.exec_driver_sql(lock, (HOLDERS,)).scalar_one()
            if taken:
                sql.upsert(connection, tables.meta, [(_HOLDER, me(self._who).json())])
                self._connection = connection
            known = connection.execute(select(tables.meta.c.value).where(tables.meta.c.key == _HOLDER)).scalar()
        finally:
            if self._connection is None:
                connection.close()
        if not taken:
            raise held(self._database.shown, known)
