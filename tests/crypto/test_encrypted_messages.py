"""Every message and kept state of the encrypted designs: known bytes, and what comes back from them."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from blindscore.errors import DataError, ForgeryError
from blindscore.scorecard.card import Card, Characteristic
from blindscore_crypto.channel.signatures import SigningKey
from blindscore_crypto.encrypted import results, wire
from blindscore_crypto.encrypted.compare import exchange
from blindscore_crypto.encrypted.compare.dcf import key_bytes
from blindscore_crypto.encrypted.compare.deal import HelpersHalf, LendersHalf
from blindscore_crypto.encrypted.compare.window import WindowHalf
from blindscore_crypto.encrypted.mask import Mask
from blindscore_crypto.encrypted.parameters import DEFAULT as P
from blindscore_crypto.layout import Layout

KEY = SigningKey.of_seed(bytes(range(32)))
CARD = Card(
    (Characteristic("income", (1, 2, 3, 4), (10.0, 20.5)), Characteristic("job", (5, 6), groups=(("a",),))), 500
)
NONCE = wire.nonce_of(KEY.public)
ASK = wire.Ask(bytes(32), b"\1" * 32, NONCE, Layout.of(CARD), P, b"\2" * 32, b"\3" * 32)
ATTESTED = wire.Attested(KEY.public.id, Layout.of(CARD).fingerprint, b"\1" * 32, NONCE, 20_000, bytes(P.upload_bytes))
OPENING = wire.Opening(NONCE, np.array([1, 2, 3, 8190]), b"\4" * 32)
RECEIPT = results.Receipt(7, b"\5" * 32, b"\6" * 32)
RESULT = results.Result(NONCE, -3, 600, False, b"\7" * 32, b"\x08" * 32, b"\x09" * 32)
CHECK = exchange.Check(NONCE, b"\1" * 32, b"\2" * 32, (0, 1, 2, 8190))
TELLING = exchange.Telling(NONCE, (1, 2, 3, 4), (5, 6, 7, 8), (9, 10, 11), 12, b"\1" * 16, b"\2" * 16)
SHARE = exchange.Share(NONCE, (1, 2, 3, 8190), b"\1" * 16, 2**64 - 1)
HALF = key_bytes(13)
MASK = Mask(P.t, np.array([1, 2, 3, 8190]), np.array([0, 5, 6, 8190]))
HELPERS = HelpersHalf(5, (1, 2, 3, 4), b"\1" * 32, WindowHalf(0, 2**63, b"\1" * HALF))
LENDERS = LendersHalf(5, (1, 2, 3, 4), (5, 6, 7, 8), b"\1" * 16, 2**63, WindowHalf(1, 1, b"\1" * HALF))
SOURCES = {KEY.public.id: KEY.public}

FRAMES = {
    "ask": (ASK.encode(), wire.Ask.decode, ASK),
    "attestation": (ATTESTED.sign(P.code, KEY), lambda m: wire.Attested.read(m, P, SOURCES), ATTESTED),
    "application": (
        wire.application_frame(P, bytes(32), ATTESTED.sign(P.code, KEY)),
        lambda m: wire.read_application(m, P),
        (bytes(32), ATTESTED.sign(P.code, KEY)),
    ),
    "reply": (
        wire.reply_frame(P, NONCE, bytes(P.reply_bytes)),
        lambda m: wire.read_reply(m, P, NONCE),
        bytes(P.reply_bytes),
    ),
    "decision": (wire.decision_frame(P, NONCE, True), lambda m: wire.read_decision(m, P, NONCE), True),
    "receipt": (RECEIPT.sign(P, KEY), lambda m: results.Receipt.read(m, P, KEY.public), RECEIPT),
    "result": (RESULT.sign(P, KEY), lambda m: results.Result.read_frame(m, P, KEY.public), RESULT),
    "check": (CHECK.write(P, KEY), lambda m: exchange.Check.read(P, m, KEY.public), CHECK),
    "commitment": (
        exchange.write_commitment(P, NONCE, b"\1" * 32, KEY),
        lambda m: exchange.read_commitment(P, m, KEY.public),
        (NONCE, b"\1" * 32),
    ),
    "telling": (TELLING.write(P, KEY), lambda m: exchange.Telling.read(P, m, KEY.public), TELLING),
    "share": (SHARE.write(P, KEY), lambda m: exchange.Share.read(P, m, KEY.public), SHARE),
    "helper's half": (HELPERS.encode(), lambda m: HelpersHalf.decode(P, m), HELPERS),
    "lender's half": (LENDERS.encode(), lambda m: LendersHalf.decode(P, m), LENDERS),
}
KNOWN = json.loads((Path(__file__).parents[1] / "vectors" / "encrypted_messages.json").read_text())


@pytest.mark.parametrize("kind", FRAMES)
def test_a_message_has_its_known_bytes_and_comes_back_from_them(kind):
    frame, read, meant = FRAMES[kind]
    assert [len(frame), sha256(frame).hexdigest()] == KNOWN[kind]
    assert read(frame) == meant


@pytest.mark.parametrize("kind", FRAMES)
def test_a_byte_more_or_less_or_no_bytes_are_refused(kind):
    frame, read, _ = FRAMES[kind]
    for wrong in (frame[:-1], frame + b"\0", b"", frame[: len(frame) // 2]):
        with pytest.raises(ForgeryError, match="refused"):
            read(wrong)


def test_an_opening_has_its_known_bytes_and_comes_back_from_them():
    frame = OPENING.sign(P, KEY)
    assert [len(frame), sha256(frame).hexdigest()] == KNOWN["opening"]
    read = wire.Opening.read(frame, P)
    assert (read.nonce, read.reply, read.values.tolist()) == (NONCE, b"\4" * 32, [1, 2, 3, 8190])


def test_a_mask_comes_back_from_the_lenders_store_and_nonsense_does_not():
    assert [len(MASK.encode()), sha256(MASK.encode()).hexdigest()] == KNOWN["mask"]
    read = Mask.decode(P.t, 4, MASK.encode())
    assert (read.factors.tolist(), read.shifts.tolist()) == (MASK.factors.tolist(), MASK.shifts.tolist())
    for wrong in (b"", MASK.encode()[:-1], bytes(32), b"\xff" * 32):
        with pytest.raises(DataError, match="stored mask"):
            Mask.decode(P.t, 4, wrong)


def test_hashes_are_the_known_ones_and_unlike_one_another():
    card_hash = results.commit(CARD, 600, bytes(32)).hex()
    made = {
        "pseudonym": wire.pseudonym("the lender", bytes(32)).hex(),
        "nonce": NONCE.hex(),
        "commitment to card and threshold": card_hash,
        "log entry": results.entry_of(b"a", b"b").hex(),
        "log head": results.chain(bytes(32), 0, bytes(32)).hex(),
        "seed": results.seed_commitment(bytes(32)).hex(),
        "telling": TELLING.commitment(P).hex(),
        "tags": exchange.Share.commitment(NONCE, (1, 2, 3, 4), bytes(16)).hex(),
    }
    assert made == KNOWN["hashes"]
    assert len(set(made.values())) == len(made)
    assert results.commit(CARD, 601, bytes(32)).hex() != card_hash
