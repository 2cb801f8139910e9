"""SqliteStore: a party's memory in one file, for any number of threads and processes; what was acknowledged stays.

The unique key decides who is first, not a look before the write. WAL with ``synchronous=FULL``: an acknowledged write
survives loss of power. Who sees what: whoever holds the file reads every field of tables that are readable at rest.
Not protected: deleting or replacing the file.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from blindscore.errors import DataError, ParameterError
from blindscore.parties.store import Row, TableSpec, checked_row

KEY, DAY = "_key", "_day"  # columns of every table; fields may be called what they like
WAIT_S = 30.0  # how long a writer waits for another
AGAIN_S = 0.01
_FULL = 2
_OUTERMOST = "BEGIN IMMEDIATE", "COMMIT", ("ROLLBACK",)
_NESTED = "SAVEPOINT nested", "RELEASE nested", ("ROLLBACK TO nested", "RELEASE nested")


class SqliteStore:
    """A :class:`~blindscore.parties.store.Store` in a file.

    Raises
    ------
    DataError
        The file cannot be opened, is no database, or does not write through.
    """

    def __init__(self, path: Path | str, *specs: TableSpec) -> None:
        self.path = str(path)
        self._local = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self._specs: dict[str, TableSpec] = {}
        try:
            self.declare(*specs)
        except BaseException:
            self.close()
            raise

    @property
    def specs(self) -> Mapping[str, TableSpec]:
        """See :class:`~blindscore.parties.store.Store`."""
        return self._specs

    def declare(self, *specs: TableSpec) -> None:
        """See :class:`~blindscore.parties.store.Store`."""
        for spec in specs:
            if self._specs.setdefault(spec.name, spec) != spec:
                raise ParameterError(f"table {spec.name} was declared with other fields")
            columns = "".join(f", {_quoted(field.name)}" for field in spec.fields)
            with self._errors(), self._together():
                self._run(
                    f"CREATE TABLE IF NOT EXISTS {_quoted(spec.name)} "
                    f"({KEY} BLOB PRIMARY KEY, {DAY} INTEGER NOT NULL{columns}) WITHOUT ROWID"
                )
                found = [row[1] for row in self._run(f"PRAGMA table_info({_quoted(spec.name)})")]
                if found != [KEY, DAY, *(field.name for field in spec.fields)]:
                    raise ParameterError(f"{self.path}: table {spec.name} was made with other fields: {found}")

    @contextmanager
    def atomic(self) -> Iterator[None]:
        """See :class:`~blindscore.parties.store.Store`."""
        connection = self._connection()
        inside = connection.in_transaction
        begin, keep, undo = _NESTED if inside else _OUTERMOST
        with self._errors():
            connection.execute(begin)
        try:
            yield
            with self._errors():
                connection.execute(keep)
        except BaseException:
            if connection.in_transaction:
                for step in undo:
                    connection.execute(step)
            raise

    def _together(self) -> AbstractContextManager[None]:
        """One operation is whole by itself where a block around it is open already."""
        return nullcontext() if self._connection().in_transaction else self.atomic()

    def insert_once(self, table: str, key: bytes, row: Row, day: int = 0) -> Row | None:
        """See :class:`~blindscore.parties.store.Store`."""
        with self._together(), self._errors():
            if self._write(table, key, row, day, "ON CONFLICT DO NOTHING"):
                return None
            return self._read(table, key)

    def put(self, table: str, key: bytes, row: Row, day: int = 0) -> None:
        """See :class:`~blindscore.parties.store.Store`."""
        fields = [DAY, *(field.name for field in self._specs[table].fields)]
        change = ", ".join(f"{_quoted(f)} = excluded.{_quoted(f)}" for f in fields)
        with self._together(), self._errors():
            self._write(table, key, row, day, f"ON CONFLICT ({KEY}) DO UPDATE SET {change}")

    def get(self, table: str, key: bytes) -> Row | None:
        """See :class:`~blindscore.parties.store.Store`."""
        with self._errors():
            return self._read(table, key)

    def take(self, table: str, key: bytes) -> Row | None:
        """See :class:`~blindscore.parties.store.Store`."""
        with self._together(), self._errors():
            row = self._read(table, key)
            self._run(f"DELETE FROM {_quoted(table)} WHERE {KEY} = ?", key)
            return row

    def count_up_to(self, table: str, key: bytes, limit: int, day: int = 0) -> bool:
        """See :class:`~blindscore.parties.store.Store`."""
        if limit < 1:
            return False
        with self._together(), self._errors():
            changed = self._run(
                f"INSERT INTO {_quoted(table)} ({KEY}, {DAY}, count) VALUES (?, ?, 1) ON CONFLICT ({KEY}) "
                f"DO UPDATE SET count = count + 1, {DAY} = excluded.{DAY} WHERE count < ?",
                key,
                day,
                limit,
            )
            return changed.rowcount == 1

    def items(self, table: str) -> list[tuple[bytes, Row]]:
        """See :class:`~blindscore.parties.store.Store`."""
        names = [field.name for field in self._specs[table].fields]
        with self._errors():
            rows = self._run(f"SELECT {', '.join(map(_quoted, [KEY, *names]))} FROM {_quoted(table)} ORDER BY {KEY}")
            return [(bytes(row[0]), dict(zip(names, row[1:], strict=True))) for row in rows]

    def count(self, table: str) -> int:
        """See :class:`~blindscore.parties.store.Store`."""
        with self._errors():
            return int(self._run(f"SELECT count(*) FROM {_quoted(table)}").fetchone()[0])

    def sweep(self, day: int) -> int:
        """See :class:`~blindscore.parties.store.Store`."""
        kept = {name: spec.keep_days for name, spec in self._specs.items() if spec.keep_days is not None}
        with self._together(), self._errors():
            return sum(
                self._run(f"DELETE FROM {_quoted(name)} WHERE {DAY} < ?", day - days).rowcount
                for name, days in kept.items()
            )

    def close(self) -> None:
        """Close every thread's connection; the store is used no more."""
        for connection in self._opened:
            connection.close()
        self._opened.clear()
        self._local = threading.local()

    def _write(self, table: str, key: bytes, row: Row, day: int, otherwise: str) -> bool:
        values = checked_row(self._specs[table], row)
        names = [KEY, DAY, *values]
        marks = ", ".join("?" * len(names))
        sql = f"INSERT INTO {_quoted(table)} ({', '.join(map(_quoted, names))}) VALUES ({marks}) {otherwise}"
        return self._run(sql, key, day, *values.values()).rowcount == 1

    def _read(self, table: str, key: bytes) -> Row | None:
        names = [field.name for field in self._specs[table].fields]
        shown = ", ".join(map(_quoted, names)) or "1"
        found = self._run(f"SELECT {shown} FROM {_quoted(table)} WHERE {KEY} = ?", key).fetchone()
        return None if found is None else dict(zip(names, found, strict=False))

    def _run(self, sql: str, *values: object) -> sqlite3.Cursor:
        return self._connection().execute(sql, values)

    def _connection(self) -> sqlite3.Connection:
        """One connection a thread and process; SQLite's own lock keeps them apart, and none outlives a fork."""
        existing: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if existing is not None and self._local.process == os.getpid():
            return existing
        with self._errors():
            # Closed by whoever closes the store, in another thread perhaps.
            connection = sqlite3.connect(self.path, timeout=WAIT_S, isolation_level=None, check_same_thread=False)
            _write_ahead(connection)
            connection.execute("PRAGMA synchronous=FULL")
            (level,) = connection.execute("PRAGMA synchronous").fetchone()
        if level != _FULL:
            connection.close()
            raise DataError(f"{self.path}: the database does not write through (synchronous={level}, 2 is needed)")
        self._local.connection, self._local.process = connection, os.getpid()
        self._opened.append(connection)
        return connection

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise DataError(f"{self.path}: nothing was kept: {error}") from None


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switch to a write-ahead log. SQLite does not wait where another process does so just then: it is asked again.

    Raises
    ------
    sqlite3.Error
        Another process holds the file for longer than :data:`WAIT_S`.
    """
    due = time.monotonic() + WAIT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > due:
                raise
            time.sleep(AGAIN_S)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
