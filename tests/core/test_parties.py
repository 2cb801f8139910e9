"""Stores, tables and what is observed, held against a protocol of two institutions that leaks in chosen ways."""

from __future__ import annotations

import json
import os
import threading
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pytest

from blindscore.errors import DataError, ParameterError
from blindscore.parties.costs import costs_of
from blindscore.parties.message import Message
from blindscore.parties.observe import ObservationError, joined, observe, require_declared, require_handles
from blindscore.parties.sqlite_store import SqliteStore
from blindscore.parties.store import COUNT, Field, MemoryStore, TableSpec
from blindscore.parties.table import Table

SPENT = TableSpec("spent", Field("token", "own"), (Field("by", "own"),), keep_days=2)
ASKED = TableSpec("asked", Field("who", "own"), (COUNT,))


@pytest.fixture(params=["memory", "sqlite"])
def store(request, tmp_path):
    if request.param == "memory":
        yield MemoryStore(SPENT, ASKED)
    else:
        kept = SqliteStore(tmp_path / "store.db", SPENT, ASKED)
        yield kept
        kept.close()


def test_of_two_inserts_the_first_stands(store):
    assert store.insert_once("spent", b"k", {"by": b"first"}) is None
    assert store.insert_once("spent", b"k", {"by": b"second"}) == {"by": b"first"}
    assert store.get("spent", b"k") == {"by": b"first"}
    store.put("spent", b"k", {"by": b"third"})
    assert store.items("spent") == [(b"k", {"by": b"third"})]
    assert store.take("spent", b"k") == {"by": b"third"}
    assert store.take("spent", b"k") is None


def test_a_counter_stops_at_its_limit(store):
    assert [store.count_up_to("asked", b"ada", 3) for _ in range(5)] == [True, True, True, False, False]
    assert not store.count_up_to("asked", b"bob", 0)
    assert store.count_up_to("asked", b"bob", 1)


def test_what_fails_half_way_did_not_happen(store):
    store.insert_once("spent", b"before", {"by": b"x"})

    def half_way():
        with store.atomic():
            store.insert_once("spent", b"inside", {"by": b"x"})
            with store.atomic():
                store.take("spent", b"before")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half_way()
    assert [key for key, _ in store.items("spent")] == [b"before"]


def test_rows_leave_when_their_time_has_passed(store):
    store.insert_once("spent", b"old", {"by": b"x"}, day=10)
    store.insert_once("spent", b"new", {"by": b"x"}, day=12)
    store.count_up_to("asked", b"ada", 3, day=1)
    assert store.sweep(13) == 1
    assert [key for key, _ in store.items("spent")] == [b"new"]
    assert not store.count_up_to("asked", b"ada", 1)


def test_a_row_has_the_declared_fields(store):
    with pytest.raises(ParameterError, match="table spent has the fields by; got who"):
        store.put("spent", b"k", {"who": b"x"})
    with pytest.raises(ParameterError, match="declared with other fields"):
        store.declare(TableSpec("spent", Field("token", "own")))


def test_one_of_many_threads_wins_each_row_and_no_counter_passes_its_limit(store):
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


@dataclass
class Wallet:
    """Fetches its record from the bank and shows the lender what the test says."""

    name: str
    show: str
    role = "wallet"
    store: MemoryStore = field(default_factory=MemoryStore)

    def handle(self, message):
        if message.kind == "apply":
            return [Message("bank", "fetch", b"")]
        if message.kind == "record":
            shown = {"token": message.body[:32], "record": message.body, "nothing": os.urandom(32)}[self.show]
            return [Message("lender", "application", shown)]
        return []


@dataclass
class Bank:
    people: dict[str, float]
    name = "bank"
    role = "source"
    store: MemoryStore = field(
        default_factory=lambda: MemoryStore(
            TableSpec("records", Field("legal_id", "register"), (Field("income", "feature"),))
        )
    )

    def __post_init__(self):
        for legal_id, income in self.people.items():
            self.store.put("records", legal_id.encode(), {"income": income})

    def handle(self, message):
        income = self.store.get("records", message.sender.encode())["income"]
        return [Message(message.sender, "record", os.urandom(32) + json.dumps({"income": income}).encode())]


@dataclass
class Lender:
    name = "lender"
    role = "lender"
    store: MemoryStore = field(
        default_factory=lambda: MemoryStore(
            TableSpec("decided", Field("nonce", "own"), (Field("approved", "decision"),), keep_days=30)
        )
    )

    def handle(self, message):
        self.store.put("decided", os.urandom(8), {"approved": int(message.body[0] > 40)})
        return [Message(message.sender, "decision", bytes(8))]


INCOMES = np.array([1234.5, 9876.25, 5555.75, 4321.125])


def play(show):
    ids = [f"person-{i}" for i in range(len(INCOMES))]
    bank = Bank(dict(zip(ids, INCOMES.tolist(), strict=True)))
    table = Table([bank, Lender()], {("wallet", "source"): "legal id"})
    for i, legal_id in enumerate(ids):
        table.seat(Wallet(f"wallet {i}", show))
        table.play(i, f"wallet {i}", "apply", legal_id=legal_id)
    return table, observe(table, pd.DataFrame({"income": INCOMES, "legal_id": ids}))


def decisions(observed):
    return observed.values[["approved"]].astype(int)


def test_what_a_party_wrote_is_seen_and_what_it_did_not_is_not():
    table, seen = play("nothing")
    assert sorted(seen) == ["lender", "source", "wallet"]
    assert seen["source"].values["income"].tolist() == INCOMES.tolist()
    assert seen["source"].shown == {"legal id"}
    assert seen["lender"].kinds == {"approved": "decision"}
    assert seen["lender"].shown == {"one-time"}
    assert seen["lender"].keep_days == {"approved": 30}
    assert len(seen["lender"].received) == 32
    assert joined(seen["lender"], seen["source"]) == frozenset()
    require_declared(seen["lender"], decisions(seen["lender"]), {"approved": "decision"}, ["one-time"])
    require_handles((seen["lender"], seen["source"]), frozenset())
    assert table.tape.sizes()["wallet", "lender"] == {(32,)}


def test_a_common_string_is_found_and_must_be_declared():
    _, seen = play("token")
    assert joined(seen["lender"], seen["source"]) == {0, 1, 2, 3}
    require_handles((seen["lender"], seen["source"]), frozenset(range(4)))
    with pytest.raises(ObservationError, match="common string of 1 of 4 people"):
        require_handles((seen["lender"], seen["source"]), frozenset({0, 1, 3}))


def test_figures_sent_in_clear_count_as_read_though_nobody_wrote_them_down():
    _, seen = play("record")
    assert seen["lender"].plain == {i: frozenset({"income"}) for i in range(4)}
    with pytest.raises(ObservationError, match="lender: it was sent income in clear"):
        require_declared(seen["lender"], decisions(seen["lender"]), {"approved": "decision"}, ["one-time"])


@pytest.mark.parametrize(
    ("lie", "message"),
    [
        ({"kinds": {}}, "it wrote down approved"),
        ({"declared": lambda frame: 1 - frame}, "approved of a person differs"),
    ],
)
def test_a_view_that_says_less_or_other_than_was_observed_is_refused(lie, message):
    _, seen = play("nothing")
    declared = lie.get("declared", lambda frame: frame)(decisions(seen["lender"]))
    with pytest.raises(ObservationError, match=message):
        require_declared(seen["lender"], declared, lie.get("kinds", {"approved": "decision"}), ["one-time"])


def test_a_view_that_claims_to_know_nobody_by_name_is_refused_where_the_line_shows_names():
    _, seen = play("nothing")
    kinds = {"income": "feature", "legal_id": "register"}
    with pytest.raises(ObservationError, match="its lines show people by legal id"):
        require_declared(seen["source"], seen["source"].values, kinds, ["one-time"])


def test_costs_are_read_off_the_tape():
    table, _ = play("token")
    costs = costs_of(table.tape, keys_bytes=7)
    assert (costs.bytes_up, costs.bytes_down, costs.keys_bytes) == (32, 8, 7)
    assert costs.lines["source > wallet"] == int(np.median([32 + len(json.dumps({"income": x})) for x in INCOMES]))
    assert costs.bytes_all_lines == sum(costs.lines.values())
    assert set(costs.us_per_person) == {"wallet", "source", "lender"}


def test_nobody_sits_down_twice_and_nobody_is_called_who_is_not_there():
    table, _ = play("token")
    with pytest.raises(ParameterError, match="two parties at the table are called lender"):
        table.seat(Lender())
    with pytest.raises(ParameterError, match="nobody at the table is called wallet 9"):
        table.play(9, "wallet 9", "apply")
