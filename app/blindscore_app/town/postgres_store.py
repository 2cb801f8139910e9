"""PostgresStore: a party's memory in PostgreSQL, for several servers of one party. Sharded by the key's first byte.

Each table is partitioned by list over :data:`SHARDS` shards, of which the key's leading bits choose one: nullifiers and
nonces are uniform, so shards fill alike and can be moved to machines of their own. The primary key decides who is
first. ``synchronous_commit`` is on, and refused if it is off. Migrations: a table that lacks declared fields at its end
gets them, with NULL in the rows that are there; anything else that differs is refused.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from blindscore.errors import DataError, ParameterError
from blindscore.extras import needs
from blindscore.parties.store import Row, TableSpec, checked_row
from blindscore_app.town.postgres_values import SHARDS, decode, decoded, encode, shard_of

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
        self._said: dict[tuple[str, str], bytes] = {}  # statements, put together once
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
                if connection.info.transaction_status != self._psycopg.pq.TransactionStatus.INTRANS:
                    # A party passed an error over: what came before it is undone, and a commit would not say so.
                    raise self._psycopg.OperationalError("an error in the block was passed over")
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
            if self._write(table, key, row, day):
                return None
            return self._read(table, key)

    def put(self, table: str, key: bytes, row: Row, day: int = 0) -> None:
        """See :class:`~blindscore.parties.store.Store`."""
        with self._together():
            self._write(table, key, row, day, anew=True)

    def get(self, table: str, key: bytes) -> Row | None:
        """See :class:`~blindscore.parties.store.Store`."""
        with self._errors():
            return self._read(table, key)  # one statement, whole by itself

    def take(self, table: str, key: bytes) -> Row | None:
        """See :class:`~blindscore.parties.store.Store`."""
        names = self._fields(table)

        def made() -> Any:
            query = self._named("DELETE FROM {} WHERE _shard = %s AND _key = %s RETURNING ", table)
            return query + self._list(["_key", *names])

        with self._together():
            found = self._run(self._once("take", table, made), shard_of(key), key).fetchone()
        return None if found is None else decoded(names, found[1:])

    def count_up_to(self, table: str, key: bytes, limit: int, day: int = 0) -> bool:
        """See :class:`~blindscore.parties.store.Store`."""
        if limit < 1:
            return False
        with self._together():
            # The row is there before it is locked, so that two first askers count one after the other.
            self._write(table, key, {"count": 0}, day)
            query = self._named("SELECT count FROM {} WHERE _shard = %s AND _key = %s FOR UPDATE", table)
            count = int(decode(self._run(query, shard_of(key), key).fetchone()[0]))  # type: ignore[arg-type]
            if count >= limit:
                return False
            self.put(table, key, {"count": count + 1}, day)
            return True

    def items(self, table: str) -> list[tuple[bytes, Row]]:
        """See :class:`~blindscore.parties.store.Store`."""
        names = self._fields(table)
        query = self._sql.SQL("SELECT ") + self._list(["_key", *names]) + self._named(" FROM {} ORDER BY _key", table)
        with self._errors():
            return [(bytes(row[0]), decoded(names, row[1:])) for row in self._run(query)]

    def count(self, table: str) -> int:
        """See :class:`~blindscore.parties.store.Store`."""
        with self._errors():
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

    def _write(self, table: str, key: bytes, row: Row, day: int, *, anew: bool = False) -> bool:
        """Insert a row; where its key is there already, leave that row, or write it anew. Return whether it wrote."""
        values = checked_row(self._specs[table], row)
        names = self._fields(table)

        def made() -> Any:
            every, sql = ["_shard", "_key", "_day", *names], self._sql.SQL
            query = self._named("INSERT INTO {} (", table) + self._list(every) + sql(") VALUES (")
            query += sql(", ").join([self._sql.Placeholder()] * len(every)) + sql(") ON CONFLICT (_shard, _key) DO ")
            if not anew:
                return query + sql("NOTHING")
            changed = (sql("{0} = excluded.{0}").format(self._sql.Identifier(name)) for name in every[2:])
            return query + sql("UPDATE SET ") + sql(", ").join(changed)

        query = self._once("put" if anew else "insert", table, made)
        coded = [encode(values[name]) for name in names]
        return bool(self._run(query, shard_of(key), key, day, *coded).rowcount == 1)

    def _read(self, table: str, key: bytes) -> Row | None:
        names = self._fields(table)

        def made() -> Any:
            query = self._sql.SQL("SELECT ") + self._list(["_key", *names])
            return query + self._named(" FROM {} WHERE _shard = %s AND _key = %s", table)

        found = self._run(self._once("get", table, made), shard_of(key), key).fetchone()
        return None if found is None else decoded(names, found[1:])

    def _fields(self, table: str) -> list[str]:
        return [field.name for field in self._specs[table].fields]

    def _once(self, verb: str, table: str, made: Callable[[], Any]) -> bytes:
        """Return a statement as bytes; it is put together, with its names quoted, the first time that it is said."""
        if (verb, table) not in self._said:
            self._said[verb, table] = made().as_bytes(self._connection())
        return self._said[verb, table]

    def _named(self, text: str, *names: str) -> Any:
        """Return a statement with the party's own tables in its braces."""
        return self._sql.SQL(text).format(*(self._sql.Identifier(self.schema, name) for name in names))

    def _list(self, names: list[str]) -> Any:
        return self._sql.SQL(", ").join(map(self._sql.Identifier, names))

    def _run(self, query: Any, *values: object) -> Any:
        return self._connection().execute(query, values or None)

    def _connection(self) -> Any:
        existing = getattr(self._local, "connection", None)
        if existing is not None and (self._inside or not existing.closed):
            return existing  # in a block even a lost one: what follows on another would be kept alone
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
            raise DataError(f"PostgreSQL, schema {self.schema}: nothing was kept: {str(error).strip()}") from None
