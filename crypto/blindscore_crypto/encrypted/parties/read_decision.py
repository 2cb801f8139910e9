"""ReadDecision: the lender learns one bit, whether the score reaches its threshold, with a helper's aid.

Who sees what
    - lender: one bit an application; values that are uniform whatever the score
    - helper: the factors of the mask, once it is bound; uniform values; that somebody applied; no bins, score, decision
      or threshold, even together with the applicant
    - source: as ever; it deals keys that hang on nobody's secret
Assumptions: an honest source as dealer; lender and helper do not pool what they see (together they have the score);
AES-128, ChaCha, X25519, SHA-256. A lying applicant, a lying helper, or both together, are caught by the lender: the
tags stand for one value only if nobody shifted it, but with chance ``window / (t - 1)^K``; a shifted share is caught
but with 2^-63. A lying lender gets one bit, or a refusal of the helper's, for each application; it may ask about
another threshold than it committed to. Does not protect: against source and helper together, who read total minus
threshold.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, field

from blindscore.errors import ParameterError
from blindscore.parties.message import Message
from blindscore.parties.party import day_of
from blindscore.parties.store import Field, Row, TableSpec, blob_of
from blindscore_crypto.channel.frames import Kind, refuse
from blindscore_crypto.channel.hpke import new_box
from blindscore_crypto.channel.signatures import SigningKey, VerifyingKey
from blindscore_crypto.encrypted.compare.deal import LENDER, LendersHalf, SealedKeys, window
from blindscore_crypto.encrypted.compare.exchange import Check, Share, Telling, one_value, read_commitment
from blindscore_crypto.encrypted.mask import Mask
from blindscore_crypto.encrypted.parties.lender import Lender, Session, check_threshold, tell
from blindscore_crypto.encrypted.parties.scorer import Answered
from blindscore_crypto.encrypted.results import commit
from blindscore_crypto.encrypted.ring.sampling import Draw
from blindscore_crypto.encrypted.wire import Attested

_SALT = 16
BOXES = TableSpec("boxes", Field("box", "own"), (Field("secret", "own"),), keep_days=1)
TOLD = TableSpec(
    "told",
    Field("nonce", "own"),
    (Field("mask", "own"), Field("by", "handle"), Field("line", "own"), Field("half", "own"), Field("bound", "own")),
    keep_days=1,
)
DECISIONS = TableSpec("decisions", Field("nonce", "own"), (Field("approved", "decision"), Field("pseudonym", "handle")))


@dataclass(frozen=True)
class ReadDecision:
    """Read decisions; approve from ``threshold`` on.

    Parameters
    ----------
    signer
        Key under which it writes to the helper.
    salt
        Thirty-two secret bytes that hide card and threshold in their commitment.
    helper, helper_key
        The helper's address and signature key.
    """

    threshold: int
    signer: SigningKey
    salt: bytes = field(repr=False)
    helper: str
    helper_key: VerifyingKey

    def join(self, lender: Lender) -> None:
        """See :class:`~blindscore_crypto.encrypted.parties.lender.Way`.

        Raises
        ------
        ParameterError
            The card has more totals than the comparison's window.
        """
        check_threshold(lender.scorer.card, self.threshold)
        p, span = lender.scorer.parameters, lender.scorer.points.span
        if span > min(window(p), p.t - window(p)):
            raise ParameterError(f"a card of {span} possible totals; a comparison under {p.name} takes {window(p)}")
        lender.store.declare(BOXES, TOLD, DECISIONS)

    def bar(self, lender: Lender) -> int:
        """Return the least sum of weights that passes; where all or none does, one end of what the card can give."""
        points = lender.scorer.points
        return min(max(self.threshold - points.offset, points.low), points.high + 1)

    def prepare(self, lender: Lender, attested: Attested, extra: bytes) -> bytes:
        """See :class:`~blindscore_crypto.encrypted.parties.lender.Way`: keys, dealt to a box of this lender, unused."""
        p = lender.scorer.parameters
        keys = SealedKeys.read(p, extra, LENDER, lender.scorer.sources)
        if keys.nonce != attested.nonce or keys.day != attested.day:
            raise refuse(Kind.KEYS, "it was dealt for another application")
        box = lender.store.take("boxes", keys.box)
        if box is None:
            raise refuse(Kind.KEYS, "it is not sealed to a box that this lender has given out")
        half = keys.open(p, blob_of(box, "secret"))
        LendersHalf.decode(p, half)
        return half + secrets.token_bytes(_SALT)

    def draw(self, application: bytes) -> Draw:
        """See :class:`~blindscore_crypto.encrypted.parties.lender.Way`: the operating system."""
        return os.urandom

    def answered(
        self, lender: Lender, sender: str, application: bytes, answered: Answered, kept: bytes
    ) -> list[Message]:
        """See :class:`~blindscore_crypto.encrypted.parties.lender.Way`: the reply, and a check for the helper."""
        p, half = lender.scorer.parameters, LendersHalf.decode(lender.scorer.parameters, kept[:-_SALT])
        telling = self._telling(lender, answered.nonce, answered.mask, half, kept[-_SALT:])
        moved = tuple((a - k) % p.t for a, k in zip(telling.factors, half.kappa, strict=True))
        terms = commit(lender.scorer.card, self.threshold, self.salt)
        check = Check(answered.nonce, telling.commitment(p), terms, moved).write(p, self.signer)
        return [Message(sender, "reply", answered.reply), Message(self.helper, "check", check)]

    def handle(self, lender: Lender, message: Message) -> list[Message]:
        """See :class:`~blindscore_crypto.encrypted.parties.lender.Way`: a box, a telling, a decision."""
        if message.kind == "begin":
            secret, box = new_box()
            lender.store.put("boxes", box, {"secret": secret}, day=day_of(lender.scorer.clock))
            return [Message(message.sender, "box", box)]
        if message.kind == "commitment" and message.sender == self.helper:
            return [Message(self.helper, "telling", self._tell(lender, message.body))]
        if message.kind == "share" and message.sender == self.helper:
            return [self._decide(lender, message.body)]
        return []

    def _telling(self, lender: Lender, nonce: bytes, mask: Mask, half: LendersHalf, salt: bytes) -> Telling:
        p = lender.scorer.parameters
        shifts = [int(r) * pow(int(a), -1, p.t) % p.t for a, r in zip(mask.factors, mask.shifts, strict=True)]
        return Telling(
            nonce,
            tuple(mask.factors.tolist()),
            half.kappa,
            tuple((shift - shifts[0]) % p.t for shift in shifts[1:]),
            (half.offset - self.bar(lender) - shifts[0]) % p.t,
            half.salt,
            salt,
        )

    def _tell(self, lender: Lender, frame: bytes) -> bytes:
        p = lender.scorer.parameters
        nonce, bound = read_commitment(p, frame, self.helper_key)
        with lender.store.atomic():
            session: Session = lender.session(nonce, Kind.COMMITMENT)
            half, salt = session.kept[:-_SALT], session.kept[-_SALT:]
            row: Row = {
                "mask": session.mask.encode(),
                "by": session.by,
                "line": session.line,
                "half": half,
                "bound": bound,
            }
            lender.store.put("told", nonce, row, day=day_of(lender.scorer.clock))
        telling = self._telling(lender, nonce, session.mask, LendersHalf.decode(p, half), salt)
        return telling.write(p, self.signer)

    def _decide(self, lender: Lender, frame: bytes) -> Message:
        p = lender.scorer.parameters
        share = Share.read(p, frame, self.helper_key)
        row = lender.store.take("told", share.nonce)
        if row is None:
            raise refuse(Kind.SHARE, "no application waits for it")
        mask = Mask.decode(p.t, p.outputs, blob_of(row, "mask"))
        half = LendersHalf.decode(p, blob_of(row, "half"))
        if Share.commitment(share.nonce, share.tags, share.salt) != row["bound"]:
            raise refuse(Kind.SHARE, "it is not what the helper was bound to")
        shifts = tuple(int(r) + mu for r, mu in zip(mask.shifts, half.mu, strict=True))
        value = one_value(p, share.tags, tuple(mask.factors.tolist()), shifts)
        output = (half.share(p, (value - self.bar(lender) + half.offset) % p.t) + share.share) % (1 << 64)
        if output not in (0, half.delta):
            raise refuse(Kind.SHARE, "it does not belong to the keys that the source dealt")
        approved = output != 0
        decided: Row = {"approved": int(approved), "pseudonym": row["by"]}
        lender.store.put("decisions", share.nonce, decided, day=day_of(lender.scorer.clock))
        return tell(lender, str(row["line"]), share.nonce, approved)
