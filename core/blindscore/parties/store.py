"""Store: what a party keeps. Tables declare their columns, how long rows stay, and whether they are readable at rest.

Three operations decide everything that must happen once, and each is atomic: ``insert_once`` (who is first), ``take``
(who gets it), ``count_up_to`` (how often). Within ``atomic()`` several of them happen together or not at all.
:class:`MemoryStore` is the plain twin and the definition; :class:`~blindscore.parties.sqlite_store.SqliteStore` keeps
what it acknowledged through a crash.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Literal, Protocol

from blindscore.errors import DataError, ParameterError
from blindscore.parties.kind import Kind

Value = bytes | int | float | str | None
Row = Mapping[str, Value]
Secrecy = Literal["opaque", "own"]  # ciphertext or commitment that the party cannot read; its own keys and bookkeeping


@dataclass(frozen=True)
class Field:
    """One column of a table: what it says of a person (a view's kind), or that it says nothing readable."""

    name: str
    kind: Kind | Secrecy


@dataclass(frozen=True)
class TableSpec:
    """What a party keeps under one heading.

    Raises
    ------
    ParameterError
        Two fields have one name.
    """

    name: str
    key: Field  # of the bytes that a row is found by
    fields: tuple[Field, ...] = ()
    keep_days: int | None = None  # rows older than this are dropped by ``sweep``; None = for ever
    at_rest: Literal["readable", "sealed"] = "readable"  # sealed: whoever opens the files cannot read the fields

    def __post_init__(self) -> None:
        names = [self.key.name, *(field.name for field in self.fields)]
        if len(set(names)) != len(names):
            raise ParameterError(f"table {self.name}: two fields have one name: {', '.join(names)}")


class Store(Protocol):
    """A party's memory. Keys are bytes; a row holds a value for each declared field."""

    @property
    def specs(self) -> Mapping[str, TableSpec]:
        """The declared tables by name."""
        ...

    def declare(self, *specs: TableSpec) -> None:
        """Make tables, or find them as they were declared before.

        Raises
        ------
        ParameterError
            A table of that name exists with other fields.
        """
        ...

    def atomic(self) -> AbstractContextManager[None]:
        """Make what happens inside happen wholly, or not at all if an exception leaves it. Others wait; may nest."""
        ...

    def insert_once(self, table: str, key: bytes, row: Row, day: int = 0) -> Row | None:
        """Insert a row unless its key is there. Return None if inserted, else the row that was there first."""
        ...

    def put(self, table: str, key: bytes, row: Row, day: int = 0) -> None:
        """Insert or replace a row."""
        ...

    def get(self, table: str, key: bytes) -> Row | None:
        """Return a row, or None."""
        ...

    def take(self, table: str, key: bytes) -> Row | None:
        """Remove a row and return it, or return None: of many who ask at once, one gets it."""
        ...

    def count_up_to(self, table: str, key: bytes, limit: int, day: int = 0) -> bool:
        """Add one to a counter, in a table whose only field is ``count``, unless it stands at ``limit``."""
        ...

    def items(self, table: str) -> list[tuple[bytes, Row]]:
        """Return all rows with their keys, by key."""
        ...

    def count(self, table: str) -> int:
        """Return how many rows there are."""
        ...

    def sweep(self, day: int) -> int:
        """Drop every row that has outlived its table's retention on this day; return how many."""
        ...


COUNT = Field("count", "own")


@dataclass(frozen=True)
class Write:
    """One row as it was written, kept by the memory twin so that an experimenter sees also what was later removed."""

    table: str
    key: bytes
    row: Row


class MemoryStore:
    """The twin in memory: for simulations and tests; a restart forgets it. Threads may share it."""

    def __init__(self, *specs: TableSpec) -> None:
        self._lock = threading.RLock()
        self._specs: dict[str, TableSpec] = {}
        self._rows: dict[str, dict[bytes, tuple[int, Row]]] = {}
        self.journal: list[Write] = []
        self._before: list[tuple[str, bytes, tuple[int, Row] | None]] = []  # what stood there, in transactions
        self._depth = 0  # of transactions
        self.declare(*specs)

    def copy(self) -> MemoryStore:
        """Return a store of the same rows and an empty journal; neither knows of the other from then on."""
        other = MemoryStore(*self._specs.values())
        with self._lock:
            other._rows = {name: dict(rows) for name, rows in self._rows.items()}
        return other

    def dated(self, table: str) -> list[tuple[bytes, Row, int]]:
        """Return all rows with their keys and the days from which their retention counts, by key."""
        with self._lock:
            return [(key, row, day) for key, (day, row) in sorted(self._rows[table].items())]

    @property
    def specs(self) -> Mapping[str, TableSpec]:
        """See :class:`Store`."""
        return self._specs

    def declare(self, *specs: TableSpec) -> None:
        """See :class:`Store`."""
        for spec in specs:
            if self._specs.setdefault(spec.name, spec) != spec:
                raise ParameterError(f"table {spec.name} was declared with other fields")
            self._rows.setdefault(spec.name, {})

    @contextmanager
    def atomic(self) -> Iterator[None]:
        """See :class:`Store`."""
        with self._lock:
            begun = len(self._before)
            self._depth += 1
            try:
                yield
            except BaseException:
                while len(self._before) > begun:
                    table, key, before = self._before.pop()
                    if before is None:
                        self._rows[table].pop(key, None)
                    else:
                        self._rows[table][key] = before
                raise
            finally:
                self._depth -= 1
                if not self._depth:
                    self._before.clear()

    def insert_once(self, table: str, key: bytes, row: Row, day: int = 0) -> Row | None:
        """See :class:`Store`."""
        with self._lock:
            found = self._rows[table].get(key)
            if found is not None:
                return found[1]
            self._write(table, key, row, day)
            return None

    def put(self, table: str, key: bytes, row: Row, day: int = 0) -> None:
        """See :class:`Store`."""
        with self._lock:
            self._write(table, key, row, day)

    def get(self, table: str, key: bytes) -> Row | None:
        """See :class:`Store`."""
        with self._lock:
            found = self._rows[table].get(key)
            return None if found is None else found[1]

    def take(self, table: str, key: bytes) -> Row | None:
        """See :class:`Store`."""
        with self._lock:
            found = self._rows[table].get(key)
            self._drop(table, key)
            return None if found is None else found[1]

    def count_up_to(self, table: str, key: bytes, limit: int, day: int = 0) -> bool:
        """See :class:`Store`."""
        with self._lock:
            found = self._rows[table].get(key)
            count = 0 if found is None else int(found[1]["count"] or 0)
            if count >= limit:
                return False
            self._write(table, key, {"count": count + 1}, day)
            return True

    def items(self, table: str) -> list[tuple[bytes, Row]]:
        """See :class:`Store`."""
        with self._lock:
            return [(key, row) for key, (_, row) in sorted(self._rows[table].items())]

    def count(self, table: str) -> int:
        """See :class:`Store`."""
        with self._lock:
            return len(self._rows[table])

    def sweep(self, day: int) -> int:
        """See :class:`Store`."""
        dropped = 0
        with self._lock:
            for name, spec in self._specs.items():
                if spec.keep_days is None:
                    continue
                stale = [key for key, (written, _) in self._rows[name].items() if written < day - spec.keep_days]
                for key in stale:
                    self._drop(name, key)
                dropped += len(stale)
        return dropped

    def _write(self, table: str, key: bytes, row: Row, day: int) -> None:
        row = checked_row(self._specs[table], row)
        self._note(table, key)
        self._rows[table][key] = day, row
        self.journal.append(Write(table, key, row))

    def _drop(self, table: str, key: bytes) -> None:
        self._note(table, key)
        self._rows[table].pop(key, None)

    def _note(self, table: str, key: bytes) -> None:
        """Note what stands there, while a transaction may still be undone."""
        if self._depth:
            self._before.append((table, key, self._rows[table].get(key)))


def blob_of(row: Row, name: str) -> bytes:
    """Return a field of a row that holds bytes.

    Raises
    ------
    DataError
        It holds something else: whoever wrote it was not the party that reads it.
    """
    value = row[name]
    if not isinstance(value, bytes | memoryview):  # a server's library may hand out its own buffer
        raise DataError(f"a stored {name} does not hold bytes; the store was written by something else")
    return bytes(value)


def close_store(store: Store) -> None:
    """Close what a store holds open: files, or a server's connections; one in memory holds nothing."""
    close = getattr(store, "close", None)
    if close is not None:
        close()


def checked_row(spec: TableSpec, row: Row) -> Row:
    """Return a copy of a row that has a value for each declared field, and no other.

    Raises
    ------
    ParameterError
        Fields are missing or were not declared.
    """
    names = [field.name for field in spec.fields]
    if sorted(row) != sorted(names):
        raise ParameterError(f"table {spec.name} has the fields {', '.join(names)}; got {', '.join(sorted(row))}")
    return {name: row[name] for name in names}
