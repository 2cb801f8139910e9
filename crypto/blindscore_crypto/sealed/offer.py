"""Offer, answer, receipt, decision: what wallet and lender say to each other, each of one size.

::

    wallet                                     lender
      ask: hash of a one-time key, channel  ->
                                            <-  offer: terms, nonce, day, both of these; signed
      commit: offer, key, hash of answer    ->      (signed by the one-time key)
                                            <-  receipt: this hash will be decided by then; signed
      answer: proof or refusal              ->      (signed by the one-time key)
      fetch, after the deadline             ->
                                            <-  decision on this hash: yes, no, used before, void; signed

The lender promises a decision before it sees the answer, and learns nothing between offer and receipt but that somebody
asks: silence after the receipt is evidence (:mod:`.judge`), and silence before it cannot be aimed. The one-time key
signs proof and refusal alike, so that nobody else spends a person's offer, and no lender makes up a refusal.

Who sees what: the lender learns one bit; the observer of an encrypted line counts messages and sees sizes that are the
same for everybody. Assumptions: SHA-256, Ed25519. Not protected: a channel that is not named is not bound; a person
who hands its one-time key to another.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from blindscore.errors import ForgeryError
from blindscore_crypto.channel.purposes import Purpose
from blindscore_crypto.channel.signatures import PUBLIC_BYTES, SIGNATURE_BYTES, SigningKey, VerifyingKey
from blindscore_crypto.sealed.terms import Terms
from blindscore_crypto.sealed.wire import Reader, u32

NONCE_BYTES, CHANNEL_BYTES, DIGEST_BYTES = 16, 32, 32
# Constants in place of zeros: a byte of a key followed by zeros would look like somebody's figure in clear.
NO_CHANNEL = hashlib.sha256(b"blindscore/sealed/v1/no channel").digest()  # nothing is bound but the one-time key
_FILL = hashlib.sha256(b"blindscore/sealed/v1/refusal").digest()
ASK_BYTES = DIGEST_BYTES + CHANNEL_BYTES
OFFER_BYTES = 4 + 32 + NONCE_BYTES + 4 + DIGEST_BYTES + CHANNEL_BYTES + SIGNATURE_BYTES
COMMIT_BYTES = OFFER_BYTES + PUBLIC_BYTES + DIGEST_BYTES + SIGNATURE_BYTES
RECEIPT_BYTES = 4 + DIGEST_BYTES + DIGEST_BYTES + 8 + SIGNATURE_BYTES
DECISION_BYTES = 1 + DIGEST_BYTES + SIGNATURE_BYTES
HEAD_BYTES = 1 + OFFER_BYTES + PUBLIC_BYTES  # of an answer
REFUSAL, PROOF = 0, 1
_MAGIC, _RECEIPT = b"BSO2", b"BSR1"


def key_hash(key: VerifyingKey) -> bytes:
    """Return the hash by which an offer names a one-time key."""
    return hashlib.sha256(b"blindscore/sealed/v1/one-time" + key.raw).digest()


@dataclass(frozen=True)
class Offer:
    """One signed invitation to prove, for whoever holds one key, on one channel."""

    terms: bytes  # fingerprint
    nonce: bytes
    day: int  # days since 1970-01-01
    client: bytes  # hash of the asker's one-time key
    channel: bytes  # as both ends of the line see it, or NO_CHANNEL
    signature: bytes

    @property
    def signed(self) -> bytes:
        """What the lender put its name to."""
        return _MAGIC + self.terms + self.nonce + u32("day", self.day) + self.client + self.channel

    @property
    def nullifier(self) -> bytes:
        """Under which an offer is used once."""
        return hashlib.sha256(b"blindscore/sealed/v1/offer-nullifier" + self.encode()).digest()

    def encode(self) -> bytes:
        """Return the bytes that travel, always as many."""
        return self.signed + self.signature

    @classmethod
    def make(cls, terms: Terms, key: SigningKey, ask: bytes, *, day: int) -> Offer:
        """Sign a fresh offer to whoever asked.

        Raises
        ------
        ForgeryError
            The question has another length.
        """
        if len(ask) != ASK_BYTES:
            raise ForgeryError(f"a question for an offer has {ASK_BYTES} bytes, got {len(ask)}")
        nonce, client, channel = os.urandom(NONCE_BYTES), ask[:DIGEST_BYTES], ask[DIGEST_BYTES:]
        bare = cls(terms.fingerprint, nonce, day, client, channel, b"")
        return cls(terms.fingerprint, nonce, day, client, channel, key.sign(bare.signed, Purpose.OFFER))

    @classmethod
    def decode(cls, terms: Terms, data: bytes) -> Offer:
        """Return the offer that `data` encodes, after checking that these terms' lender signed it.

        Raises
        ------
        ForgeryError
            Wrong length, other terms, or a bad signature.
        """
        if len(data) != OFFER_BYTES or data[:4] != _MAGIC:
            raise ForgeryError(f"an offer has {OFFER_BYTES} bytes and begins with {_MAGIC.decode()}")
        if data[4:36] != terms.fingerprint:
            raise ForgeryError("the offer is for other terms (lender, card, threshold or sources differ)")
        reader = Reader("offer", data[36:])
        nonce, day = reader.take(NONCE_BYTES), reader.number(4)
        client, channel = reader.take(DIGEST_BYTES), reader.take(CHANNEL_BYTES)
        terms.lender_key.require(data[:-SIGNATURE_BYTES], data[-SIGNATURE_BYTES:], Purpose.OFFER)
        return cls(data[4:36], nonce, day, client, channel, data[-SIGNATURE_BYTES:])


def ask(client: VerifyingKey, channel: bytes = NO_CHANNEL) -> bytes:
    """Return the question for an offer."""
    return key_hash(client) + channel


def digest(answer: bytes) -> bytes:
    """Return the hash by which receipt and decision name an answer."""
    return hashlib.sha256(b"blindscore/sealed/v1/answer" + answer).digest()


def seal(offer: Offer, kind: int, body: bytes, length: int, client: SigningKey) -> bytes:
    """Return the answer to an offer, signed by the one-time key and padded to `length` bytes."""
    head = bytes([kind]) + offer.encode() + client.public.raw
    bare = (head + body + _fill(length))[: length - SIGNATURE_BYTES]
    return bare + client.sign(bare, Purpose.ANSWER)


def _fill(length: int) -> bytes:
    """Return what a refusal holds in place of a proof: the same for everybody."""
    return (_FILL * (1 + length // len(_FILL)))[:length]


def unseal(terms: Terms, answer: bytes, length: int) -> tuple[Offer, bytes | None]:
    """Return an answer's offer, and the body of a proof or None for a refusal; the proof is still to be checked.

    Raises
    ------
    ForgeryError
        Wrong size or tag, an offer that this lender did not sign, another key than asked, a bad signature, or a refusal
        that holds anything.
    """
    if len(answer) != length:
        raise ForgeryError(f"an answer under these terms has {length} bytes, got {len(answer)}")
    if answer[0] not in (REFUSAL, PROOF):
        raise ForgeryError("the answer is neither a proof nor a refusal")
    body = answer[HEAD_BYTES:-SIGNATURE_BYTES]
    if answer[0] == REFUSAL and body != _fill(len(body)):
        raise ForgeryError("a refusal holds nothing; the bytes were altered")
    offer = Offer.decode(terms, answer[1 : 1 + OFFER_BYTES])
    client = VerifyingKey(answer[1 + OFFER_BYTES : HEAD_BYTES])
    if key_hash(client) != offer.client:
        raise ForgeryError("the answer comes from somebody else than who asked for the offer")
    client.require(answer[:-SIGNATURE_BYTES], answer[-SIGNATURE_BYTES:], Purpose.ANSWER)
    return offer, body if answer[0] == PROOF else None


def commit(offer: Offer, answer: bytes, client: SigningKey) -> bytes:
    """Return what asks for a receipt: which answer will be given to which offer, signed by the one-time key."""
    bare = offer.encode() + client.public.raw + digest(answer)
    return bare + client.sign(bare, Purpose.COMMIT)


def read_commit(terms: Terms, data: bytes) -> tuple[Offer, bytes]:
    """Return (offer, digest of the answer to come).

    Raises
    ------
    ForgeryError
        Wrong size, an offer that this lender did not sign, or not signed by who asked for it.
    """
    if len(data) != COMMIT_BYTES:
        raise ForgeryError(f"a request for a receipt has {COMMIT_BYTES} bytes, got {len(data)}")
    offer = Offer.decode(terms, data[:OFFER_BYTES])
    client = VerifyingKey(data[OFFER_BYTES : OFFER_BYTES + PUBLIC_BYTES])
    if key_hash(client) != offer.client:
        raise ForgeryError("the receipt is asked for by somebody else than who asked for the offer")
    client.require(data[:-SIGNATURE_BYTES], data[-SIGNATURE_BYTES:], Purpose.COMMIT)
    return offer, data[-SIGNATURE_BYTES - DIGEST_BYTES : -SIGNATURE_BYTES]


@dataclass(frozen=True)
class Receipt:
    """The lender's promise: the answer with this digest, to this offer, is decided by the deadline."""

    offer: bytes  # its nullifier
    answer: bytes  # its digest
    deadline: int  # seconds since 1970-01-01 UTC
    signature: bytes

    def _signed(self) -> bytes:
        return _RECEIPT + self.offer + self.answer + self.deadline.to_bytes(8, "big")

    def encode(self) -> bytes:
        """Return the bytes that travel."""
        return self._signed() + self.signature

    @classmethod
    def make(cls, key: SigningKey, offer: bytes, answer: bytes, deadline: int) -> Receipt:
        """Sign the promise."""
        bare = cls(offer, answer, deadline, b"")
        return cls(offer, answer, deadline, key.sign(bare._signed(), Purpose.RECEIPT))

    @classmethod
    def decode(cls, terms: Terms, data: bytes) -> Receipt:
        """Return the receipt, after checking that the lender signed it.

        Raises
        ------
        ForgeryError
            Wrong length, or a bad signature.
        """
        if len(data) != RECEIPT_BYTES or data[:4] != _RECEIPT:
            raise ForgeryError(f"a receipt has {RECEIPT_BYTES} bytes and begins with {_RECEIPT.decode()}")
        terms.lender_key.require(data[:-SIGNATURE_BYTES], data[-SIGNATURE_BYTES:], Purpose.RECEIPT)
        return cls(data[4:36], data[36:68], int.from_bytes(data[68:76], "big"), data[-SIGNATURE_BYTES:])


class Verdict(IntEnum):
    """What a decision says."""

    REFUSED = 0  # the answer was a refusal
    APPROVED = 1  # the answer proves score >= threshold
    USED = 2  # another answer has shown one of its nullifiers: the decision names it
    VOID = 3  # the answer does not hold under the terms


@dataclass(frozen=True)
class Decision:
    """The lender's signed word on one answer."""

    verdict: Verdict
    other: bytes  # digest of the earlier answer where the verdict is USED, else zeros
    signature: bytes

    def encode(self) -> bytes:
        """Return 97 bytes, always."""
        return bytes([self.verdict]) + self.other + self.signature

    @classmethod
    def make(cls, key: SigningKey, answer: bytes, verdict: Verdict, other: bytes = bytes(DIGEST_BYTES)) -> Decision:
        """Put the lender's name to an answer's digest, truly or not: what it signs can be held against it."""
        return cls(verdict, other, key.sign(answer + bytes([verdict]) + other, Purpose.DECISION))

    @classmethod
    def decode(cls, terms: Terms, answer: bytes, data: bytes) -> Decision:
        """Return the decision, after checking that the lender signed it for the answer with this digest.

        Raises
        ------
        ForgeryError
            Wrong length, an unknown verdict, or not signed by this lender for this answer.
        """
        if len(data) != DECISION_BYTES or data[0] > max(Verdict):
            raise ForgeryError(f"a decision has {DECISION_BYTES} bytes and says one of {len(Verdict)} things")
        terms.lender_key.require(answer + data[: 1 + DIGEST_BYTES], data[1 + DIGEST_BYTES :], Purpose.DECISION)
        return cls(Verdict(data[0]), data[1 : 1 + DIGEST_BYTES], data[1 + DIGEST_BYTES :])


@dataclass(frozen=True)
class Checked:
    """What an answer amounts to."""

    approved: bool
    offer: Offer
    nullifiers: tuple[bytes, ...]  # spend all of them together; the offer's own first

    @staticmethod
    def of(offer: Offer, shown: Sequence[bytes]) -> Checked:
        """Approved if anything was shown; `shown` are the nullifiers of what was."""
        return Checked(bool(shown), offer, (offer.nullifier, *shown))
