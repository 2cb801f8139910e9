"""The two embedded stores keep to the contract; the one in a file outlives its process."""

from __future__ import annotations

import multiprocessing

import pytest

from blindscore.errors import DataError, ParameterError
from blindscore.parties.sqlite_store import SqliteStore
from blindscore.parties.store import COUNT, Field, MemoryStore, TableSpec, blob_of
from tests.store_contract import ASKED, SPENT, StoreContract


class TestMemory(StoreContract):
    @pytest.fixture
    def store(self):
        return MemoryStore(SPENT, ASKED)


class TestSqlite(StoreContract):
    @pytest.fixture
    def store(self, tmp_path):
        kept = SqliteStore(tmp_path / "store.db", SPENT, ASKED)
        yield kept
        kept.close()


def test_a_file_outlives_its_process_and_says_what_is_wrong_with_it(tmp_path):
    first = SqliteStore(tmp_path / "a.db", SPENT)
    first.insert_once("spent", b"k", {"by": b"x"}, day=3)
    first.close()
    again = SqliteStore(tmp_path / "a.db", SPENT)
    assert again.get("spent", b"k") == {"by": b"x"}
    again.close()
    with pytest.raises(ParameterError, match="made with other fields"):
        SqliteStore(tmp_path / "a.db", TableSpec("spent", Field("token", "own"), (COUNT,)))
    (tmp_path / "b.db").write_bytes(b"no database" * 100)
    with pytest.raises(DataError, match=r"b\.db: nothing was kept"):
        SqliteStore(tmp_path / "b.db", SPENT)


def opened(path, start, told):
    start.wait()
    store = SqliteStore(path, SPENT)
    told.put(store.insert_once("spent", b"n", {"by": b"me"}) is None)
    store.close()


def test_processes_that_open_a_new_file_at_once_all_get_it(tmp_path):
    fork = multiprocessing.get_context("fork")
    for trial in range(12):
        start, told = fork.Event(), fork.Queue()
        workers = [fork.Process(target=opened, args=(tmp_path / f"{trial}.db", start, told)) for _ in range(4)]
        for worker in workers:
            worker.start()
        start.set()
        assert sorted(told.get(timeout=60) for _ in workers) == [False, False, False, True]
        for worker in workers:
            worker.join()


def test_a_field_that_should_hold_bytes_does_or_is_refused():
    assert blob_of({"by": b"x"}, "by") == blob_of({"by": memoryview(b"x")}, "by") == b"x"
    for other in (3, "x", None, 1.5):  # bytes(3) would be three zeros
        with pytest.raises(DataError, match="does not hold bytes"):
            blob_of({"by": other}, "by")
