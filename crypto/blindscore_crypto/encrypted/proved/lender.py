"""ProvingLender: answers under a card that it has committed to, and hears a total only after it was proved.

Who sees what: uniform elements in place of bins; then the total, if the wallet found it to be the committed card's, or
nothing. What it checks: the source's signature over the whole of the choices, layout, pseudonym, date, one answer an
application; that the wallet was bound before it saw the masks; that what it opens is what the reply held (a lie passes
with probability 2 half / (order - 1), below 2^-237). Assumptions: see :mod:`.transfer` and :mod:`.terms`. Does not
protect: an applicant reads its score before it lets the lender read it, and may then keep silent.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable

from blindscore.errors import BlindscoreError, DataError, ForgeryError
from blindscore.parties.message import Message
from blindscore.parties.party import Clock, day_of
from blindscore.parties.store import Field, Row, Store, TableSpec, blob_of
from blindscore_crypto.channel.frames import Kind, refuse
from blindscore_crypto.channel.signatures import SigningKey, VerifyingKey
from blindscore_crypto.encrypted.parties.read_score import SCORES
from blindscore_crypto.encrypted.parties.scorer import ANSWERED, ASKED, LIMIT, admit_once, require_meant
from blindscore_crypto.encrypted.proved import wire
from blindscore_crypto.encrypted.proved.terms import Committed, ProvedTerms
from blindscore_crypto.encrypted.proved.transfer import Masks, read_choices, send

_SESSION = (Field("masks", "own"), Field("reply", "own"), Field("by", "handle"), Field("line", "own"))
OPEN = TableSpec("open", Field("nonce", "own"), _SESSION, keep_days=1)
BOUND = TableSpec("bound", Field("nonce", "own"), (*_SESSION, Field("opening", "own")), keep_days=1)


class ProvingLender:
    """A lender at its address.

    Parameters
    ----------
    terms, kept
        What it publishes in the log before it answers anybody, its address among it; and what it keeps to itself.
    sources
        Signature keys of the sources that it believes.
    store, clock
        What it keeps, and what time it is.
    signer
        Its key, the one that the terms name.
    limit
        Most applications a pseudonym.
    """

    role = "lender"

    def __init__(
        self,
        terms: ProvedTerms,
        kept: Committed,
        sources: Iterable[VerifyingKey],
        store: Store,
        clock: Clock,
        signer: SigningKey,
        limit: int = LIMIT,
    ) -> None:
        self.terms, self.kept, self.store, self.limit = terms, kept, store, limit
        self.name = terms.lender
        self._sources, self._clock, self._signer = {key.id: key for key in sources}, clock, signer
        store.declare(ANSWERED, ASKED, OPEN, BOUND, SCORES)

    def handle(self, message: Message) -> list[Message]:
        """Take an application, what binds a wallet, or an opening; whatever is wrong, there is one refusal."""
        serve = {"application": self._answer, "bound": self._unmask, "opening": self._conclude}.get(message.kind)
        if serve is None:
            return []
        try:
            return [serve(message)]
        except DataError:  # its own disk, and nobody's fault: nothing was kept, so it may be said again
            raise
        except BlindscoreError:
            return [Message(message.sender, "refusal", wire.refusal_frame(self.terms.group, self.terms.layout))]

    def _answer(self, message: Message) -> Message:
        group, layout, today = self.terms.group, self.terms.layout, day_of(self._clock)
        salt, frame = wire.read_application(message.body, group, layout)
        attested = wire.read_choices_frame(frame, group, layout, self._sources)
        require_meant(attested, self.name, salt, layout, today)
        if today > self.terms.epoch.last_day:
            raise refuse(Kind.APPLICATION, "its terms are out of force")
        choices = read_choices(group, layout, attested.upload)
        admit_once(self.store, attested, today, ("asked", attested.pseudonym, self.limit))
        masks = Masks.fresh(group)
        weights = self.kept.points.weights.tolist()
        sent = send(group, layout, choices, weights, self.kept.blindings, masks, attested.nonce)
        reply = wire.reply_frame(self.terms, message.body, sent, self._signer)
        by, line = attested.pseudonym, message.sender
        row: Row = {"masks": masks.encode(), "reply": wire.digest(reply), "by": by, "line": line}
        self.store.put("open", attested.nonce, row, day=today)
        return Message(message.sender, "reply", reply)

    def _unmask(self, message: Message) -> Message:
        group = self.terms.group
        nonce, opening = wire.read_bound(message.body, group)
        row = self.store.take("open", nonce)  # of many who ask at once, one gets it
        if row is None:
            raise refuse(Kind.BOUND, "no answered application waits for it")
        self.store.put("bound", nonce, {**row, "opening": opening}, day=day_of(self._clock))
        masks = Masks.decode(group, blob_of(row, "masks"))
        return Message(
            message.sender, "unmasking", wire.unmasking_frame(group, blob_of(row, "reply"), masks, self._signer)
        )

    def _conclude(self, message: Message) -> Message:
        terms = self.terms
        opening = wire.Opening.decode(message.body, terms.group)
        row = self.store.take("bound", opening.nonce)
        if row is None or not hmac.compare_digest(blob_of(row, "opening"), wire.digest(message.body)):
            raise refuse(Kind.OPENING, "nobody was bound to it")
        v = self._settle(Masks.decode(terms.group, blob_of(row, "masks")), opening.masked)
        total: Row = {"total": self.kept.points.offset + v, "pseudonym": row["by"]}
        self.store.put("scores", opening.nonce, total, day=day_of(self._clock))
        score, approved = terms.score(v)
        result = wire.ProvedResult(blob_of(row, "reply"), score, approved)
        return Message(str(row["line"]), "result", result.sign(terms.group, self._signer))

    def _settle(self, masks: Masks, masked: int) -> int:
        """Return the v that an opening stands for."""
        order, points = self.terms.group.order, self.kept.points
        value = masks.value(self.terms.group, masked)
        v = value if value <= order // 2 else value - order
        if not points.low <= v <= points.high:
            raise ForgeryError("opening refused: it is not what the reply contained")
        return v
