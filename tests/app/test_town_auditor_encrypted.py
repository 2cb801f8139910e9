"""The auditor opens the encrypted designs' databases: tampered rows are named, honest towns raise no alarm."""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import replace

import pytest

from blindscore.parties.store import MemoryStore
from blindscore_app.town import board
from blindscore_app.town.auditor.of_blind import audit_blind
from blindscore_app.town.auditor.of_blind_town import blind_books
from blindscore_app.town.parts import PARTS
from tests.town_table import AtATable

PEOPLE, SEED, HISTORY = 4, 3, 500
OTHER = os.urandom(32)
DESIGNS = [name for name in PARTS if name.startswith("encrypted")]


@pytest.fixture(scope="module")
def towns(tmp_path_factory):
    """By design: the books of a town in which everybody applied, copied into memory; made when asked for."""
    made = {}
    with ExitStack() as opened:

        def of(design):
            if design not in made:
                folder = tmp_path_factory.mktemp("town") / "a"
                town, passphrase, _ = board.prepare(folder, design, PEOPLE, SEED, history=HISTORY, delay_s=0)
                seated = AtATable(town, passphrase)
                assert all(seated.apply(n)[0] is not None for n in range(PEOPLE))
                seated.close()
                made[design] = of_town(town, opened)
            return made[design]

        yield of


def of_town(town, opened):
    books = blind_books(town, town.part.layout(town), opened)
    return replace(books, stores={name: copied(store) for name, store in books.stores.items()})


def copied(store):
    memory = MemoryStore(*store.specs.values())
    for table in store.specs:
        for key, row in store.items(table):
            memory.put(table, key, row)
    return memory


def first(books, party, table):
    return next(iter(books.rows(party, table)))


def put(party, table, key=None, /, **fields):
    """Alter a table's first row, or add one under a key."""

    def tamper(books):
        name = key if key is not None else first(books, party, table)
        store = books.stores[party]
        values = {k: v(books) if callable(v) else v for k, v in fields.items()}
        store.put(table, name, {**(store.get(table, name) or {}), **values})
        return party, table, name.hex()

    return tamper


def drop(party, table, named=None):
    """Drop a table's first row; it, or what it left behind, is named."""

    def tamper(books):
        key = first(books, party, table)
        books.stores[party].take(table, key)
        return (party, table, key.hex()) if named is None else named(books, key)

    return tamper


def flipped(party, table, field, at=-1):
    def value(books):
        raw = bytearray(books.rows(party, table)[first(books, party, table)][field])
        raw[at] ^= 1
        return bytes(raw)

    return value


def total_of(change):
    """The first score's total, changed."""
    return lambda books: change(books.rows("lender", "scores")[first(books, "lender", "scores")]["total"])


def letter_of(books, nonce):
    """The letter that tells the decision on an application."""
    return (
        "lender",
        "letters",
        next(k.hex() for k, row in books.rows("lender", "letters").items() if nonce in bytes(row["body"])),
    )


def other_decision(books):
    row = books.rows("lender", "decisions")[first(books, "lender", "decisions")]
    return 1 - row["approved"]


def letter_gone(books, key):
    return "lender", "letters", key.hex()


ANY = {
    "bank: a figure of no number": lambda b: put("bank", "records", income_like(b), **{feature(b): "many"})(b),
    "bank: somebody asked of whom it keeps nothing": put("bank", "asked", OTHER, count=1),
    "bank: a count beyond its limit": put("bank", "asked", count=1000),
    "lender: a pseudonym's count set back": put("lender", "asked", count=0),
    "lender: a pseudonym forgotten": drop(
        "lender", "asked", lambda b, key: ("lender", outcomes(b), outcome_of(b, key).hex())
    ),
    "lender: a letter of nobody's": put("lender", "letters", OTHER, kind="decision", body=bytes(40)),
    "lender: an answer thrown away": drop("lender", "letters", letter_gone),
    "lender: a promise thrown away": lambda b: promise_gone(b),
}


def feature(books):
    return books.layout.features[0]


def income_like(books):
    return first(books, "bank", "records")


def outcomes(books):
    return "scores" if books.rows("lender", "scores") else "decisions"


def outcome_of(books, pseudonym):
    return next(k for k, row in books.rows("lender", outcomes(books)).items() if row["pseudonym"] == pseudonym)


def promise_gone(books):
    ticket = first(books, "lender", "letters")
    books.stores["lender"].take("promised", ticket)
    return "lender", "promised", ticket.hex()


OWN = {
    "encrypted": {
        "lender: a total that crosses the bar": lambda b: (
            put("lender", "scores", total=lambda b: 10_000 if refused(b) else -10_000)(b),
            letter_of(b, first(b, "lender", "scores")),
        )[1],
        "lender: an outcome thrown away": drop("lender", "scores", letter_of),
        "lender: a decision turned round": lambda b: put(
            "lender", "letters", body=flipped("lender", "letters", "body")
        )(b),
        "lender: the card's count set back": put("lender", "life", count=1),
        "lender: a source's count set back": put("lender", "of_source", count=1),
        "lender: an application forgotten": drop("lender", "answered", lambda b, key: ("lender", "scores", key.hex())),
        "lender: a concluded application waits again": lambda b: waits_again(b),
    },
    "encrypted-decision": {
        "lender: a decision turned round": lambda b: (
            put("lender", "decisions", approved=other_decision)(b),
            letter_of(b, first(b, "lender", "decisions")),
        )[1],
        "lender: neither yes nor no": put("lender", "decisions", approved=7),
        "lender: a decision with nobody's help": put("lender", "decisions", OTHER, approved=1, pseudonym=OTHER),
        "helper: a telling forgotten": drop("helper", "told"),
        "helper: a check altered": put("helper", "checks", frame=flipped("helper", "checks", "frame")),
        "helper: a check of a stranger": put("helper", "checks", lender="shop"),
        "helper: other terms": put("helper", "terms", commitment=OTHER),
        "helper: bound to nothing": put("helper", "bound", OTHER, salt=OTHER),
        "helper: what bound it forgotten": drop("helper", "bound"),
        "helper: an opening forgotten": drop("helper", "opened", lambda b, key: ("helper", "bound", key.hex())),
    },
    "encrypted-audited": {
        "lender: a total altered": put("lender", "scores", total=total_of(lambda total: total + 3)),
        "lender: an outcome thrown away": drop("lender", "scores"),
        "lender: a transcript altered": put(
            "lender", "signed", transcript=flipped("lender", "signed", "transcript", 100)
        ),
        "lender: a result altered": put("lender", "signed", transcript=flipped("lender", "signed", "transcript")),
        "lender: a transcript thrown away": drop("lender", "signed"),
        "lender: transcripts swapped": lambda b: swapped(b),
        "lender: an entry of its log altered": lambda b: (
            put("lender", "log", entry=OTHER)(b),
            ("lender", "log_head", b"log".hex()),
        )[1],
        "lender: the last entry dropped": lambda b: last_entry(b),
        "lender: the first entry dropped": drop("lender", "log"),
        "lender: another head": put("lender", "log_head", head=OTHER),
        "lender: another result in the letter": put("lender", "letters", body=flipped("lender", "letters", "body")),
        "auditor: another total": put("auditor", "read", total=1),
        "auditor: a total of nobody's": lambda b: (
            put("auditor", "read", OTHER, total=600)(b),
            ("lender", "signed", OTHER.hex()),
        )[1],
        "auditor: picked what was never signed": put("auditor", "picked", OTHER),
        "auditor: holds a proof": lambda b: (
            put("auditor", "proofs", first(b, "lender", "signed"), transcript=b"", seed=b"")(b),
            ("lender", "signed", first(b, "lender", "signed").hex()),
        )[1],
    },
    "encrypted-proved": {
        "lender: another result in the letter": put("lender", "letters", body=flipped("lender", "letters", "body")),
        "lender: a total that is none": put("lender", "scores", total="many"),
        "lender: a concluded application waits again": lambda b: waits_again(b),
        "lender: an application forgotten": drop("lender", "answered", lambda b, key: ("lender", "scores", key.hex())),
    },
}


def refused(books):
    nonce = first(books, "lender", "scores")
    (body,) = (row["body"] for row in books.rows("lender", "letters").values() if nonce in bytes(row["body"]))
    return bytes(body)[-1] == 0


def waits_again(books):
    key = first(books, "lender", "scores")
    row = dict.fromkeys((f.name for f in books.stores["lender"].specs["open"].fields), b"")
    by = books.rows("lender", "scores")[key]["pseudonym"]
    books.stores["lender"].put("open", key, {**row, "by": by})
    return "lender", "open", key.hex()


def swapped(books):
    one, other = list(books.rows("lender", "signed"))[:2]
    rows = books.rows("lender", "signed")
    books.stores["lender"].put("signed", one, rows[other])
    books.stores["lender"].put("signed", other, rows[one])
    return "lender", "signed", one.hex()


def last_entry(books):
    key = list(books.rows("lender", "log"))[-1]
    books.stores["lender"].take("log", key)
    return "lender", "log_head", b"log".hex()


@pytest.mark.parametrize("design", DESIGNS)
def test_an_honest_town_raises_no_alarm(towns, design):
    books = towns(design)
    assert audit_blind(books) == []
    assert len(books.wallets) == PEOPLE
    assert sum(len(books.rows("lender", table)) for table in ("scores", "decisions")) == PEOPLE


@pytest.mark.parametrize(
    ("design", "name"),
    [(design, name) for design in DESIGNS for name in (*ANY, *OWN[design])],
)
def test_a_tampering_is_named_by_party_table_and_row(towns, design, name):
    books = towns(design)
    tampered = replace(books, stores={who: store.copy() for who, store in books.stores.items()})
    wanted = (ANY | OWN[design])[name](tampered)
    found = audit_blind(tampered)
    assert wanted in [(one.party, one.table, one.row) for one in found], [str(one) for one in found]


def test_a_total_beyond_the_highest_score_is_named_by_what_the_auditor_read(towns):
    """It may be the scale that ended there, so that the signed score alone does not show it."""
    books = towns("encrypted-audited")
    highest, row = max(books.rows("lender", "scores").items(), key=lambda item: item[1]["total"])
    lender = books.stores["lender"].copy()
    lender.put("scores", highest, {**row, "total": row["total"] + 3})
    found = audit_blind(replace(books, stores={**books.stores, "lender": lender}))
    named = [(one.party, one.table, one.row) for one in found]
    assert ("lender", "scores", highest.hex()) in named
    assert ("auditor", "read", highest.hex()) in named


def test_a_wallets_altered_papers_are_named(towns):
    books = towns("encrypted-audited")
    name, (lender, wallet) = next(iter(books.wallets.items()))
    ticket, (kind, body) = wallet.answer()
    assert books.rows(lender, "letters")[ticket]["kind"] == kind
    store = copied(wallet.store)
    key = store.items("came")[-1][0]
    store.put("came", key, {**store.get("came", key), "body": body[:-1] + bytes([body[-1] ^ 1])})
    altered = type(wallet)(wallet.name, store, wallet._make, lender, clock=wallet._clock)
    found = audit_blind(replace(books, wallets={name: (lender, altered)}))
    assert (name, "came", key.hex()) in [(one.party, one.table, one.row) for one in found]


def test_after_a_sweep_a_missing_partner_is_not_held_against_it(towns):
    books = towns("encrypted")
    store = books.stores["lender"].copy()
    for table in ("answered", "promised", "letters"):
        for key, _ in store.items(table):
            store.take(table, key)
    swept = replace(books, stores={**books.stores, "lender": store})
    assert audit_blind(swept) != []
    store.put("swept", b"rows", {"day": 1})
    assert audit_blind(swept) == []
