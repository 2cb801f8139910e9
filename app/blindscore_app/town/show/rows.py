"""Rows: what an order finds, row by row, in the databases of one party, opened as files with no help from it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from blindscore.errors import DataError

SHOWN = 8  # rows of a table that a page shows
LONGEST = 12  # bytes of a cell that are shown
Says = Literal["name", "figure", "decision", "total", ""]


@dataclass(frozen=True)
class Cell:
    """One value, as text for people."""

    text: str
    says: Says  # what it tells of a person; "" = nothing that anybody can read


@dataclass(frozen=True)
class Rows:
    """The rows of one table that speak of whom an order is after; of everybody, all."""

    place: str  # file and table
    columns: tuple[str, ...]
    found: int  # rows that the order is after
    total: int  # rows of the table
    shown: tuple[tuple[Cell, ...], ...]  # the first of those found


def seized_rows(
    folder: Path, people: Mapping[str, Mapping[str, Any]], *, one_person: bool, shown: int = SHOWN
) -> list[Rows]:
    """Return the rows of every table in a party's folder that an order finds.

    Parameters
    ----------
    people
        Legal id -> figures, of those whom the order is after.
    one_person
        Leave out rows that neither name nor show a figure of these people.

    Raises
    ------
    DataError
        A file is no database.
    """
    return [rows for path in sorted(folder.rglob("*.db")) for rows in _tables(path, people, one_person, shown)]


def _tables(path: Path, people: Mapping[str, Mapping[str, Any]], one_person: bool, shown: int) -> Iterator[Rows]:
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    names = {who.encode() for who in people}
    figures = {value for own in people.values() for value in own.values() if isinstance(value, float)}
    try:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            quoted = table.replace('"', '""')
            reader = connection.execute(f'SELECT * FROM "{quoted}"')
            columns = tuple(column[0] for column in reader.description)
            rows = [tuple(_cell(c, v, names, figures) for c, v in zip(columns, row, strict=True)) for row in reader]
            wanted = [row for row in rows if not one_person or any(cell.says == "name" for cell in row)]
            if wanted:
                place = f"{path.parent.name}/{path.name}, table {table}"
                yield Rows(place, columns, len(wanted), len(rows), tuple(wanted[:shown]))
    except sqlite3.Error as error:
        raise DataError(f"{path}: {error}") from None
    finally:
        connection.close()


def _cell(column: str, value: object, names: set[bytes], figures: set[float]) -> Cell:
    if isinstance(value, float):
        return Cell(f"{value:.6g}", "figure" if value in figures else "")
    raw = value if isinstance(value, bytes) else str(value).encode()
    says: Says = "name" if any(name in raw for name in names) else ""
    if column == "approved" and value is not None:
        return Cell("approved" if value else "refused", "decision")
    if column == "total" and value is not None:
        return Cell(f"{value} points", "total")
    if not isinstance(value, bytes):
        return Cell("" if value is None else str(value), says)
    if says and len(raw) <= 4 * LONGEST:
        return Cell(raw.decode("utf-8", "replace"), says)
    more = f"... ({len(raw)} bytes)" if len(raw) > LONGEST else ""
    return Cell(raw[:LONGEST].hex(" ", 2) + more, says)
