"""Order: what whoever seizes a party's files, or the memory of its process, finds of the town's people.

The files are opened as files, and tables that are on a server are read there: the party does not help, and its keys are
not asked for. A person is *named* in a place
if its legal id stands there, *read* if one of its figures does, as text or as an 8-byte float. What is under the keys'
passphrase stays shut; with the passphrase in hand, the keys of these designs decrypt nothing of a person, since nothing
that an institution stores is encrypted to it.
"""

from __future__ import annotations

import re
import sqlite3
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blindscore.errors import DataError
from blindscore.parties.sqlite_store import DAY
from blindscore_app.town.folders import STORE, folder_of, schema_of

CHUNK = 1 << 18
ZEROS = bytes(CHUNK)
TELLING = 6  # bytes: shorter figures stand anywhere by chance
People = Mapping[str, Mapping[str, Any]]  # legal id -> figures


@dataclass(frozen=True)
class Exposed:
    """What one place gives away."""

    place: str
    rows: int  # of a table; 0 of a file or of memory
    columns: str
    named: int  # people whose legal id stands there
    read: int  # people of whom at least one figure stands there
    decisions: int  # rows that say approved or refused, nobody's by name
    totals: int = 0  # rows that hold somebody's total points, nobody's by name


@dataclass(frozen=True)
class Place:
    """One table of a store, or one other file, as it lies there.

    Parameters
    ----------
    rows
        Of a table, cell by cell; of any other file none.
    blob
        All that stands there, as bytes.
    """

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    blob: bytes

    def named(self, people: People) -> frozenset[str]:
        """Return the people whose legal id stands here."""
        return frozenset(who for who in people if who.encode() in self.blob)

    def read(self, people: People) -> frozenset[str]:
        """Return the people one of whose figures stands here."""
        return frozenset(who for who, figures in people.items() if any(code in self.blob for code in _codes(figures)))

    def cells(self, column: str) -> list[Any]:
        """Return a column of a table; nothing where there is none of that name."""
        return [row[self.columns.index(column)] for row in self.rows] if column in self.columns else []

    def exposed(self, people: People) -> Exposed:
        """Return what this gives away."""
        decisions, totals = (sum(c is not None for c in self.cells(what)) for what in ("approved", "total"))
        named, read = len(self.named(people)), len(self.read(people))
        return Exposed(self.name, len(self.rows), ", ".join(self.columns), named, read, decisions, totals)


def places(folder: Path, since: int = 0) -> list[Place]:
    """Return all that lies in a party's folder.

    Parameters
    ----------
    since
        Day (since 1970) before which no row is taken; rows that bear no day, and files, are taken whole.

    Raises
    ------
    DataError
        The folder is not there.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no party's folder lies here")
    found = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        if path.suffix == ".db":
            found += list(_tables(path, since))
        elif not path.name.endswith(("-wal", "-shm")):
            found.append(Place(path.name, (), (), path.read_bytes()))
    return found


def of_party(town: Path, name: str, since: int = 0, database: str = "") -> list[Place]:
    """Return all that an institution of a town keeps: its folder, and its tables where they are on a server.

    Parameters
    ----------
    since
        See :func:`places`.
    database
        How libpq reaches the town's PostgreSQL, "" where stores are files.

    Raises
    ------
    DataError
        The folder is not there, its tables are on a server and nobody said how to reach it, or it cannot be reached.
    """
    folder = folder_of(town, name)
    found = places(folder, since)
    if database:
        from blindscore_app.town.postgres_order import tables_of

        return [*found, *tables_of(database, schema_of(name), since)]
    if not (folder / STORE).exists():
        raise DataError(
            f"{folder}: no {STORE} lies here; if the tables are in PostgreSQL, say how to reach it: --database"
        )
    return found


def seize(folder: Path, people: People, since: int = 0) -> list[Exposed]:
    """Search a folder, of a party or of all wallets: every table in it, and every other file as bytes.

    Parameters
    ----------
    people
        Legal id -> figures, which the state that searches knows of everybody (its own register, and what it is after).
    since
        See :func:`places`.

    Raises
    ------
    DataError
        The folder is not there.
    """
    return telling(places(folder, since), people)


def telling(found: Iterable[Place], people: People) -> list[Exposed]:
    """Return what places give away, those aside in which nothing stands."""
    exposed = [place.exposed(people) for place in found]
    return [one for one in exposed if one.rows or one.named or one.read]


def memory(pid: int, people: People) -> Exposed:
    """Search the memory of a running process, as a debugger reads it; needs the right to do so (root, or ptrace).

    Raises
    ------
    DataError
        The process is not there, or may not be read.
    """
    named: set[str] = set()
    read: set[str] = set()
    wanted = {who: list(_codes(figures)) for who, figures in people.items()}
    try:
        with Path(f"/proc/{pid}/maps").open(encoding="ascii") as maps, Path(f"/proc/{pid}/mem").open("rb", 0) as mem:
            for line in maps:
                match = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line)
                if match is None:
                    continue
                start, end = (int(part, 16) for part in match.groups())
                for chunk in _chunks(mem, start, end):
                    if chunk == ZEROS[: len(chunk)]:  # most of what a process was given and never touched
                        continue
                    named |= {who for who in wanted if who not in named and who.encode() in chunk}
                    read |= {
                        who for who, codes in wanted.items() if who not in read and any(code in chunk for code in codes)
                    }
    except OSError as error:
        raise DataError(f"process {pid}: its memory cannot be read: {error.strerror}") from None
    return Exposed(f"memory of process {pid}", 0, "", len(named), len(read), 0)


def _chunks(mem: Any, start: int, end: int) -> Iterator[bytes]:
    at = start
    while at < end:
        try:
            mem.seek(at)
            chunk = mem.read(min(CHUNK, end - at))
        except (OSError, ValueError, OverflowError):
            return
        if not chunk:
            return
        yield chunk
        at += max(1, len(chunk) - 64) if at + len(chunk) < end else len(chunk)


def _tables(path: Path, since: int) -> Iterator[Place]:
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for name in names:
            columns = tuple(row[1] for row in connection.execute(f'PRAGMA table_info("{name}")'))
            dated = since and DAY in columns
            young = f" WHERE {DAY} >= {since:d} OR {DAY} = 0" if dated else ""
            rows = tuple(connection.execute(f'SELECT * FROM "{name}"{young}'))
            yield Place(f"table {name}", columns, rows, b"\0".join(cell(value) for row in rows for value in row))
    except sqlite3.Error as error:
        raise DataError(f"{path}: {error}") from None
    finally:
        connection.close()


def cell(value: object) -> bytes:
    """Return a cell's bytes: as they are, a float's eight, anything else's text."""
    if isinstance(value, bytes):
        return value
    return struct.pack("<d", value) if isinstance(value, float) else str(value).encode()


def _codes(figures: Mapping[str, Any]) -> Iterator[bytes]:
    """Yield the encodings by which a person's figures are looked for; round numbers are anybody's and are left out."""
    for value in figures.values():
        if isinstance(value, float) and value == value and not (64 * value).is_integer():
            yield from (struct.pack("<d", value), struct.pack(">d", value))
            text = repr(value).encode()
            if len(text) >= TELLING + 3:
                yield text
