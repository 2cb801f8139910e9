"""The public log: known tree hashes, a map that proves absence, rules of admission, witnesses, what readers check."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blindscore.errors import ForgeryError, ParameterError
from blindscore.parties.message import Message
from blindscore.parties.store import MemoryStore
from blindscore_crypto.channel.ohttp import Gateway
from blindscore_crypto.channel.signatures import SigningKey, VerifyingKey
from blindscore_crypto.sealed.log.book import Book
from blindscore_crypto.sealed.log.entries import (
    Entry,
    Kind,
    Member,
    SealingKey,
    member_key,
    name_key,
    sealing_key_key,
    terms_key,
)
from blindscore_crypto.sealed.log.head import Head, Trust
from blindscore_crypto.sealed.log.keymap import EMPTY, KeyMap, MapProof, holds
from blindscore_crypto.sealed.log.lookup import Watcher, ask
from blindscore_crypto.sealed.log.monitor import describe
from blindscore_crypto.sealed.log.tree import Tree, extends, includes, leaf_hash, tree_hash
from blindscore_crypto.sealed.parties.log import LogKeeper, Witness
from blindscore_crypto.sealed.wire import Reader
from tests.crypto.sealed_world import KEYS, World, follow

# Entries and roots of sizes 1 to 8 that implementations of Certificate Transparency hold in common.
ENTRIES = [
    bytes.fromhex(h)
    for h in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def tree_of(n: int) -> Tree:
    tree = Tree()
    for i in range(n):
        tree.append(f"entry {i}".encode())
    return tree


def test_tree_hashes_are_the_known_ones():
    assert tree_hash([]) == Tree().root() == hashlib.sha256(b"").digest()
    tree = Tree()
    for n, root in enumerate(ROOTS, 1):
        tree.append(ENTRIES[n - 1])
        assert tree.root().hex() == root == tree_hash([leaf_hash(entry) for entry in ENTRIES[:n]]).hex()


@given(st.integers(1, 200))
@settings(max_examples=30, deadline=None)
def test_the_kept_tree_is_its_plain_twin_at_every_size(n):
    tree, leaves = tree_of(n), [leaf_hash(f"entry {i}".encode()) for i in range(n)]
    for size in {1, n, n // 2 or 1, n - 1 or 1}:
        assert tree.root(size) == tree_hash(leaves[:size])


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 8, 13])
def test_every_entry_of_every_size_is_included_and_nothing_else(size):
    tree = tree_of(13)
    root = tree.root(size)
    for i in range(size):
        proof, leaf = tree.inclusion(i, size), leaf_hash(f"entry {i}".encode())
        assert includes(root, size, leaf, i, proof)
        assert not includes(root, size, leaf_hash(b"another"), i, proof)
        assert not includes(root, size, leaf, (i + 1) % size, proof) or size == 1
        assert not includes(root, size, leaf, i, (*proof, bytes(32)))
        assert not includes(root, size, leaf, size, proof)
        if proof:
            assert not includes(root, size, leaf, i, proof[:-1])
            assert not includes(root, size, leaf, i, (bytes(32), *proof[1:]))


@pytest.mark.parametrize("new", [1, 2, 6, 7, 8, 13])
def test_every_prefix_is_consistent_and_a_rewritten_one_is_not(new):
    tree = tree_of(13)
    for old in range(1, new + 1):
        proof, a, b = tree.consistency(old, new), (old, tree.root(old)), (new, tree.root(new))
        assert extends(a, b, proof)
        assert not extends((old, bytes(32)), b, proof)
        assert not extends(a, (new, bytes(32)), proof)
        assert not extends(a, b, (*proof, bytes(32)))
        if proof:
            assert not extends(a, b, proof[:-1])
    assert not extends((0, tree.root(0)), (new, tree.root(new)), ())


def test_a_proof_that_the_log_cannot_give_is_refused():
    tree = tree_of(4)
    for index, size in ((4, 4), (-1, 4), (0, 5), (0, 0)):
        with pytest.raises(ParameterError, match="the log has 4 entries"):
            tree.inclusion(index, size)
    for old, new in ((0, 4), (4, 3), (1, 5)):
        with pytest.raises(ParameterError, match="the log has 4 entries"):
            tree.consistency(old, new)


# The map


@given(st.sets(st.binary(min_size=32, max_size=32), min_size=1, max_size=40), st.binary(min_size=32, max_size=32))
@settings(max_examples=40, deadline=None)
def test_every_key_is_present_and_every_other_absent(keys, stranger):
    kept = KeyMap()
    values = {key: hashlib.sha256(key).digest() for key in keys}
    for key, value in values.items():
        kept.insert(key, value)
    for key, value in values.items():
        assert holds(kept.root, key, value, kept.prove(key))
        assert not holds(kept.root, key, None, kept.prove(key))
        assert not holds(kept.root, key, bytes(32), kept.prove(key))
        assert not holds(kept.root, key, None, MapProof(kept.prove(key).siblings))
    near = bytes([*next(iter(keys))[:-1], next(iter(keys))[-1] ^ 1])
    for absent in {stranger, near} - keys:
        assert holds(kept.root, absent, None, kept.prove(absent))
        assert not holds(kept.root, absent, bytes(32), kept.prove(absent))
        assert kept.get(absent) is None


def test_the_order_of_insertion_does_not_matter_and_a_key_is_set_once():
    keys = [os.urandom(32) for _ in range(20)]
    one, other = KeyMap(), KeyMap()
    assert one.root == EMPTY
    assert holds(EMPTY, keys[0], None, one.prove(keys[0]))
    for key in keys:
        one.insert(key, key)
    for key in reversed(keys):
        other.insert(key, key)
    assert one.root == other.root
    with pytest.raises(ParameterError, match="set already"):
        one.insert(keys[3], bytes(32))
    with pytest.raises(ParameterError, match="32 bytes"):
        one.insert(b"short", bytes(32))


# What is admitted


@pytest.fixture(scope="module")
def world() -> World:
    return World(blind=True)


def book_of(world: World) -> Book:
    book = Book(KEYS.registrar.public)
    for entry in world.entries():
        book.append(entry)
    return book


def test_the_log_holds_one_live_document_a_lender_purpose_and_epoch(world):
    """A bent card as a second entry: nobody admits it."""
    book = book_of(world)
    bent = replace(world.terms, card=replace(world.card, base=world.card.base - 60))
    with pytest.raises(ForgeryError, match="holds another terms under this key"):
        book.append(Entry.sign(Kind.TERMS, world.key, bent.encode()).encode())
    other = replace(world.terms, purpose="credit card")
    book.append(Entry.sign(Kind.TERMS, world.key, other.encode()).encode())


def admitted(name: str, role: str, key: VerifyingKey) -> Entry:
    return Entry.sign(Kind.MEMBER, KEYS.registrar, Member(name, role, key).encode())


def test_only_who_may_say_something_says_it(world):
    book, stranger = book_of(world), SigningKey()
    theirs = replace(world.terms, lender_key=stranger.public)
    bank_key = world.source_keys[0]
    by_source = replace(world.terms, lender=world.sources[0].name, lender_key=bank_key.public)
    known = {s.name: s for s in world.terms.sources}
    unknown = replace(World(blind=True).terms, lender_key=world.key.public)
    for entry, why in (
        (Entry.sign(Kind.MEMBER, stranger, Member("Quay Bank", "lender", stranger.public).encode()), "registrar"),
        (
            Entry.sign(Kind.MEMBER, KEYS.registrar, Member(world.lender_name, "lender", stranger.public).encode()),
            "another",
        ),
        (Entry.sign(Kind.MEMBER, KEYS.registrar, Member("Sibling", "lender", world.key.public).encode()), "another"),
        (Entry.sign(Kind.MEMBER, KEYS.registrar, Member("King", "king", stranger.public).encode()), "no role"),
        (Entry.sign(Kind.TERMS, stranger, theirs.encode()), "no member"),
        (Entry.sign(Kind.TERMS, bank_key, by_source.encode()), "role that does not"),
        (Entry.sign(Kind.TERMS, world.key, replace(world.terms, lender="Sibling", purpose="x").encode()), "own name"),
        (
            Entry.sign(Kind.TERMS, world.key, unknown.encode()),
            "no member under",
        ),
        (Entry.sign(Kind.TERMS, world.key, b"noise"), "terms"),
        (Entry(Kind.EPOCH_KEY, bank_key.public, known["bank"].blind.signed, bytes(64)), "does not verify"),
    ):
        with pytest.raises(ForgeryError, match=why):
            book.append(entry.encode())
    one = book.entries[0]
    for bad, why in (
        (b"", "log entry: cut short"),
        (b"\x09" + one[1:], "log entry: kind 9 is none"),
        (one[:-1], "log entry: cut short"),
        (one + b"\0", "log entry: 1 bytes are left over"),
    ):
        with pytest.raises(ForgeryError, match=why):
            book.append(bad)
    assert len(book.tree) == len(world.entries())


def test_a_source_has_one_blind_signing_key_a_layout_and_epoch(world):
    """A key for one person: the log admits none beside the first, and terms that use one are not admitted."""
    from blindscore_crypto.channel.purposes import Purpose
    from blindscore_crypto.sealed.parties.source import epoch_signer
    from blindscore_crypto.sealed.terms import EpochKey

    book, bank, key = book_of(world), world.terms.sources[0], world.source_keys[0]
    signer = epoch_signer(world.group, bank.layout, world.epoch)
    bare = EpochKey(bank.layout.fingerprint, world.epoch, signer.key, b"")
    marked = replace(bare, signature=key.sign(bare.signed, Purpose.EPOCH_KEY))
    with pytest.raises(ForgeryError, match="holds another epoch key"):
        book.append(Entry(Kind.EPOCH_KEY, key.public, marked.signed, marked.signature).encode())
    terms = replace(world.terms, purpose="x", sources=(replace(bank, blind=marked), world.terms.sources[1]))
    with pytest.raises(ForgeryError, match="not the one that the log holds"):
        book.append(Entry.sign(Kind.TERMS, world.key, terms.encode()).encode())


def test_a_name_has_one_key_to_seal_to_an_epoch_and_the_registrar_says_which(world):
    """A key for one person: the log admits none beside everybody's."""
    book, registrar = book_of(world), KEYS.registrar
    logged, other = (SealingKey("Quay Bank", 7, Gateway().config) for _ in range(2))
    assert SealingKey.decode(logged.encode()) == logged
    at = book.append(Entry.sign(Kind.SEALING_KEY, registrar, logged.encode()).encode())
    assert book.find(sealing_key_key("Quay Bank", 7)) == at
    assert "key to seal requests to 'Quay Bank' with, epoch 7" in describe(book.entries[at])
    book.append(Entry.sign(Kind.SEALING_KEY, registrar, replace(other, epoch=8).encode()).encode())
    raw = logged.encode()
    longer = raw[:-6] + b"\0\x08" + raw[-4:] + bytes(4)  # a second suite, which nobody speaks
    for bad, why in (
        (Entry.sign(Kind.SEALING_KEY, registrar, other.encode()), "holds another sealing key"),
        (Entry.sign(Kind.SEALING_KEY, world.key, replace(other, name="x").encode()), "registrar alone"),
        (replace(Entry.sign(Kind.MEMBER, registrar, raw), kind=Kind.SEALING_KEY), "does not verify"),
        (Entry.sign(Kind.SEALING_KEY, registrar, raw[:-1]), "sealing key: cut short"),
        (Entry.sign(Kind.SEALING_KEY, registrar, raw + b"\0"), "sealing key: 1 bytes are left over"),
        (Entry.sign(Kind.SEALING_KEY, registrar, longer), "sealing key: 4 bytes are left over"),
        (Entry.sign(Kind.SEALING_KEY, registrar, raw[:-4] + bytes(4)), "does not offer"),
        (Entry.sign(Kind.SEALING_KEY, registrar, raw.replace(b"\0\x20", b"\0\x21")), "another KEM"),
    ):
        with pytest.raises(ForgeryError, match=why):
            book.append(bad.encode())


# Keeper, witnesses, readers


def test_a_reader_finds_entries_and_proofs_of_absence(world):
    keeper, _ = world.published()
    watcher = Watcher(world.trust, MemoryStore())
    keys = [name_key(world.lender_name), member_key(SigningKey().public), terms_key(world.key.public, "loan", 202611)]
    (found,) = keeper.handle(Message("log", "lookup", watcher.ask(keys), "line"))
    member, absent, terms = watcher.read(keys, found.body, world.clock())
    assert Member.decode(member.body).key == world.key.public
    assert absent is None
    assert terms.body == world.terms.encode()
    assert watcher.head.size == len(keeper.book.tree)
    everyone = replace(world.trust, k=3)  # with two of three, a flipped bit in one cosignature does no harm
    for at in range(0, len(found.body), 41):
        bad = bytearray(found.body)
        bad[at] ^= 1
        with pytest.raises(ForgeryError, match=r"log's answer|log head|log's head|public log|the log says"):
            Watcher(everyone, MemoryStore()).read(keys, bytes(bad), world.clock())
    with pytest.raises(ForgeryError, match="not in the public log"):  # an answer to another question
        Watcher(world.trust, MemoryStore()).read(keys[::-1], found.body, world.clock())
    with pytest.raises(ParameterError, match="1 to 64"):
        ask([], 0)


def look(keeper: LogKeeper, watcher: Watcher, world: World) -> list[Entry | None]:
    keys = [name_key(world.lender_name)]
    (found,) = keeper.handle(Message("log", "lookup", watcher.ask(keys), "line"))
    return watcher.read(keys, found.body, world.clock())


def test_a_head_without_enough_witnesses_or_of_yesterday_is_refused(world):
    keeper, _ = world.published()
    look(keeper, Watcher(world.trust, MemoryStore()), world)
    lonely = LogKeeper(KEYS.log, KEYS.registrar.public, MemoryStore(), (), world.clock)
    for entry in world.entries():
        lonely.append(entry)
    with pytest.raises(ForgeryError, match="0 witnesses cosigned"):
        look(lonely, Watcher(world.trust, MemoryStore()), world)
    stranger = Trust(SigningKey().public, world.trust.witnesses, 2)
    with pytest.raises(ForgeryError, match="log head"):
        look(keeper, Watcher(stranger, MemoryStore()), world)
    world.clock.advance(2 * 86_400)  # the log is frozen for this reader
    try:
        with pytest.raises(ForgeryError, match="stopped"):
            look(keeper, Watcher(world.trust, MemoryStore()), world)
    finally:
        world.clock.advance(-2 * 86_400)
    for k, witnesses in ((0, world.trust.witnesses), (4, world.trust.witnesses), (2, world.trust.witnesses[:1] * 2)):
        with pytest.raises(ParameterError, match="witnesses"):
            Trust(KEYS.log.public, witnesses, k)


def test_one_witness_counts_once_however_often_it_signs(world):
    keeper, witnesses = world.published()
    head = keeper.head()
    twice = replace(head, cosigned=(head.cosigned[0],) * 3)
    world.trust.require(head, world.clock())
    with pytest.raises(ForgeryError, match="1 witnesses"):
        world.trust.require(twice, world.clock())
    strangers = tuple((key.public.id, twice.cosign(key)) for key in (SigningKey(), SigningKey()))
    with pytest.raises(ForgeryError, match="1 witnesses"):
        world.trust.require(replace(twice, cosigned=(head.cosigned[0], *strangers)), world.clock())
    assert witnesses[0].public.id in {name for name, _ in head.cosigned}


def test_a_log_that_grows_is_followed_and_a_keeper_restarts(world):
    keeper, witnesses = world.published()
    watcher = Watcher(world.trust, MemoryStore())
    look(keeper, watcher, world)
    other = replace(world.terms, purpose="overdraft")
    published, *extends_ = keeper.handle(
        Message("log", "publish", Entry.sign(Kind.TERMS, world.key, other.encode()).encode(), "Harbour Bank")
    )
    assert (published.kind, len(extends_)) == ("published", 3)
    follow(keeper, witnesses)
    look(keeper, watcher, world)
    again = LogKeeper(KEYS.log, KEYS.registrar.public, keeper.store, [w.name for w in witnesses], world.clock)
    assert again.book.tree.root() == keeper.book.tree.root()
    follow(again, witnesses)
    look(again, watcher, world)
    (refused,) = keeper.handle(Message("log", "publish", b"noise", "Harbour Bank"))
    assert refused.kind == "refused"


def test_heads_and_lookups_of_twenty_thousand_entries_cost_a_few_hashes(monkeypatch):
    tree, counted = tree_of(20_000), []
    real = hashlib.sha256
    monkeypatch.setattr("blindscore_crypto.sealed.log.tree.hashlib.sha256", lambda d: (counted.append(1), real(d))[1])
    tree.append(b"one more")
    tree.root()
    tree.inclusion(777, 20_001)
    tree.consistency(12_345, 20_001)
    assert len(counted) < 200


def test_heads_travel_as_bytes():
    head = Head.sign(KEYS.log, 3, bytes(32), bytes(range(32)), 77)
    head = replace(head, cosigned=((KEYS.witnesses[0].public.id, head.cosign(KEYS.witnesses[0])),))
    reader = Reader("head", head.encode())
    assert Head.read(reader) == head
    reader.end()
    whole = head.encode()
    for bad, why in ((b"", "cut short"), (whole[:-1], "cut short"), (b"x" + whole[1:], "begins otherwise than BSH2")):
        with pytest.raises(ForgeryError, match=f"head: .*{why}"):
            Head.read(Reader("head", bad))


def test_a_witness_that_lost_its_store_is_told_from_the_start(world):
    keeper, _ = world.published()
    fresh = Witness("witness 0", KEYS.witnesses[0], KEYS.log.public, KEYS.registrar.public, MemoryStore(), world.clock)
    extension = keeper.refresh()[0]
    (refused,) = fresh.handle(replace(extension, sender="log"))
    assert refused.kind == "refused"
    keeper.handle(replace(refused, sender="witness 0"))
    (cosigned,) = fresh.handle(replace(keeper.refresh()[0], sender="log"))
    assert cosigned.kind == "cosigned"
