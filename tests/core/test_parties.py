"""Tables and what is observed, held against a protocol of two institutions that leaks in chosen ways."""

from __future__ import annotations

import json
import os
import struct
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pytest

from blindscore.errors import ParameterError
from blindscore.parties.costs import costs_of
from blindscore.parties.message import Message
from blindscore.parties.observe import (
    ObservationError,
    joined,
    kept_as_found,
    observe,
    plain_figures,
    require_declared,
    require_handles,
)
from blindscore.parties.store import Field, MemoryStore, TableSpec
from blindscore.parties.table import Table
from blindscore.parties.view import Column


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


def test_how_long_a_column_is_kept_is_read_off_the_tables_that_have_it():
    _, seen = play("nothing")
    found = kept_as_found(seen["lender"], [Column("approved", "decision"), Column("key", "handle", 7)])
    assert [column.keep_days for column in found] == [30, 7]  # what was never written down stays as declared
    with pytest.raises(ObservationError, match="approved stays readable for 30 days, and its view says 0 days"):
        kept_as_found(seen["lender"], [Column("approved", "decision", 0)])


def test_what_stays_in_two_tables_stays_as_long_as_in_either_and_a_sealed_one_shows_nothing():
    fields = (Field("approved", "decision"),)
    store = MemoryStore(
        TableSpec("long", Field("nonce", "own"), fields, keep_days=9),
        TableSpec("short", Field("nonce", "own"), fields, keep_days=2),
        TableSpec("closed", Field("nonce", "own"), (*fields, Field("score", "score")), at_rest="sealed"),
    )
    table = Table([Lender(store)])
    for i in range(2):
        table.seat(Wallet(f"wallet {i}", "nothing"))
    assert observe(table)["lender"].keep_days == {"approved": 9, "score": 0}


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


def test_noughts_and_a_random_byte_are_no_figure_unless_they_stand_in_everybodys_message():
    facts = {i: {"medicines": 2 + i, "posts": 0, "income": 1200.1 + i} for i in range(4)}
    padded = {i: [bytes(range(1, 9)) + struct.pack("<d", 2.0), bytes(12)] for i in facts}  # 2.0 = noughts and "@"
    assert plain_figures(padded, facts) == {i: frozenset() for i in facts}
    sent = {i: [struct.pack("<dd", 2.0 + i, 7.0)] for i in facts}
    assert plain_figures(sent, facts) == {i: frozenset({"medicines"}) for i in facts}
    few = {i: sent[i] for i in range(3)}
    assert plain_figures(few, facts) == {i: frozenset() for i in few}  # three could be chance
    alone = {i: [struct.pack("<d", 1200.1 + 1)] for i in facts}
    assert plain_figures(alone, facts) == {i: frozenset({"income"} if i == 1 else ()) for i in facts}


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
