"""Nullifiers that survive a crash: what was spent once stays spent, and exactly one of many concurrent spenders wins.

Who sees what: whoever holds the file sees random-looking 32-byte strings and request digests, nothing of persons.
The unique key decides, not a look before the write; SQLite commits in WAL mode with synchronous=FULL, so that an
acknowledged spend survives power loss. Redemption is idempotent: the same request gets the same answer, since a reply
can be lost after the commit. Not protected: deleting or replacing the file.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from blindscore.errors import DataError

DIGEST_BYTES = 32
_WAIT_S = 30.0  # how long a writer waits for another


class Nullifiers(Protocol):
    """What has been spent, and by which request."""

    def spend(self, nullifiers: Sequence[bytes], request: bytes) -> bool:
        """Spend all of them for this request, or none.

        Returns True if all were unspent, or if this very request spent them before (an answer may be asked for
        twice); False if any was spent by another request.
        """
        ...


class MemoryNullifiers:
    """Nullifiers in memory: for tests and simulations; a restart forgets them."""

    def __init__(self) -> None:
        self._spent: dict[bytes, bytes] = {}

    def spend(self, nullifiers: Sequence[bytes], request: bytes) -> bool:
        """See :class:`Nullifiers`."""
        if any(self._spent.get(nullifier, request) != request for nullifier in nullifiers):
            return False
        self._spent.update(dict.fromkeys(nullifiers, request))
        return True


class SqliteNullifiers:
    """Nullifiers in a file, for any number of threads and processes.

    Parameters
    ----------
    path
        The database file; made if it is not there.

    Raises
    ------
    DataError
        The file cannot be opened, is no database, or does not keep what it acknowledges.
    """

    def __init__(self, path: Path | str) -> None:
        self._path = str(path)
        self._local = threading.local()
        self._connection()

    def _connection(self) -> sqlite3.Connection:
        """One connection a thread; SQLite's own lock keeps threads and processes apart."""
        existing: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if existing is not None:
            return existing
        try:
            connection = sqlite3.connect(self._path, timeout=_WAIT_S, isolation_level=None)
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            (level,) = connection.execute("PRAGMA synchronous").fetchone()
            connection.execute(
                "CREATE TABLE IF NOT EXISTS spent (nullifier BLOB PRIMARY KEY, request BLOB NOT NULL) WITHOUT ROWID"
            )
        except sqlite3.Error as error:
            raise DataError(f"nullifiers cannot be kept in {self._path}: {error}") from None
        if level != 2:
            raise DataError(f"{self._path}: the database does not write through (synchronous={level}, 2 is needed)")
        self._local.connection = connection
        return connection

    def spend(self, nullifiers: Sequence[bytes], request: bytes) -> bool:
        """See :class:`Nullifiers`; on return the outcome is on disk.

        Raises
        ------
        DataError
            A digest has a wrong length, or the database fails or stays locked; then nothing was spent.
        """
        if any(len(digest) != DIGEST_BYTES for digest in (*nullifiers, request)):
            raise DataError(f"nullifiers and requests are digests of {DIGEST_BYTES} bytes")
        connection = self._connection()
        try:
            connection.execute("BEGIN IMMEDIATE")
            try:
                for nullifier in nullifiers:
                    row = (bytes(nullifier), bytes(request))
                    connection.execute("INSERT INTO spent VALUES (?, ?) ON CONFLICT DO NOTHING", row)
                    (spender,) = connection.execute("SELECT request FROM spent WHERE nullifier = ?", row[:1]).fetchone()
                    if spender != request:
                        connection.execute("ROLLBACK")
                        return False
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise DataError(f"{self._path}: the nullifier was not spent: {error}") from None
        return True

    def __len__(self) -> int:
        """How many nullifiers are spent."""
        (count,) = self._connection().execute("SELECT count(*) FROM spent").fetchone()
        return int(count)

    def close(self) -> None:
        """Close this thread's connection."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._local.connection = None
