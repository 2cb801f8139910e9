"""PostgresStore: a party's memory in PostgreSQL, for several servers of one party. Sharded by the key's first byte.

Each table is partitioned by list over :data:`SHARDS` shards, of which the key's leading bits choose one: nullifiers and
nonces are uniform, so shards fill alike and can be moved to machines of their own. The primary key decides who is
first. ``synchronous_commit`` is on, and refused if it is off. Migrations: a table that lacks declared fields at its end
gets them, with NULL in the rows that are there; anything else that differs is refused.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from blindscore.errors import DataError, ParameterError
from blindscore.extras import needs
from blindscore.parties.store import Row, TableSpec, checked_row

SHARDS = 8  # a power of two, up to 256
WAIT_MS = 30_000  # how long a writer waits for another


class PostgresStore:
    """A :class:`~blindscore.parties.store.Store` in a PostgreSQL database.

    Parameters
    ----------
    conninfo
        As libpq takes it: "host=... dbname=..." or an URL.
    schema
        Name of the party's own schema; made if it is not there.

    Raises
    ------
    MissingExtraError
        The extra ``town`` is not installed.
    DataError
        The server cannot be reached, or does not write through.
    """

    def __init__(self, conninfo: str, schema: str, *specs: TableSpec) -> None:
        with needs("town"):
            import psycopg
            from psycopg import sql
        self._psycopg, self._sql = psycopg, sql
        self.conninfo, self.schema = conninfo, schema
        self._local = threading.local()
        self._opened: list[Any] = []
        self._specs: dict[str, TableSpec] = {}
        try:
            with self._errors(), self._together():
                self._run("SELECT pg_advisory_xact_lock(hashtext(%s))", schema)  # two servers may start at once
                self._run(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema)))
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
            with self._errors(), self._together():
                self._run("SELECT pg_advisory_xact_lock(hashtext(%s))", self.schema)
                self._make(spec)

    def _make(self, spec: TableSpec) -> None:
        """Make a table with its shards, or add the fields that it lacks."""
        found = self._columns(spec.name)
        wanted = ["_shard", "_key", "_day", *(field.name for field in spec.fields)]
        if not found:
            self._run(
                self._named(
                    "CREATE TABLE {} (_shard smallint NOT NULL, _key bytea NOT NULL, _day bigint NOT NULL, "
                    "PRIMARY KEY (_shard, _key)) PARTITION BY LIST (_shard)",
                    spec.name,
                )
            )
            for shard in range(SHARDS):
                part = f"{spec.name}_{shard}"
                self._run(self._named(f"CREATE TABLE {{}} PARTITION OF {{}} FOR VALUES IN ({shard})", part, spec.name))
            found = wanted[:3]
        if found != wanted[: len(found)]:
            raise ParameterError(f"schema {self.schema}: table {spec.name} was made with other fields: {found}")
        for name in wanted[len(found) :]:
            # One column for every kind of value: what is bytes, a number or a word is told by its first byte.
            column = self._sql.SQL(" ADD COLUMN {} bytea").format(self._sql.Identifier(name))
            self._run(self._named("ALTER TABLE {}", spec.name) + column)

    def _columns(self, table: str) -> list[str]:
        rows = self._run(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = %s AND table_name = %s "
            "ORDER BY ordinal_position",
            self.schema,
            table,
        )
        return [row[0] for row in rows]

    @contextmanager
    def atomic(self) -> Iterator[None]:
        """See :class:`~blindscore.parties.store.Store`."""
        connection, outer = self._connection(), self._inside
        self._local.inside = True
        try:
            with self._errors(), connection.transaction():  # a savepoint, where a block around it is open already
                yield
        finally:
            self._local.inside = outer

    @property
    def _inside(self) -> bool:
        return bool(getattr(self._local, "inside", False))

    def _together(self) -> AbstractContextManager[None]:
        """One operation is whole by itself where a block around it is open already."""
        return nullcontext() if self._inside else self.atomic()

    def insert_once(self, table: str, key: bytes, row: Row, day: int = 0) -> Row | None:
        """See :class:`~blindscore.parties.store.Store`."""
        with self._together():
            if self._write(table, key, row, day, "DO NOTHING"):
                return None
            return self._read(table, key)

    def put(self, table: str, key: bytes, row: Row, day: int = 0) -> None:
        """See :class:`~blindscore.parties.store.Store`."""
        names = ["_day", *(field.name for field in self._specs[table].fields)]
        change = self._sql.SQL(", ").join(
            self._sql.SQL("{0} = excluded.{0}").format(self._sql.Identifier(name)) for name in names
        )
        with self._together():
            self._write(table, key, row, day, self._sql.SQL("DO UPDATE SET {}").format(change))

    def get(self, table: str, key: bytes) -> Row | None:
        """See :class:`~blindscore.parties.store.Store`."""
        with self._errors(), self._together():
            return self._read(table, key)

    def take(self, table: str, key: bytes) -> Row | None:
        """See :class:`~blindscore.parties.store.Store`."""
        names = [field.name for field in self._specs[table].fields]
        query = self._named("DELETE FROM {} WHERE _shard = %s AND _key = %s RETURNING ", table)
        with self._together():
            found = self._run(query + self._list(["_key", *names]), shard_of(key), key).fetchone()
        return None if found is None else decoded(names, found[1:])

    def count_up_to(self, table: str, key: bytes, limit: int, day: int = 0) -> bool:
        """See :class:`~blindscore.parties.store.Store`."""
        if limit < 1:
            return False
        with self._together():
            # The row is there before it is locked, so that two first askers count one after the other.
            self._write(table, key, {"count": 0}, day, "DO NOTHING")
            query = self._named("SELECT count FROM {} WHERE _shard = %s AND _key = %s FOR UPDATE", table)
            count = int(_decode(self._run(query, shard_of(key), key).fetchone()[0]))  # type: ignore[arg-type]
            if count >= limit:
                return False
            self.put(table, key, {"count": count + 1}, day)
            return True

    def items(self, table: str) -> list[tuple[bytes, Row]]:
        """See :class:`~blindscore.parties.store.Store`."""
        names = [field.name for field in self._specs[table].fields]
        query = self._sql.SQL("SELECT ") + self._list(["_key", *names]) + self._named(" FROM {} ORDER BY _key", table)
        with self._together():
            return [(bytes(row[0]), decoded(names, row[1:])) for row in self._run(query)]

    def count(self, table: str) -> int:
        """See :class:`~blindscore.parties.store.Store`."""
        with self._errors(), self._together():
            return int(self._run(self._named("SELECT count(*) FROM {}", table)).fetchone()[0])

    def sweep(self, day: int) -> int:
        """See :class:`~blindscore.parties.store.Store`."""
        kept = {name: spec.keep_days for name, spec in self._specs.items() if spec.keep_days is not None}
        with self._together():
            return sum(
                int(self._run(self._named("DELETE FROM {} WHERE _day < %s", name), day - days).rowcount)
                for name, days in kept.items()
            )

    def close(self) -> None:
        """Close every thread's connection; the store is used no more."""
        for connection in self._opened:
            connection.close()
        self._opened.clear()
        self._local = threading.local()

    def _write(self, table: str, key: bytes, row: Row, day: int, otherwise: Any) -> bool:
        values = checked_row(self._specs[table], row)
        names = ["_shard", "_key", "_day", *values]
        query = self._named("INSERT INTO {} (", table) + self._list(names) + self._sql.SQL(") VALUES (")
        query += self._sql.SQL(", ").join([self._sql.Placeholder()] * len(names)) + self._sql.SQL(
            ") ON CONFLICT (_shard, _key) "
        )
        query += self._sql.SQL(otherwise) if isinstance(otherwise, str) else otherwise
        coded = [_encode(value) for value in values.values()]
        return bool(self._run(query, shard_of(key), key, day, *coded).rowcount == 1)

    def _read(self, table: str, key: bytes) -> Row | None:
        names = [field.name for field in self._specs[table].fields]
        query = self._sql.SQL("SELECT ") + self._list(["_key", *names])
        query += self._named(" FROM {} WHERE _shard = %s AND _key = %s", table)
        found = self._run(query, shard_of(key), key).fetchone()
        return None if found is None else decoded(names, found[1:])

    def _named(self, text: str, *names: str) -> Any:
        """Return a statement with the party's own tables in its braces."""
        return self._sql.SQL(text).format(*(self._sql.Identifier(self.schema, name) for name in names))

    def _list(self, names: list[str]) -> Any:
        return self._sql.SQL(", ").join(map(self._sql.Identifier, names))

    def _run(self, query: Any, *values: object) -> Any:
        return self._connection().execute(query, values or None)

    def _connection(self) -> Any:
        existing = getattr(self._local, "connection", None)
        if existing is not None:
            return existing
        with self._errors():
            connection: Any = self._psycopg.connect(self.conninfo, autocommit=True, connect_timeout=10)
            connection.execute(f"SET lock_timeout = {WAIT_MS}")
            (level,) = connection.execute("SHOW synchronous_commit").fetchone()
            (fsync,) = connection.execute("SHOW fsync").fetchone()
        if level == "off" or fsync == "off":
            connection.close()
            raise DataError(f"the server does not write through (synchronous_commit={level}, fsync={fsync})")
        self._local.connection = connection
        self._opened.append(connection)
        return connection

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except self._psycopg.Error as error:
            self._local.connection = None  # whatever state it is in; the next call starts afresh
            raise DataError(f"PostgreSQL, schema {self.schema}: nothing was kept: {str(error).strip()}") from None


def shard_of(key: bytes) -> int:
    """Return a key's shard: its first byte's leading bits."""
    return (key[0] if key else 0) * SHARDS // 256


def _encode(value: object) -> bytes | None:
    """Return a value as bytes whose first one tells the kind."""
    match value:
        case None:
            return None
        case bytes():
            return b"b" + value
        case str():
            return b"s" + value.encode()
        case bool() | int():
            return b"i" + str(int(value)).encode()
        case float():
            return b"f" + value.hex().encode()
        case _:
            raise ParameterError(f"a store keeps bytes, numbers and words, no {type(value).__name__}")


def _decode(data: bytes | memoryview | None) -> bytes | int | float | str | None:
    if data is None:
        return None
    raw = bytes(data)
    match raw[:1]:
        case b"b":
            return raw[1:]
        case b"s":
            return raw[1:].decode()
        case b"i":
            return int(raw[1:])
        case b"f":
            return float.fromhex(raw[1:].decode())
        case _:
            raise DataError("a field of the database holds no value of ours; was it written by something else?")


def decoded(names: list[str], values: Any) -> Row:
    """Return a row's fields by name, from what the server holds of them."""
    return dict(zip(names, map(_decode, values), strict=True))
