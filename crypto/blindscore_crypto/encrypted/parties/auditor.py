"""Auditor: recomputes a random share of an audited lender's signed results from its committed card.

Who sees what: the card and threshold, and the score of each transcript that chance picks; no bins (it has no key). What
it checks: the source's signature on what was scored, the applicant's on what was opened, the reply byte for byte, and
that score and decision are those of the committed card and threshold. All stands under the lender's own signature, so
whatever does not fit is proof against it. Detection: a bent result is caught for certain if its transcript is picked,
so with chance ``share`` each, and ``1 - (1 - share)^k`` for k of them. Assumptions: an auditor that neither sides with
the lender nor tells it beforehand what it will pick; SHA-256, Ed25519, ChaCha20; an honest source. Does not protect:
against a card that is unfair to everybody alike.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from blindscore.errors import BlindscoreError, CardError, ForgeryError, ParameterError
from blindscore.parties.message import Message
from blindscore.parties.store import Field, Store, TableSpec, blob_of
from blindscore.scorecard.card import Card
from blindscore_crypto.channel.signatures import VerifyingKey
from blindscore_crypto.encrypted.engines.choice import scheme_for
from blindscore_crypto.encrypted.mask import Mask
from blindscore_crypto.encrypted.parameters import Parameters
from blindscore_crypto.encrypted.parties.sign_score import SEED_PURPOSE
from blindscore_crypto.encrypted.points import Points
from blindscore_crypto.encrypted.results import SEED_BYTES, Result, Transcript, commit, seed_commitment
from blindscore_crypto.encrypted.ring.sampling import expand
from blindscore_crypto.encrypted.wire import Attested, Opening, read_application, read_reply
from blindscore_crypto.layout import Layout

PICKED = TableSpec("picked", Field("nonce", "own"), ())
READ = TableSpec("read", Field("nonce", "own"), (Field("total", "total"),))
PROOFS = TableSpec("proofs", Field("nonce", "own"), (Field("transcript", "opaque"), Field("seed", "own")))


@dataclass(frozen=True)
class Opened:
    """A commitment opened to the auditor."""

    card: Card
    threshold: int
    salt: bytes = field(repr=False)


class Auditor:
    """Picks at random, and recomputes.

    Parameters
    ----------
    name
        Its address.
    opened
        Card, threshold and salt behind the published commitment.
    commitment
        The published commitment (32 bytes).
    lender, lender_key
        The lender's address and signature key.
    sources
        Signature keys of the sources that are believed.
    parameters
        The lender's parameter set.
    share
        Part of results to replay, 0 < share <= 1.
    secret
        Thirty-two bytes by which it picks; fresh ones where none are given. Kept, a restart picks as before.

    Raises
    ------
    CardError
        Card and threshold are not those that were committed to.
    """

    role = "auditor"

    def __init__(
        self,
        name: str,
        opened: Opened,
        commitment: bytes,
        lender: str,
        lender_key: VerifyingKey,
        sources: Iterable[VerifyingKey],
        parameters: Parameters,
        share: float,
        store: Store,
        secret: bytes = b"",
    ) -> None:
        if not 0 < share <= 1:
            raise ParameterError(f"the audited share must lie in (0, 1], got {share}")
        if not hmac.compare_digest(commit(opened.card, opened.threshold, opened.salt), commitment):
            raise CardError("card and threshold are not those that the lender committed to; ask for the committed ones")
        self.name, self.store, self.share = name, store, share
        self._opened, self._commitment, self._parameters = opened, commitment, parameters
        self._lender, self._key = lender, lender_key
        self._sources = {key.id: key for key in sources}
        self._points, self._layout = Points.of(opened.card), Layout.of(opened.card)
        self._secret = secret or secrets.token_bytes(32)
        store.declare(PICKED, READ, PROOFS)

    @property
    def proofs(self) -> list[Transcript]:
        """Transcripts that prove a bent result."""
        rows = self.store.items("proofs")
        return [Transcript.decode(blob_of(row, "transcript"), self._parameters) for _, row in rows]

    def handle(self, message: Message) -> list[Message]:
        """Take a signed result and pick it or not; take a picked transcript and judge it."""
        if message.sender != self._lender:
            return []
        try:
            if message.kind == "result":
                result = Result.read_frame(message.body, self._parameters, self._key)
                if self.selects(message.body):
                    self.store.insert_once("picked", result.nonce, {})
                    return [Message(self._lender, "pick", result.nonce)]
            elif message.kind == "transcript":
                self._judge(message.body)
        except BlindscoreError:
            pass  # nothing that the lender signed: no proof of anything
        return []

    def _judge(self, body: bytes) -> None:
        transcript = Transcript.decode(body[:-SEED_BYTES], self._parameters)
        nonce = Result.read(transcript, self._parameters, self._key).nonce
        if self.store.take("picked", nonce) is None:
            raise ForgeryError("transcript refused: it was not picked")
        seed = body[-SEED_BYTES:]
        total = self.total(transcript, seed)
        if total is not None:
            self.store.put("read", nonce, {"total": total})
        if not self.holds(transcript, seed):
            self.store.put("proofs", nonce, {"transcript": transcript.encode(), "seed": seed})

    def selects(self, result: bytes) -> bool:
        """Whether chance picks this result; nobody can tell beforehand, since the choice hangs on a secret."""
        drawn = hmac.digest(self._secret, b"blindscore/audit/v1" + result, "sha256")
        return int.from_bytes(drawn[:8]) < self.share * 2**64

    def holds(self, transcript: Transcript, seed: bytes) -> bool:
        """Whether the signed result is what committed card and threshold give; False is proof against the lender.

        Raises
        ------
        ForgeryError
            The lender signed no such transcript, or this is not its seed: no proof of anything.
        """
        total = self.total(transcript, seed)
        result = Result.read(transcript, self._parameters, self._key)
        if total is None or result.threshold != self._opened.threshold:
            return False
        score = int(self._opened.card.clip(np.array([total]))[0])
        return (result.score, result.approved) == (score, score >= result.threshold)

    def total(self, transcript: Transcript, seed: bytes) -> int | None:
        """Return the total points that a transcript comes to, or None if its messages are not the committed card's.

        Raises
        ------
        ForgeryError
            As :meth:`holds`.
        """
        p = self._parameters
        result = Result.read(transcript, p, self._key)
        if seed_commitment(seed) != result.seed:
            raise ForgeryError("seed refused: the lender signed another; ask it again")
        if result.commitment != self._commitment:
            return None
        try:
            _, attestation = read_application(transcript.application, p)
            attested = Attested.read(attestation, p, self._sources)
            opening = Opening.read(transcript.opening, p)
            sent = read_reply(transcript.reply, p, result.nonce)
            scheme = scheme_for(p)
            scheme.check(attested.upload)
        except ForgeryError:
            return None  # signed over messages that no lender may accept
        if not attested.nonce == opening.nonce == result.nonce or attested.layout != self._layout.fingerprint:
            return None
        draw = expand(seed, SEED_PURPOSE)
        mask = Mask.fresh(p.t, p.outputs, draw)
        if sent != scheme.evaluate(attested.upload, mask.weights(self._points.weights), mask.shifts, draw):
            return None
        settled = mask.settle(opening.values, self._points.low, self._points.high)
        return None if settled is None else self._points.offset + settled


def caught(share: float, bent: int) -> float:
    """Return the probability that at least one of ``bent`` bent results is picked."""
    return 1 - (1 - share) ** bent
