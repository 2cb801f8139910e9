"""The auditor opens a perk's office and gate too: tampered rows are named, honest towns raise no alarm."""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import replace

import pytest

from blindscore.parties.store import MemoryStore
from blindscore_app.town import board
from blindscore_app.town.auditor.audit import audit
from blindscore_app.town.auditor.of_town import sealed_books
from blindscore_app.town.folders import GATE, OFFICE
from blindscore_app.town.lines import Lines
from blindscore_app.town.parts.sealed import rider_of
from blindscore_app.town.standing import Town
from blindscore_app.town.storm.campaign import checks_remembered
from blindscore_crypto.sealed.offer import NO_CHANNEL
from blindscore_crypto.sealed.parties.gate import spent_name, visit_mark
from tests.town_table import AtATable

PEOPLE, SEED, HISTORY, POINTS = 4, 3, 500, 600
OTHER = os.urandom(32)


@pytest.fixture(scope="module")
def books(tmp_path_factory):
    """Everybody proves the perk's points; who reaches them rides once; all databases, copied into memory."""
    folder = tmp_path_factory.mktemp("perk") / "town"
    with pytest.MonkeyPatch.context() as patch, checks_remembered():
        patch.setattr(Town, "channel", lambda town, name: NO_CHANNEL)  # parties at a table have no line to bind
        patch.setattr(Lines, "channel_to", lambda lines, name: NO_CHANNEL)
        town, passphrase, _ = board.prepare(folder, "sealed", PEOPLE, SEED, history=HISTORY, delay_s=0, perk=POINTS)
        seated = AtATable(town, passphrase)
        reached = []
        for number in range(PEOPLE):
            rider, lines = rider_of(town, number)
            lines.close()
            seated.table.seat(rider)
            for command in ("learn", "apply", "collect"):
                seated.tell(number, rider, command)
            seated.by_the_clock()
            for command in ("collect", "token", "ride"):
                seated.tell(number, rider, command)
            reached.append(rider.granted)
            seated.table.leave(rider.name)
            rider.store.close()
        assert 0 < reached.count(True) < PEOPLE
        seated.close()
        with ExitStack() as opened:
            held = sealed_books(town, opened)
            yield replace(held, stores=copied(held.stores), wallets=copied(held.wallets))


def copied(stores):
    found = {}
    for name, store in stores.items():
        memory = MemoryStore(*store.specs.values())
        for table in store.specs:
            for key, row in store.items(table):
                memory.put(table, key, row)
        found[name] = memory
    return found


def first(store, table):
    return store.items(table)[0]


def rider(books):
    """A wallet that was let in."""
    return next(name for name in books.wallets if any(row["granted"] for row in books.rows(name, "ride").values()))


def office_of(said):
    """The digest of an answer that the office approved, or refused."""
    return lambda books: next(k for k, row in books.rows(OFFICE, "decided").items() if row["approved"] == said)


APPROVED, REFUSED = office_of(1), office_of(0)


def put(books, party, table, key, /, **fields):
    store = books.stores.get(party) or books.wallets[party]
    store.put(table, key, {**(store.get(table, key) or {}), **fields})
    return party, table, key.hex()


def dropped(books, party, table, key):
    assert books.stores[party].take(table, key) is not None
    return party, table, key.hex()


def spent_and_dropped(books):
    """The gate forgets a token and its visit together; the rider hands in the wallet."""
    (ride,) = books.rows(rider(books), "ride").values()
    key = spent_name(ride["token"])
    dropped(books, GATE, "visits", ride["visit"])
    return dropped(books, GATE, "tokens", key)


def let_in_unpaid(books):
    """Somebody with the gate's own key writes down a ride for which no token was ever granted."""
    body = bytes(16)
    visit = body + visit_mark(first(books.stores[GATE], "naming")[1]["key"], GATE, body)
    put(books, GATE, "visits", visit, token=OTHER)
    put(books, GATE, "tokens", OTHER, visit=visit)
    return GATE, "tokens", ""


def token_of_another_gate(books):
    name = rider(books)
    ((when, row),) = books.rows(name, "ride").items()
    token = bytearray(row["token"])
    token[40] ^= 1
    return put(books, name, "ride", when, token=bytes(token))


TAMPERINGS = {
    "office: a receipt dropped": lambda b: dropped(
        b, OFFICE, "receipts", next(k for k, r in b.rows(OFFICE, "receipts").items() if r["answer"] == APPROVED(b))
    ),
    "office: notes a refusal as approved": lambda b: put(b, OFFICE, "decided", REFUSED(b), approved=1),
    "office: a decision of another answer": lambda b: put(
        b, OFFICE, "decided", APPROVED(b), signed=b.rows(OFFICE, "decided")[REFUSED(b)]["signed"]
    ),
    "office: an answer altered": lambda b: put(b, OFFICE, "answers", APPROVED(b), answer=b"x"),
    "office: a nullifier freed": lambda b: dropped(
        b, OFFICE, "spent", next(k for k, r in b.rows(OFFICE, "spent").items() if r["by"] == APPROVED(b))
    ),
    "office: a token for a refused answer": lambda b: put(b, OFFICE, "granted", REFUSED(b), request=OTHER),
    "office: a token for nobody's answer": lambda b: put(b, OFFICE, "granted", OTHER, request=OTHER),
    "office: a token for another request": lambda b: put(b, OFFICE, "granted", APPROVED(b), request=OTHER),
    "office: a token for no request": lambda b: put(b, OFFICE, "granted", APPROVED(b), request=b""),
    "office: forgets that it granted": lambda b: dropped(b, OFFICE, "granted", APPROVED(b)),
    "gate: a token's note dropped": lambda b: (
        dropped(b, GATE, "tokens", first(b.stores[GATE], "tokens")[0]),
        (GATE, "visits", first(b.stores[GATE], "visits")[0].hex()),
    )[1],
    "gate: token and visit dropped together": spent_and_dropped,
    "gate: a token under another visit": lambda b: put(
        b, GATE, "tokens", first(b.stores[GATE], "tokens")[0], visit=OTHER
    ),
    "gate: a visit of its own making": lambda b: put(b, GATE, "visits", OTHER, token=OTHER),
    "gate: more tokens than were granted": let_in_unpaid,
    "gate: its key replaced": lambda b: (
        put(b, GATE, "naming", GATE.encode(), key=OTHER),
        (GATE, "visits", first(b.stores[GATE], "visits")[0].hex()),
    )[1],
    "wallet: a token of another gate": token_of_another_gate,
}


def test_an_honest_town_with_a_perk_raises_no_alarm(books):
    assert audit(books) == []
    assert {OFFICE, GATE} <= set(books.stores)
    assert any(name.endswith(" for the perk") for name in books.wallets)


@pytest.mark.parametrize("name", TAMPERINGS)
def test_a_tampering_with_office_or_gate_is_named_by_party_table_and_row(books, name):
    tampered = replace(books, stores=copied(books.stores), wallets=copied(books.wallets))
    wanted = TAMPERINGS[name](tampered)
    found = audit(tampered)
    assert wanted in [(one.party, one.table, one.row) for one in found], [str(one) for one in found]
