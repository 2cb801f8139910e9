"""Faulty: a store whose party dies at a chosen step of its work, and which may run out of room.

A step is anything that a party does with its store: each read, each write, the moment before a commit and the moment
after it. A crash leaves what was committed and nothing else, as :mod:`blindscore.parties.sqlite_store` promises.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from blindscore.errors import DataError
from blindscore.parties.sqlite_store import SqliteStore
from blindscore.parties.store import MemoryStore, Row, Store, TableSpec

NEVER = 1 << 30


class Crash(BaseException):
    """The process ends here. No handler of errors sees it."""


class FaultyStore:
    """Passes everything on to a real store, and counts.

    Parameters
    ----------
    inner
        Keeps what is kept; it outlives the party.
    """

    def __init__(self, inner: Store) -> None:
        self.inner = inner
        self.crash_in = NEVER  # steps left to live
        self.full = False
        self.steps = 0

    def mend(self) -> None:
        """End all faults."""
        self.crash_in, self.full = NEVER, False
        if isinstance(self.inner, RoomySqlite):
            self.inner.room(True)

    def fill(self) -> None:
        """Let there be no room from now on."""
        if isinstance(self.inner, RoomySqlite):
            self.inner.room(False)  # the database itself says that it is full
        else:
            self.full = True

    def _step(self) -> None:
        self.steps += 1
        self.crash_in -= 1
        if self.crash_in < 0:
            raise Crash

    def _write(self) -> None:
        self._step()
        if self.full:
            raise DataError("nothing was kept: the disk is full")

    @property
    def specs(self) -> Mapping[str, TableSpec]:
        """See :class:`~blindscore.parties.store.Store`."""
        return self.inner.specs

    def declare(self, *specs: TableSpec) -> None:
        """See :class:`~blindscore.parties.store.Store`."""
        self.inner.declare(*specs)

    @contextmanager
    def atomic(self) -> Iterator[None]:
        """See :class:`~blindscore.parties.store.Store`."""
        self._step()
        with self.inner.atomic():
            yield
            self._step()
        self._step()

    def insert_once(self, table: str, key: bytes, row: Row, day: int = 0) -> Row | None:
        """See :class:`~blindscore.parties.store.Store`."""
        self._write()
        found = self.inner.insert_once(table, key, row, day)
        self._step()
        return found

    def put(self, table: str, key: bytes, row: Row, day: int = 0) -> None:
        """See :class:`~blindscore.parties.store.Store`."""
        self._write()
        self.inner.put(table, key, row, day)
        self._step()

    def get(self, table: str, key: bytes) -> Row | None:
        """See :class:`~blindscore.parties.store.Store`."""
        self._step()
        return self.inner.get(table, key)

    def take(self, table: str, key: bytes) -> Row | None:
        """See :class:`~blindscore.parties.store.Store`."""
        self._write()
        found = self.inner.take(table, key)
        self._step()
        return found

    def count_up_to(self, table: str, key: bytes, limit: int, day: int = 0) -> bool:
        """See :class:`~blindscore.parties.store.Store`."""
        self._write()
        counted = self.inner.count_up_to(table, key, limit, day)
        self._step()
        return counted

    def items(self, table: str) -> list[tuple[bytes, Row]]:
        """See :class:`~blindscore.parties.store.Store`."""
        self._step()
        return self.inner.items(table)

    def count(self, table: str) -> int:
        """See :class:`~blindscore.parties.store.Store`."""
        self._step()
        return self.inner.count(table)

    def sweep(self, day: int) -> int:
        """See :class:`~blindscore.parties.store.Store`."""
        self._write()
        dropped = self.inner.sweep(day)
        self._step()
        return dropped


class RoomySqlite(SqliteStore):
    """A database that can be told how many pages it may have."""

    def room(self, plenty: bool) -> None:
        """Allow any size, or not a page more than there are."""
        (pages,) = self._run("PRAGMA page_count").fetchone()
        self._run(f"PRAGMA max_page_count = {1 << 30 if plenty else pages}")


def copied(template: MemoryStore, store: Store | None) -> FaultyStore:
    """Return a faulty store that begins with a template's rows: in memory, or in an empty store that is handed in."""
    if store is None:
        return FaultyStore(template.copy())
    with store.atomic():
        for name, spec in template.specs.items():
            store.declare(spec)
            for key, row, day in template.dated(name):
                store.put(name, key, row, day)
    return FaultyStore(store)
