"""The auditor names every tampered row with party and table, and finds nothing where parties were honest."""

from __future__ import annotations

import os
from dataclasses import dataclass

import pytest

from blindscore.parties.message import Message
from blindscore.parties.party import DAY_S, SetClock
from blindscore.parties.table import Table
from blindscore_app.town.auditor.audit import audit
from blindscore_app.town.storm.campaign import checks_remembered
from blindscore_app.town.storm.under_way import COPY
from blindscore_app.town.storm.village import EPOCHS, LENDER, TODAY, WITNESSES, Village, wallet_of
from blindscore_crypto.channel.signatures import SigningKey
from blindscore_crypto.sealed.offer import HEAD_BYTES, Decision, Verdict
from blindscore_crypto.sealed.parties.source import customer_name

NOW = TODAY * DAY_S + 4000.0
OTHER = os.urandom(32)


@dataclass
class Played:
    """A village in which two people were answered, one is waiting, and two tokens were redeemed."""

    village: Village
    stores: dict

    def books(self, stores=None):
        stores = dict(stores or self.stores)
        wallets = {name: stores.pop(name) for name in list(stores) if name.startswith("wallet")}
        return self.village.books(stores, wallets, NOW)

    def copies(self):
        return {name: store.copy() for name, store in self.stores.items()}


def _play(blind):
    village = Village(blind)
    stores = {name: store.copy() for name, store in village.stocked.items()}
    clock = SetClock(NOW)
    parties = {name: village.party(name, EPOCHS[0], stores[name], clock) for name in village.institutions}
    table = Table(tuple(parties.values()), {("wallet", "source"): "legal id"}, clock)
    for who in ("ada", "bob"):
        table.seat(village.wallet(wallet_of(who), EPOCHS[0], stores[wallet_of(who)], clock))
        table.play(0, wallet_of(who), "apply", legal_id=who)
    clock.advance(60)
    for who in ("ada", "bob"):
        table.play(0, wallet_of(who), "collect", legal_id=who)
    # A second answer of ada's that has come and is not decided yet; who sent it hands in no wallet.
    twin = village.stocked[wallet_of("ada")].copy()
    wallet = village.wallet(COPY, EPOCHS[0], twin, clock)
    lender = parties[LENDER]
    out = wallet.handle(Message(COPY, "apply", b""))
    for _ in range(3):  # ask, commit, answer; no fetch
        (message,) = out
        (reply,) = lender.handle(Message(message.to, message.kind, message.body, "line"))
        out = wallet.handle(Message(COPY, reply.kind, reply.body, LENDER))
    gate = parties["gate"]
    for token in village.tokens[:2]:
        gate.redeem(gate.visit(), token)
    if blind:
        asked = village.wallet(wallet_of("bob"), EPOCHS[0], stores[wallet_of("bob")].copy(), clock)
        (request, *_) = [m for m in _requests(asked, village) if m.to == "bank"]
        parties["bank"].handle(Message("bank", "request", request.body, "bob"))
    return Played(village, stores)


def _requests(wallet, village):
    from blindscore_crypto.sealed.holder import request

    terms = wallet.terms
    secret = wallet.secret(terms.group)
    return [
        Message(s.name, "request", request(terms.group, secret, s.key, terms.epoch.number, 1)) for s in terms.sources
    ]


@pytest.fixture(scope="module", autouse=True)
def _remembered():
    with checks_remembered():
        yield


@pytest.fixture(scope="module")
def sealed():
    return _play(False)


@pytest.fixture(scope="module")
def one_show():
    return _play(True)


def test_an_honest_village_raises_no_alarm(sealed, one_show):
    assert audit(sealed.books()) == []
    assert audit(one_show.books()) == []
    tables = {"receipts": 3, "waiting": 1, "arrived": 1, "decided": 2, "answers": 3}
    assert {table: sealed.stores[LENDER].count(table) for table in tables} == tables


# Tamperings: each is done to a copy of the databases and returns whose row it was, of which table and key.


def change(store, table, key, /, **fields):
    store.put(table, key, {**store.get(table, key), **fields})
    return key


def decided(stores, said):
    return next(key for key, row in stores[LENDER].items("decided") if row["approved"] == said)


def first(store, table):
    return store.items(table)[0][0]


def waiting(stores):
    return first(stores[LENDER], "waiting")


def receipt_of(stores, name):
    return next(key for key, row in stores[LENDER].items("receipts") if row["answer"] == name)


def drop(party, table, key, /):
    def tamper(played, stores):
        name = key(stores)
        assert stores[party].take(table, name) is not None
        return party, table, name

    return tamper


def alter(party, table, key, /, **fields):
    def tamper(played, stores):
        name = key(stores)
        change(stores[party], table, name, **{k: v(stores) if callable(v) else v for k, v in fields.items()})
        return party, table, name

    return tamper


def add(party, table, key, /, **fields):
    def tamper(played, stores):
        name = key(stores) if callable(key) else key
        stores[party].put(table, name, {k: v(stores) if callable(v) else v for k, v in fields.items()})
        return party, table, name

    return tamper


def spent_by(said):
    return lambda stores: next(k for k, row in stores[LENDER].items("spent") if row["by"] == decided(stores, said))


def signs_otherwise(said, verdict):
    """A lender that owns its key changes its mind, and its database with it."""

    def tamper(played, stores):
        name = decided(stores, said)
        signed = Decision.make(played.village.keys[LENDER], name, verdict).encode()
        approved = {Verdict.APPROVED: 1, Verdict.REFUSED: 0}.get(verdict)
        change(stores[LENDER], "decided", name, approved=approved, signed=signed)
        return LENDER, "decided", name

    return tamper


def flipped(table, key, field, at):
    def value(stores):
        raw = bytearray(stores[LENDER].get(table, key(stores))[field])
        raw[at] ^= 1
        return bytes(raw)

    return value


def swapped_answers(played, stores):
    a, b = decided(stores, 1), decided(stores, 0)
    one, other = (stores[LENDER].get("answers", name)["answer"] for name in (a, b))
    change(stores[LENDER], "answers", a, answer=other)
    change(stores[LENDER], "answers", b, answer=one)
    return LENDER, "answers", a


def vanished(played, stores):
    """All that a lender holds of one application is gone; the person hands in the wallet."""
    name = decided(stores, 0)
    offer = receipt_of(stores, name)
    for table, key in (("decided", name), ("answers", name), ("receipts", offer)):
        stores[LENDER].take(table, key)
    for nullifier, row in stores[LENDER].items("spent"):
        if row["by"] == name:
            stores[LENDER].take("spent", nullifier)
    return LENDER, "receipts", offer


def entry(number):
    return number.to_bytes(8, "big")


def customer(who):
    return lambda stores: customer_name(EPOCHS[0], who)


def strange_entry(played, stores):
    stranger = SigningKey()
    from blindscore_crypto.sealed.log.entries import Entry, Kind, Member

    forged = Entry.sign(Kind.MEMBER, stranger, Member("shop", "source", stranger.public).encode()).encode()
    number = entry(stores["log"].count("entries"))
    stores["log"].put("entries", number, {"entry": forged})
    return "log", "entries", number


def receipt_of_the_other(played, stores):
    ada, bob = (stores[wallet_of(who)] for who in ("ada", "bob"))
    key = first(ada, "applications")
    change(ada, "applications", key, receipt=bob.get("applications", key)["receipt"])
    return wallet_of("ada"), "applications", key


APPROVED, REFUSED = (lambda stores: decided(stores, 1)), (lambda stores: decided(stores, 0))
TAMPERINGS = {
    "lender: receipt dropped": drop(LENDER, "receipts", lambda s: receipt_of(s, decided(s, 1))),
    "lender: deadline moved": alter(LENDER, "receipts", lambda s: receipt_of(s, decided(s, 1)), deadline=2**40),
    "lender: no deadline": alter(LENDER, "receipts", lambda s: receipt_of(s, waiting(s)), deadline=None),
    "lender: receipt for another answer": alter(
        LENDER, "receipts", lambda s: receipt_of(s, decided(s, 1)), answer=OTHER
    ),
    "lender: receipt of nobody's answer": add(LENDER, "receipts", OTHER, answer=OTHER, deadline=1),
    "lender: waiting under no receipt": alter(LENDER, "waiting", waiting, offer=OTHER),
    "lender: waiting under unknown terms": alter(LENDER, "waiting", waiting, terms=OTHER),
    "lender: waits and is decided": add(
        LENDER, "waiting", APPROVED, offer=lambda s: receipt_of(s, decided(s, 1)), terms=OTHER
    ),
    "lender: taken off the list": lambda p, s: (s[LENDER].take("arrived", waiting(s)), (LENDER, "waiting", waiting(s)))[
        1
    ],
    "lender: a promise no longer waits": lambda p, s: (
        (LENDER, "receipts", receipt_of(s, waiting(s))),
        s[LENDER].take("waiting", waiting(s)),
    )[0],
    "lender: on the list and nowhere else": add(LENDER, "arrived", OTHER),
    "lender: answer altered": alter(
        LENDER, "answers", APPROVED, answer=flipped("answers", APPROVED, "answer", HEAD_BYTES)
    ),
    "lender: answer of another size": alter(LENDER, "answers", APPROVED, answer=b"short"),
    "lender: answers swapped": swapped_answers,
    "lender: answer dropped": lambda p, s: (
        s[LENDER].take("answers", decided(s, 1)),
        (LENDER, "decided", decided(s, 1)),
    )[1],
    "lender: answer of nobody": add(LENDER, "answers", OTHER, answer=b"x" * 100),
    "lender: nullifier freed": drop(LENDER, "spent", spent_by(1)),
    "lender: offer freed": drop(LENDER, "spent", spent_by(0)),
    "lender: nullifier spent by another": alter(LENDER, "spent", spent_by(1), by=lambda s: decided(s, 0)),
    "lender: nullifier of nobody": add(LENDER, "spent", OTHER, by=lambda s: decided(s, 1)),
    "lender: spent by nothing": alter(LENDER, "spent", spent_by(1), by=OTHER),
    "lender: notes a refusal as approved": alter(LENDER, "decided", REFUSED, approved=1),
    "lender: notes an approval as refused": alter(LENDER, "decided", APPROVED, approved=0),
    "lender: forgets what it noted": alter(LENDER, "decided", APPROVED, approved=None),
    "lender: signature altered": alter(LENDER, "decided", APPROVED, signed=flipped("decided", APPROVED, "signed", -1)),
    "lender: decision of another answer": alter(
        LENDER, "decided", APPROVED, signed=lambda s: s[LENDER].get("decided", decided(s, 0))["signed"]
    ),
    "lender: refuses who passes, signed": signs_otherwise(1, Verdict.REFUSED),
    "lender: approves who does not, signed": signs_otherwise(0, Verdict.APPROVED),
    "lender: void, signed": signs_otherwise(1, Verdict.VOID),
    "lender: used before, signed": signs_otherwise(1, Verdict.USED),
    "lender: everything of one person gone": vanished,
    "log: an entry dropped": drop("log", "entries", lambda s: entry(1)),
    "log: the last entry dropped": drop("log", "entries", lambda s: entry(s["log"].count("entries") - 1)),
    "log: an entry altered": alter("log", "entries", lambda s: entry(0), entry=b"x"),
    "log: a stranger's entry": strange_entry,
    "log: entries swapped": alter(
        "log", "entries", lambda s: entry(0), entry=lambda s: s["log"].get("entries", entry(1))["entry"]
    ),
    "witness: an entry dropped": drop(WITNESSES[0], "entries", lambda s: entry(0)),
    "witness: a head of the future": alter(WITNESSES[0], "cosigned", lambda s: b"head", time=2**40),
    "source: somebody admitted of whom it keeps nothing": add("bank", "customers", OTHER, public=b"x"),
    "source: another wallet's value": alter("bank", "customers", customer("ada"), public=b"\x01"),
    "source: the customer dropped": drop("bank", "customers", customer("ada")),
    "source: the count dropped": drop("bank", "fetched", customer("ada")),
    "source: the count set back": alter("bank", "fetched", customer("ada"), count=0),
    "source: the count beyond its limit": alter("bank", "fetched", customer("ada"), count=65),
    "source: a figure changed after signing": alter("bank", "records", lambda s: b"ada", income=3.0),
    "source: a figure of no number": alter("bank", "records", lambda s: b"bob", income="many"),
    "gate: a token's note dropped": lambda p, s: (
        ("gate", "visits", s["gate"].items("tokens")[0][1]["visit"]),
        s["gate"].take("tokens", first(s["gate"], "tokens")),
    )[0],
    "gate: a visit of its own making": add("gate", "visits", OTHER, token=lambda s: first(s["gate"], "tokens")),
    "gate: a token spent by another visit": alter(
        "gate", "tokens", lambda s: first(s["gate"], "tokens"), visit=lambda s: s["gate"].items("tokens")[1][1]["visit"]
    ),
    "gate: its key is gone": alter("gate", "naming", lambda s: b"gate", key=b""),
    "wallet: a decision of its own making": alter(
        wallet_of("bob"),
        "applications",
        lambda s: first(s[wallet_of("bob")], "applications"),
        decision=b"\x01" + bytes(96),
    ),
    "wallet: another person's receipt": receipt_of_the_other,
    "wallet: other terms": alter(wallet_of("ada"), "terms", lambda s: EPOCHS[0].encode(), terms=b"{}"),
    "wallet: a secret that is none": alter(
        wallet_of("ada"), "secret", lambda s: first(s[wallet_of("ada")], "secret"), k=b"k"
    ),
}


@pytest.mark.parametrize("name", TAMPERINGS)
def test_a_tampering_is_named_by_party_table_and_row(sealed, name):
    stores = sealed.copies()
    party, table, key = TAMPERINGS[name](sealed, stores)
    found = audit(sealed.books(stores))
    assert (party, table, key.hex()) in [(one.party, one.table, one.row) for one in found], [str(one) for one in found]


BLIND = {
    "source: a session of nobody": add("bank", "sessions", OTHER + b"\0", state=b"", began=NOW),
    "source: a session that never times out": alter(
        "bank", "sessions", lambda s: first(s["bank"], "sessions"), began=2.0**40
    ),
    "source: a figure changed after signing": alter("bureau", "records", lambda s: b"bob", arrears=0.0),
    "lender: approves who does not, signed": signs_otherwise(0, Verdict.APPROVED),
    "lender: nullifier freed": drop(LENDER, "spent", spent_by(1)),
}


@pytest.mark.parametrize("name", BLIND)
def test_a_tampering_is_named_in_the_one_show_form(one_show, name):
    stores = one_show.copies()
    party, table, key = BLIND[name](one_show, stores)
    assert (party, table, key.hex()) in [(one.party, one.table, one.row) for one in audit(one_show.books(stores))]
