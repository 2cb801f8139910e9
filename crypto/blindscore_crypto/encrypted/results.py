"""Results: what an audited lender signs, the transcript that it stands on, and the log in which applications stand.

A lender commits to card and threshold before it scores anybody. With each reply goes a signed receipt: the application
and its reply are entry so-and-so of an append-only log (a hash chain). With each opening goes a signed result. So a
lender can neither leave an answered application out nor invent one: receipts and log are held against each other.
Who sees what: whoever holds a transcript reads the score. Assumptions: SHA-256, Ed25519.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from blindscore.scorecard.card import Card
from blindscore_crypto.channel.frames import HEADER_BYTES, Kind, refuse
from blindscore_crypto.channel.purposes import Purpose
from blindscore_crypto.channel.signatures import SIGNATURE_BYTES, SigningKey, VerifyingKey
from blindscore_crypto.encrypted.parameters import Parameters
from blindscore_crypto.encrypted.wire import (
    NONCE_BYTES,
    application_bytes,
    opening_bytes,
    read_signed,
    reply_bytes,
    signed,
    split,
)

SEED_BYTES = 32
_RESULT = struct.Struct(f">{NONCE_BYTES}siiB32s32s32s")  # nonce, score, threshold, approved, terms, transcript, seed
_RECEIPT = struct.Struct(">Q32s32s")  # index, entry, head
RESULT_BYTES = HEADER_BYTES + _RESULT.size + SIGNATURE_BYTES
RECEIPT_BYTES = HEADER_BYTES + _RECEIPT.size + SIGNATURE_BYTES
EMPTY = bytes(32)  # the head of a log with no entry


def _hash(what: bytes, *parts: bytes) -> bytes:
    state = hashlib.sha256(b"blindscore/encrypted/" + what + b"/v1")
    for part in parts:
        state.update(len(part).to_bytes(8) + part)
    return state.digest()


def commit(card: Card, threshold: int, salt: bytes) -> bytes:
    """Return the commitment (32 bytes) to card and threshold under a secret salt of 32 bytes."""
    return _hash(b"terms", salt, bytes.fromhex(card.fingerprint), threshold.to_bytes(4, signed=True))


def entry_of(application: bytes, reply: bytes) -> bytes:
    """Return the log entry (32 bytes) of an answered application."""
    return _hash(b"entry", application, reply)


def chain(head: bytes, index: int, entry: bytes) -> bytes:
    """Return the log's head (32 bytes) after one more entry."""
    return _hash(b"chain", head, index.to_bytes(8), entry)


def seed_commitment(seed: bytes) -> bytes:
    """Return the hash (32 bytes) under which a result names the seed of its application's mask and noise."""
    return _hash(b"seed", seed)


@dataclass(frozen=True)
class Receipt:
    """Where an answered application stands in the lender's log; the lender cannot take it back."""

    index: int
    entry: bytes
    head: bytes  # after this entry

    def sign(self, p: Parameters, key: SigningKey) -> bytes:
        """Return the receipt frame."""
        body = _RECEIPT.pack(self.index, self.entry, self.head)
        return signed(Kind.RECEIPT, p.code, body, key, Purpose.ENCRYPTED_RECEIPT)

    @classmethod
    def read(cls, frame: bytes, p: Parameters, lender: VerifyingKey) -> Receipt:
        """Return what the lender signed; else :class:`~blindscore.errors.ForgeryError`."""
        body = read_signed(frame, Kind.RECEIPT, p.code, _RECEIPT.size, lender, Purpose.ENCRYPTED_RECEIPT)
        return cls(*_RECEIPT.unpack(body))

    def require(self, application: bytes, reply: bytes) -> None:
        """Return if the receipt is for these messages; else raise :class:`~blindscore.errors.ForgeryError`."""
        if self.entry != entry_of(application, reply):
            raise refuse(Kind.RECEIPT, "it is for other messages")


@dataclass(frozen=True)
class Transcript:
    """All that went between an applicant and the lender; the applicant keeps it."""

    application: bytes
    reply: bytes
    opening: bytes
    result: bytes

    @property
    def digest(self) -> bytes:
        """Thirty-two bytes over the three messages before the result, each with its length."""
        return _hash(b"transcript", self.application, self.reply, self.opening)

    def encode(self) -> bytes:
        """Return the four frames one after another."""
        return self.application + self.reply + self.opening + self.result

    @classmethod
    def decode(cls, data: bytes, p: Parameters) -> Transcript:
        """Return a transcript of exactly the right length; else :class:`~blindscore.errors.ForgeryError`."""
        return cls(*split(data, application_bytes(p), reply_bytes(p), opening_bytes(p), RESULT_BYTES))


@dataclass(frozen=True)
class Result:
    """What a result frame says, once its signature has been checked."""

    nonce: bytes
    score: int
    threshold: int
    approved: bool
    commitment: bytes  # to card and threshold
    transcript: bytes  # digest
    seed: bytes  # commitment

    def sign(self, p: Parameters, key: SigningKey) -> bytes:
        """Return the result frame."""
        body = _RESULT.pack(
            self.nonce, self.score, self.threshold, self.approved, self.commitment, self.transcript, self.seed
        )
        return signed(Kind.RESULT, p.code, body, key, Purpose.ENCRYPTED_RESULT)

    @classmethod
    def read_frame(cls, frame: bytes, p: Parameters, lender: VerifyingKey) -> Result:
        """Return what the lender signed; else :class:`~blindscore.errors.ForgeryError`."""
        body = read_signed(frame, Kind.RESULT, p.code, _RESULT.size, lender, Purpose.ENCRYPTED_RESULT)
        nonce, score, threshold, approved, *digests = _RESULT.unpack(body)
        if approved > 1:
            raise refuse(Kind.RESULT, "it says neither yes nor no")
        return cls(nonce, score, threshold, bool(approved), *digests)

    @classmethod
    def read(cls, transcript: Transcript, p: Parameters, lender: VerifyingKey) -> Result:
        """Return the signed result of a transcript.

        Raises
        ------
        ForgeryError
            Malformed, not signed by this lender, or signed over other messages than these.
        """
        result = cls.read_frame(transcript.result, p, lender)
        if result.transcript != transcript.digest:
            raise refuse(Kind.RESULT, "it was signed over other messages than these")
        return result


def left_out(entries: Sequence[bytes], receipts: Iterable[Receipt]) -> list[Receipt]:
    """Return the receipts that the lender signed and that its log, as it shows it now, contradicts: proofs.

    Parameters
    ----------
    entries
        The log, in order, 32 bytes each.
    receipts
        What people hold, signatures checked.
    """
    heads, head = [], EMPTY
    for index, entry in enumerate(entries):
        head = chain(head, index, entry)
        heads.append(head)
    return [r for r in receipts if r.index >= len(entries) or entries[r.index] != r.entry or heads[r.index] != r.head]
