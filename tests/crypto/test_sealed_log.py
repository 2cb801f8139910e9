"""The public log: known tree hashes, proofs of every size, rewritten and split logs, and a card bent for one person."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from blindscore.errors import ForgeryError, ParameterError
from blindscore_crypto.channel.signatures import SigningKey
from blindscore_crypto.sealed.parties.lender import Verifier, is_bent
from blindscore_crypto.sealed.parties.log import Head, Log, LogWatcher, extends, includes, leaf_hash, tree_hash
from blindscore_crypto.sealed.parties.wallet import Wallet
from blindscore_crypto.sealed.presentation import check
from tests.crypto.sealed_world import CARD, EPOCH, GOOD, TODAY, World

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


def log_of(n: int, key: SigningKey | None = None) -> Log:
    log = Log(key)
    for i in range(n):
        log.append(f"entry {i}".encode())
    return log


def test_tree_hashes_are_the_known_ones():
    assert tree_hash([]) == hashlib.sha256(b"").digest()
    for n, root in enumerate(ROOTS, 1):
        assert tree_hash([leaf_hash(entry) for entry in ENTRIES[:n]]).hex() == root


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 8, 13])
def test_every_entry_of_every_size_is_included_and_nothing_else(size):
    log = log_of(size)
    head = log.head()
    head.check(log.public)
    for i in range(size):
        proof = log.inclusion(i, size)
        entry = f"entry {i}".encode()
        assert includes(head, entry, i, proof)
        assert not includes(head, b"another", i, proof)
        assert not includes(head, entry, (i + 1) % size, proof) or size == 1
        assert not includes(head, entry, i, (*proof, bytes(32)))
        assert not includes(head, entry, size, proof)
        if proof:
            assert not includes(head, entry, i, proof[:-1])
            assert not includes(head, entry, i, (bytes(32), *proof[1:]))


@pytest.mark.parametrize("new", [1, 2, 6, 7, 8, 13])
def test_every_prefix_is_consistent_and_a_rewritten_one_is_not(new):
    log = log_of(new)
    heads = [log_of(n).head() for n in range(new + 1)]
    for old in range(1, new + 1):
        proof = log.consistency(old, new)
        assert extends(heads[old], heads[new], proof)
        rewritten = replace(heads[old], root=bytes(32))
        assert not extends(rewritten, heads[new], proof)
        assert not extends(heads[old], replace(heads[new], root=bytes(32)), proof)
        assert not extends(heads[old], heads[new], (*proof, bytes(32)))
        if proof:
            assert not extends(heads[old], heads[new], proof[:-1])
    assert not extends(heads[0], heads[new], ())


def test_a_proof_that_the_log_cannot_give_is_refused():
    log = log_of(4)
    for index, size in ((4, 4), (-1, 4), (0, 5), (0, 0)):
        with pytest.raises(ParameterError):
            log.inclusion(index, size)
    for old, new in ((0, 4), (4, 3), (1, 5)):
        with pytest.raises(ParameterError):
            log.consistency(old, new)


def test_a_watcher_follows_an_honest_log_and_convicts_a_rewritten_one():
    key = SigningKey()
    log, watcher = log_of(3, key), LogWatcher(key.public)
    watcher.update(log.head(), ())
    log.append(b"entry 3")
    watcher.update(log.head(), log.consistency(3, 4))
    forked = Log(key)
    for entry in (b"entry 0", b"bent", b"entry 2", b"entry 3", b"entry 4"):
        forked.append(entry)
    for proof in (forked.consistency(4, 5), log.consistency(3, 4), ()):
        with pytest.raises(ForgeryError, match="does not extend"):
            watcher.update(forked.head(), proof)


def test_a_head_that_the_log_did_not_sign_is_refused():
    log = log_of(3)
    head = log.head()
    LogWatcher(log.public).update(head, ())
    for bad in (
        replace(head, size=4),
        replace(head, root=bytes(32)),
        replace(head, signature=bytes(64)),
        Head(-1, head.root, head.signature),
        replace(head, root=b"short"),
    ):
        with pytest.raises(ForgeryError):
            LogWatcher(log.public).update(bad, ())
    with pytest.raises(ForgeryError):
        LogWatcher(SigningKey().public).update(head, ())


# What makes steering fail


def test_a_card_bent_for_one_person_is_caught_whatever_the_lender_does():
    """The lender dislikes Ada and shifts her score: three ways, and each leaves proof or gets no answer."""
    world, log_key = World(), SigningKey()
    log = Log(log_key)
    index = log.append(world.terms.log_entry)
    watcher = LogWatcher(log.public)
    watcher.update(log.head(), ())
    wallet = Wallet("ada", [], EPOCH)
    wallet.learn(world.terms, watcher, index, log.inclusion(index, 1))
    wallet.accept(world.issue("ada", GOOD, count=2), world.terms)

    # 1. A card of her own, with fewer points for her bins. It is not in the log: her wallet does not answer.
    bent_card = replace(CARD, base=CARD.base - 60)
    bent = replace(world.terms, card=bent_card)
    offer = Verifier(bent, world.key).offer(epoch=EPOCH.number, day=TODAY)
    with pytest.raises(ParameterError, match="not among the published"):
        wallet.apply(offer, day=TODAY)
    with pytest.raises(ForgeryError, match="not in the public log"):
        wallet.learn(bent, watcher, index, log.inclusion(index, 1))

    # 2. So the lender logs the bent card as well. Now everybody reads that it has two.
    log.append(bent.log_entry)
    watcher.update(log.head(), log.consistency(1, 2))
    assert {world.terms.log_entry, bent.log_entry} <= set(log.entries)

    # 3. So the lender keeps the public card and answers against it. Its own signature convicts it.
    frame = wallet.apply(world.offer(), day=TODAY)
    assert check(world.terms, frame).approved
    refusal = world.verifier.sign_decision(frame, False).encode()
    assert is_bent(world.terms, frame, refusal)

    # Or the log keeper shows Ada alone another log: it does not extend what she saw.
    split = Log(log_key)
    split.append(bent.log_entry)
    split.append(world.terms.log_entry)
    with pytest.raises(ForgeryError, match="does not extend"):
        watcher.update(split.head(), ())
