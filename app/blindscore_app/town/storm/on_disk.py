"""On disk: empty stores for one sequence, in files of SQLite or in schemas of a PostgreSQL server, gone afterwards."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from blindscore.errors import DataError
from blindscore.extras import needs
from blindscore.parties.store import Store
from blindscore_app.town.storm.faulty import RoomySqlite


@contextmanager
def on_disk(database: str = "") -> Iterator[Callable[[str], Store]]:
    """Give empty stores in files of SQLite, or in schemas of a PostgreSQL server, which are dropped afterwards."""
    if not database:
        with tempfile.TemporaryDirectory() as folder:
            yield lambda name: RoomySqlite(Path(folder) / f"{name.replace(' ', '-')}.db")
        return
    from blindscore_app.town.postgres_store import PostgresStore

    made: list[str] = []

    def schema(name: str) -> Store:
        made.append("storm_" + "".join(c if c.isalnum() else "_" for c in name))
        drop_schema(database, made[-1])  # what a campaign that was ended left there
        return PostgresStore(database, made[-1])

    try:
        yield schema
    finally:
        for name in made:
            drop_schema(database, name)


def drop_schema(conninfo: str, schema: str) -> None:
    """Drop a party's schema with all that is in it, if it is there.

    Raises
    ------
    DataError
        The server cannot be reached, or does not let this user.
    """
    with needs("town"):
        import psycopg
        from psycopg import sql

    try:
        with psycopg.connect(conninfo, autocommit=True, connect_timeout=10) as connection:
            connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(schema)))
    except psycopg.Error as error:
        raise DataError(f"PostgreSQL, schema {schema}: is not dropped: {str(error).strip()}") from None
