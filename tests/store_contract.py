"""What every store must do, whoever keeps it: the tests of the contract, for a store that a fixture hands in."""

from __future__ import annotations

import threading

import pytest

from blindscore.errors import ParameterError
from blindscore.parties.store import COUNT, Field, TableSpec

SPENT = TableSpec("spent", Field("token", "own"), (Field("by", "own"),), keep_days=2)
ASKED = TableSpec("asked", Field("who", "own"), (COUNT,))
VALUES = TableSpec(
    "values", Field("k", "own"), (Field("a b", "own"), Field('c"d', "own"), Field("key", "own"), Field("day", "own"))
)


class StoreContract:
    """Mix this into a test class that has a fixture ``store`` with :data:`SPENT` and :data:`ASKED`."""

    def test_of_two_inserts_the_first_stands(self, store):
        assert store.insert_once("spent", b"k", {"by": b"first"}) is None
        assert store.insert_once("spent", b"k", {"by": b"second"}) == {"by": b"first"}
        assert store.get("spent", b"k") == {"by": b"first"}
        store.put("spent", b"k", {"by": b"third"})
        assert store.count("spent") == 1
        assert store.items("spent") == [(b"k", {"by": b"third"})]
        assert store.take("spent", b"k") == {"by": b"third"}
        assert store.take("spent", b"k") is None
        assert store.get("spent", b"k") is None

    def test_a_value_comes_back_as_it_went(self, store):
        store.declare(VALUES)
        kept = [(0, "ä"), (2**62, 1.5), (-3, None), (b"", b"\x00\xff"), ("", float("-inf"))]
        for i, (a, c) in enumerate(kept):
            store.put("values", bytes([i]), {"a b": a, 'c"d': c, "key": i, "day": None})
        assert [(row["a b"], row['c"d']) for _, row in store.items("values")] == kept
        assert store.get("values", b"\x01") == {"a b": 2**62, 'c"d': 1.5, "key": 1, "day": None}

    def test_a_counter_stops_at_its_limit(self, store):
        assert [store.count_up_to("asked", b"ada", 3) for _ in range(5)] == [True, True, True, False, False]
        assert not store.count_up_to("asked", b"bob", 0)
        assert store.count_up_to("asked", b"bob", 1)

    def test_what_fails_half_way_did_not_happen(self, store):
        store.insert_once("spent", b"before", {"by": b"x"})

        def half_way():
            with store.atomic():
                store.insert_once("spent", b"inside", {"by": b"x"})
                with store.atomic():
                    store.take("spent", b"before")
                raise ZeroDivisionError("half way")

        with pytest.raises(ZeroDivisionError, match="half way"):
            half_way()
        assert [key for key, _ in store.items("spent")] == [b"before"]

    def test_an_inner_block_that_fails_is_undone_alone(self, store):
        def refused():
            with store.atomic():
                store.insert_once("spent", b"inner", {"by": b"x"})
                store.count_up_to("asked", b"ada", 3)
                raise ZeroDivisionError("refused")

        with store.atomic():
            store.insert_once("spent", b"outer", {"by": b"x"})
            with pytest.raises(ZeroDivisionError, match="refused"):
                refused()
            store.insert_once("spent", b"after", {"by": b"x"})
        assert [key for key, _ in store.items("spent")] == [b"after", b"outer"]
        assert store.items("asked") == []

    def test_rows_leave_when_their_time_has_passed(self, store):
        store.insert_once("spent", b"old", {"by": b"x"}, day=10)
        store.insert_once("spent", b"new", {"by": b"x"}, day=12)
        store.count_up_to("asked", b"ada", 3, day=1)
        assert store.sweep(13) == 1
        assert [key for key, _ in store.items("spent")] == [b"new"]
        assert not store.count_up_to("asked", b"ada", 1)

    def test_a_row_has_the_declared_fields(self, store):
        with pytest.raises(ParameterError, match="table spent has the fields by; got who"):
            store.put("spent", b"k", {"who": b"x"})
        with pytest.raises(ParameterError, match="declared with other fields"):
            store.declare(TableSpec("spent", Field("token", "own")))

    def test_one_of_many_threads_wins_each_row_and_no_counter_passes_its_limit(self, store):
        won, counted = [], []

        def race(me):
            for i in range(20):
                key = i.to_bytes(2, "big")
                won.append(store.insert_once("spent", key, {"by": me}) is None)
                counted.append(store.count_up_to("asked", b"all", 30))

        threads = [threading.Thread(target=race, args=(bytes([me]),)) for me in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (sum(won), sum(counted)) == (20, 30)
