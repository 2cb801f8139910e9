"""An order on a server: reads the tables of one party's schema as whoever seizes the database would, changing nothing.

Who sees what: every row that is there. Not searched: what the server's own files still hold of rows that were dropped,
until it vacuums and its log is overwritten.
"""

from __future__ import annotations

from blindscore.errors import DataError
from blindscore.extras import needs
from blindscore.parties.sqlite_store import DAY, KEY
from blindscore_app.town.order import Place, cell
from blindscore_app.town.postgres_values import decoded


def tables_of(conninfo: str, schema: str, since: int = 0) -> list[Place]:
    """Return every table of a schema, by name.

    Parameters
    ----------
    since
        Day (since 1970) before which no row is taken; rows that bear no day are taken whole.

    Raises
    ------
    DataError
        The server cannot be reached, or has no such schema.
    """
    with needs("town"):
        import psycopg
        from psycopg import sql

    try:
        with psycopg.connect(conninfo, connect_timeout=10) as connection:
            connection.read_only = True
            columns: dict[str, list[str]] = {}
            for table, column in connection.execute(
                "SELECT table_name, column_name FROM information_schema.columns "
                "JOIN pg_class ON relname = table_name AND relnamespace::regnamespace::text = table_schema "
                "WHERE table_schema = %s AND NOT relispartition ORDER BY table_name, ordinal_position",
                (schema,),
            ):
                columns.setdefault(table, []).append(column)
            found = []
            for table, names in columns.items():
                shown = [KEY, DAY, *(name for name in names if not name.startswith("_"))]
                query = sql.SQL("SELECT {} FROM {}").format(
                    sql.SQL(", ").join(map(sql.Identifier, shown)), sql.Identifier(schema, table)
                )
                if since:
                    query += sql.SQL(" WHERE {day} >= {since} OR {day} = 0").format(
                        day=sql.Identifier(DAY), since=sql.Literal(since)
                    )
                rows = tuple(
                    (bytes(key), day, *decoded(shown[2:], values).values())
                    for key, day, *values in connection.execute(query)
                )
                blob = b"\0".join(cell(value) for row in rows for value in row)
                found.append(Place(f"table {table}", tuple(shown), rows, blob))
    except psycopg.Error as error:
        raise DataError(f"PostgreSQL, schema {schema}: cannot be read: {str(error).strip()}") from None
    if not found:
        raise DataError(f"PostgreSQL, schema {schema}: no tables of a party there")
    return found
