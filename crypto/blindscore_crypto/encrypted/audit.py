"""Audit: a lender that commits to its scorecard, signs every score, and can be caught bending one.

Before it scores anybody the lender publishes a commitment to its card. It draws each application's masks and noise
from a seed of its own, and signs each score together with a digest of all that was sent. An auditor, to whom the lender
has opened its card, picks a random share of the signed transcripts, asks for their seeds, and computes reply and score
again, in whole numbers and in floating point without reordering, so the same bytes come out anywhere: one differing
byte is a proof under the lender's own signature.

Who sees what: the auditor the card, and the score of each transcript that it picks; no bins (it has no key). The
applicant keeps its transcript and may bring it to the auditor itself. Assumptions: SHA-256 (the commitment binds and
hides), Ed25519, ChaCha20 (masks from a seed). Detection: a bent score is caught for certain if its transcript is
picked, so with probability :attr:`Auditor.share` each, and ``1 - (1 - share)^k`` for k of them. Does not protect:
against an auditor who sides with the lender or tells it in advance what it will pick, a card that is unfair to
everybody alike, or a lender that gives a signed score and decides otherwise.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from blindscore.errors import CardError, ParameterError
from blindscore.scorecard.card import Card
from blindscore_crypto.channel.frames import HEADER_BYTES, Kind, pack, refuse, unpack
from blindscore_crypto.channel.purposes import Purpose
from blindscore_crypto.channel.signatures import SIGNATURE_BYTES, SigningKey, VerifyingKey
from blindscore_crypto.encrypted.engines.choice import scheme_for
from blindscore_crypto.encrypted.mask import Mask
from blindscore_crypto.encrypted.parameters import Parameters
from blindscore_crypto.encrypted.points import Points
from blindscore_crypto.encrypted.protocol import Lender, today
from blindscore_crypto.encrypted.ring.sampling import Draw, expand
from blindscore_crypto.encrypted.wire import NONCE_BYTES, SALT_BYTES, VALUE_BYTES, opening_bytes, reply_bytes, upload_of

CONTEXT = Purpose.ENCRYPTED_RESULT
_FACTS = struct.Struct(f">{NONCE_BYTES}si32s32s")  # nonce, score, card commitment, digest of the transcript
RESULT_BYTES = HEADER_BYTES + _FACTS.size + SIGNATURE_BYTES


def commit(card: Card, salt: bytes) -> bytes:
    """Return the commitment (32 bytes) to a card under a secret salt of 32 bytes."""
    return hashlib.sha256(b"blindscore/card-commitment/v1" + salt + bytes.fromhex(card.fingerprint)).digest()


@dataclass(frozen=True)
class Opened:
    """A commitment opened to the auditor."""

    card: Card
    salt: bytes


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
        state = hashlib.sha256(b"blindscore/transcript/v1")
        for message in (self.application, self.reply, self.opening):
            state.update(len(message).to_bytes(8) + message)
        return state.digest()


@dataclass(frozen=True)
class Result:
    """What a result frame says, once its signature has been checked."""

    nonce: bytes
    score: int
    commitment: bytes


def read_result(transcript: Transcript, parameters: Parameters, lender: VerifyingKey) -> Result:
    """Return the signed score of a transcript.

    Raises
    ------
    ForgeryError
        Malformed, not signed by this lender, or signed over other messages than these.
    """
    body = unpack(transcript.result, Kind.RESULT, parameters.code, RESULT_BYTES - HEADER_BYTES)
    if not lender.accepts(transcript.result[:-SIGNATURE_BYTES], body[-SIGNATURE_BYTES:], CONTEXT):
        raise refuse(Kind.RESULT, "its signature is not the lender's")
    nonce, score, commitment, digest = _FACTS.unpack_from(body)
    if digest != transcript.digest:
        raise refuse(Kind.RESULT, "it was signed over other messages than these")
    return Result(nonce, score, commitment)


class AuditedLender(Lender):
    """A lender whose every score can be checked afterwards.

    Parameters are those of :class:`~blindscore_crypto.encrypted.protocol.Lender`, without ``draw``.
    """

    def __init__(
        self,
        name: str,
        card: Card,
        sources: Iterable[VerifyingKey],
        parameters: Parameters | None = None,
        *,
        limit: int = 100,
        max_age: int = 1,
        clock: Callable[[], int] = today,
    ) -> None:
        super().__init__(name, card, sources, parameters, limit=limit, max_age=max_age, clock=clock)
        self._signer = SigningKey()
        self._salt = secrets.token_bytes(SALT_BYTES)
        self._master = secrets.token_bytes(32)
        self.commitment = commit(card, self._salt)

    @property
    def public(self) -> VerifyingKey:
        """The key under which it signs scores."""
        return self._signer.public

    def open_card(self) -> Opened:
        """Open the commitment, to the auditor alone."""
        return Opened(self._card, self._salt)

    def reveal(self, application: bytes) -> bytes:
        """Return the seed of one application, to the auditor alone.

        It hangs on every byte of the application: two different ones, be it with one nonce, never share mask or noise.
        """
        return hmac.digest(self._master, b"blindscore/application/v1" + application, "sha256")

    def _draw_for(self, application: bytes) -> Draw:
        return expand(self.reveal(application), b"application")

    def _score(self, opening: bytes) -> int:
        """Return the score that it will sign."""
        return self.conclude(opening).score

    def sign(self, application: bytes, reply: bytes, opening: bytes) -> bytes:
        """Conclude an application; return the result frame, signed.

        Raises
        ------
        ForgeryError
            As :meth:`~blindscore_crypto.encrypted.protocol.Lender.conclude`.
        """
        score = self._score(opening)
        digest = Transcript(application, reply, opening, b"").digest
        nonce = opening[HEADER_BYTES : HEADER_BYTES + NONCE_BYTES]
        facts = _FACTS.pack(nonce, score, self.commitment, digest)
        frame = pack(Kind.RESULT, self.parameters.code, facts + bytes(SIGNATURE_BYTES))[:-SIGNATURE_BYTES]
        return frame + self._signer.sign(frame, CONTEXT)


class Auditor:
    """Checks a random share of a lender's signed transcripts against its committed card.

    Parameters
    ----------
    opened
        The card and salt behind the published commitment.
    commitment
        The published commitment (32 bytes).
    lender
        The lender's signature key.
    parameters
        The lender's parameter set.
    share
        Part of transcripts to replay, 0 < share <= 1.

    Raises
    ------
    CardError
        The card is not the one that was committed to.
    """

    def __init__(
        self, opened: Opened, commitment: bytes, lender: VerifyingKey, parameters: Parameters, share: float
    ) -> None:
        if not 0 < share <= 1:
            raise ParameterError(f"the audited share must lie in (0, 1], got {share}")
        if not hmac.compare_digest(commit(opened.card, opened.salt), commitment):
            raise CardError("the opened card is not the one that the lender committed to; ask for the committed card")
        self._card, self._commitment, self._lender, self._parameters = opened.card, commitment, lender, parameters
        self._points, self._scheme = Points.of(opened.card), scheme_for(parameters)
        self._secret = secrets.token_bytes(32)
        self.share = share

    def selects(self, transcript: Transcript) -> bool:
        """Whether chance picks this transcript; nobody can tell beforehand, since the choice hangs on a secret."""
        drawn = hmac.digest(self._secret, b"blindscore/audit/v1" + transcript.digest, "sha256")
        return int.from_bytes(drawn[:8]) < self.share * 2**64

    def holds(self, transcript: Transcript, seed: bytes) -> bool:
        """Whether the signed score is what the committed card gives; False is proof against the lender.

        Raises
        ------
        ForgeryError
            The transcript is not one that the lender signed: no proof of anything.
        """
        total = self.total(transcript, seed)
        signed = read_result(transcript, self._parameters, self._lender).score
        return total is not None and int(self._card.clip(np.array([total]))[0]) == signed

    def total(self, transcript: Transcript, seed: bytes) -> int | None:
        """Return the total points that a transcript comes to, or None if its messages are not the committed card's.

        Raises
        ------
        ForgeryError
            As :meth:`holds`.
        """
        p = self._parameters
        result = read_result(transcript, p, self._lender)
        if result.commitment != self._commitment:
            return None
        draw = expand(seed, b"application")
        mask = Mask.fresh(p.t, p.outputs, draw)
        body = unpack(transcript.opening, Kind.OPENING, p.code, opening_bytes(p) - HEADER_BYTES)
        upload = upload_of(transcript.application, p)
        again = self._scheme.evaluate(upload, mask.weights(self._points.weights), mask.shifts, draw)
        sent = unpack(transcript.reply, Kind.REPLY, p.code, reply_bytes(p) - HEADER_BYTES)
        if sent != result.nonce + again:
            return None
        values = np.frombuffer(body, f">u{VALUE_BYTES}", p.outputs, NONCE_BYTES).astype(np.int64)
        settled = mask.settle(values, self._points.low, self._points.high)
        if settled is None or body[:NONCE_BYTES] != result.nonce:
            return None
        return self._points.offset + settled


def caught(share: float, bent: int) -> float:
    """Return the probability that at least one of ``bent`` bent scores is picked."""
    return 1 - (1 - share) ** bent


def audit(auditor: Auditor, lender: AuditedLender, transcripts: Iterable[Transcript]) -> list[Transcript]:
    """Return the transcripts, of those that chance picks, that prove a bent score."""
    proofs = []
    for transcript in transcripts:
        if not auditor.selects(transcript):
            continue
        if not auditor.holds(transcript, lender.reveal(transcript.application)):
            proofs.append(transcript)
    return proofs
