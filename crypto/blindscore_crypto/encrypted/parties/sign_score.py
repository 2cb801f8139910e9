"""SignScore: the lender commits to card and threshold, logs every application, and signs every score and decision.

Who sees what: as :mod:`~blindscore_crypto.encrypted.parties.read_score`; an auditor besides reads the transcripts that
chance picks. The lender draws mask and noise from a seed of the application, so that an auditor can compute the reply
again, byte for byte; it signs only over what it received and sent itself. Assumptions: SHA-256, Ed25519, ChaCha20.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field

from blindscore.parties.message import Message
from blindscore.parties.party import day_of
from blindscore.parties.store import Field, TableSpec, blob_of
from blindscore_crypto.channel.frames import Kind, refuse
from blindscore_crypto.channel.signatures import SigningKey
from blindscore_crypto.encrypted.parties.lender import Lender, check_threshold
from blindscore_crypto.encrypted.parties.read_score import SCORES, conclude
from blindscore_crypto.encrypted.parties.scorer import Answered
from blindscore_crypto.encrypted.results import (
    EMPTY,
    Receipt,
    Result,
    Transcript,
    chain,
    commit,
    entry_of,
    seed_commitment,
)
from blindscore_crypto.encrypted.ring.sampling import Draw, expand
from blindscore_crypto.encrypted.wire import NONCE_BYTES, Attested, Opening, application_bytes

SEED_PURPOSE = b"application"
KEEP_DAYS = 365  # that transcripts stay open to an audit
LOG = TableSpec("log", Field("index", "own"), (Field("entry", "own"),))
HEAD = TableSpec("log_head", Field("log", "own"), (Field("size", "own"), Field("head", "own")))
SENT = TableSpec("sent", Field("nonce", "own"), (Field("messages", "opaque"),), keep_days=1)
SIGNED = TableSpec("signed", Field("nonce", "own"), (Field("transcript", "opaque"),), keep_days=KEEP_DAYS)


@dataclass(frozen=True)
class SignScore:
    """Sign totals; approve from ``threshold`` on.

    Parameters
    ----------
    signer
        Key of receipts and results.
    salt
        Thirty-two secret bytes that hide card and threshold in their commitment.
    master
        Thirty-two secret bytes from which every application's seed comes.
    auditor
        Its address.
    """

    threshold: int
    signer: SigningKey
    salt: bytes = field(repr=False)
    master: bytes = field(repr=False)
    auditor: str

    def join(self, lender: Lender) -> None:
        """See :class:`~blindscore_crypto.encrypted.parties.lender.Way`."""
        check_threshold(lender.scorer.card, self.threshold)
        lender.store.declare(SCORES, LOG, HEAD, SENT, SIGNED)

    def commitment(self, lender: Lender) -> bytes:
        """Return what the lender publishes before it scores anybody."""
        return commit(lender.scorer.card, self.threshold, self.salt)

    def prepare(self, lender: Lender, attested: Attested, extra: bytes) -> bytes:
        """See :class:`~blindscore_crypto.encrypted.parties.lender.Way`; nothing comes beside the application."""
        if extra:
            raise refuse(Kind.APPLICATION, f"{len(extra)} bytes too many")
        return b""

    def seed(self, application: bytes) -> bytes:
        """Return the seed of one application.

        It hangs on every byte of the application: two different ones, be it with one nonce, share no mask or noise.
        """
        return hmac.digest(self.master, b"blindscore/application/v1" + application, "sha256")

    def draw(self, application: bytes) -> Draw:
        """See :class:`~blindscore_crypto.encrypted.parties.lender.Way`: the application's seed."""
        return expand(self.seed(application), SEED_PURPOSE)

    def answered(
        self, lender: Lender, sender: str, application: bytes, answered: Answered, kept: bytes
    ) -> list[Message]:
        """See :class:`~blindscore_crypto.encrypted.parties.lender.Way`: log, then reply and signed receipt."""
        store, entry = lender.store, entry_of(application, answered.reply)
        with store.atomic():
            row = store.get("log_head", b"log") or {"size": 0, "head": EMPTY}
            index = int(row["size"] or 0)
            head = chain(blob_of(row, "head"), index, entry)
            store.put("log", index.to_bytes(8), {"entry": entry})
            store.put("log_head", b"log", {"size": index + 1, "head": head})
            sent = {"messages": application + answered.reply}
            store.put("sent", answered.nonce, sent, day=day_of(lender.scorer.clock))
        receipt = Receipt(index, entry, head).sign(lender.scorer.parameters, self.signer)
        return [Message(sender, "reply", answered.reply + receipt)]

    def entries(self, lender: Lender) -> list[bytes]:
        """Return the log, in order."""
        return [blob_of(row, "entry") for _, row in lender.store.items("log")]

    def handle(self, lender: Lender, message: Message) -> list[Message]:
        """See :class:`~blindscore_crypto.encrypted.parties.lender.Way`: openings, and what the auditor picks."""
        if message.kind == "opening":
            return self._sign(lender, message.body)
        if message.kind == "pick" and message.sender == self.auditor:
            row = lender.store.get("signed", message.body[:NONCE_BYTES])
            if row is not None:
                transcript = blob_of(row, "transcript")
                seed = self.seed(transcript[: application_bytes(lender.scorer.parameters)])
                return [Message(self.auditor, "transcript", transcript + seed)]
        return []

    def _sign(self, lender: Lender, frame: bytes) -> list[Message]:
        p, store = lender.scorer.parameters, lender.store
        opening = Opening.read(frame, p)
        outcome, line = self.read(lender, opening)
        sent = store.take("sent", opening.nonce)
        if sent is None:
            raise refuse(Kind.OPENING, "no answered application waits for it")
        messages, length = blob_of(sent, "messages"), application_bytes(p)
        application, reply = messages[:length], messages[length:]
        result = Result(
            opening.nonce,
            outcome,
            self.threshold,
            outcome >= self.threshold,
            self.commitment(lender),
            Transcript(application, reply, frame, b"").digest,
            seed_commitment(self.seed(application)),
        ).sign(p, self.signer)
        transcript = Transcript(application, reply, frame, result)
        store.put("signed", opening.nonce, {"transcript": transcript.encode()}, day=day_of(lender.scorer.clock))
        return [Message(line, "result", result), Message(self.auditor, "result", result)]

    def read(self, lender: Lender, opening: Opening) -> tuple[int, str]:
        """Return the score that it will sign, and where the applicant's answer goes."""
        outcome, line = conclude(lender, opening)
        return outcome.score, line
