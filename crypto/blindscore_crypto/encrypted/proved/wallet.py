"""ProvedWallet: an applicant's own party: it lets the lender read a total only if it is the committed card's.

Who sees what: its own bins and, once it is bound, its own total; no point of the card. What it checks: that the choices
are made under its seed; that the lender signed reply and unmasking for this very application; that the total opens the
commitments to its own bins; that score and decision follow from it. When a check of the lender fails it tells nothing
more, and holds papers that convict the lender.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field

from blindscore.errors import ForgeryError
from blindscore.parties.message import Message
from blindscore.parties.store import MemoryStore, Store
from blindscore_crypto.channel.signatures import PUBLIC_BYTES, SigningKey, VerifyingKey
from blindscore_crypto.encrypted.proved import wire
from blindscore_crypto.encrypted.proved.judge import Papers, is_bent
from blindscore_crypto.encrypted.proved.terms import ProvedTerms
from blindscore_crypto.encrypted.proved.transfer import chosen, receive
from blindscore_crypto.encrypted.ring.sampling import Draw
from blindscore_crypto.encrypted.wire import SALT_BYTES, nonce_of, pseudonym


@dataclass
class ProvedWallet:
    """One person's wallet, for one application.

    Parameters
    ----------
    name
        Known to nobody else.
    terms
        The lender's, as the public log holds them (:func:`~blindscore_crypto.encrypted.proved.published.find`).
    source, sources
        Address of the person's bank; the keys of sources that a judge believes.
    salt
        Hides the lender from the source; used again, it lets this lender recognise the person. Drawn where none is
        given.
    draw
        Where all that is random comes from: the operating system, or a secret seed from which this very wallet can be
        made again.
    """

    name: str
    terms: ProvedTerms
    source: str
    sources: Sequence[VerifyingKey]
    salt: bytes = field(default=b"", repr=False)
    draw: Draw = field(default=os.urandom, repr=False)
    store: Store = field(default_factory=MemoryStore)
    decision: bool | None = None
    score: int | None = None
    papers: Papers | None = field(default=None, repr=False)
    off_terms: tuple[bytes, bytes] | None = field(default=None, repr=False)  # application, reply under other terms
    role = "wallet"

    def __post_init__(self) -> None:
        self.salt = self.salt or self.draw(SALT_BYTES)
        self._seed, self._signer = self.draw(wire.SEED_BYTES), SigningKey.of_seed(self.draw(PUBLIC_BYTES))
        self.nonce = nonce_of(self._signer.public)
        self._application = self._reply = self._opening = b""
        self._bins: list[int] = []
        self._masked = self._blinding = 0
        self._v: int | None = None

    @property
    def bent(self) -> bool:
        """Whether it holds papers that convict the lender."""
        return self.papers is not None and is_bent(self.papers, self.terms, self.sources)

    def handle(self, message: Message) -> list[Message]:
        """Take one step of the application."""
        lender = self.terms.lender
        match message.kind:
            case "apply":
                return [Message(self.source, "ask", self.ask())]
            case "attestation":
                return [Message(lender, "application", self.apply(message.body))]
            case "reply":
                return [Message(lender, "bound", self.bind(message.body))]
            case "unmasking":
                return [Message(lender, "opening", self.open(message.body))]
            case "result":
                self.read(message.body)
        return []

    def ask(self) -> bytes:
        """Return what the source needs."""
        terms = self.terms
        hidden = pseudonym(terms.lender, self.salt)
        return wire.ChoiceAsk(self._seed, hidden, self.nonce, terms.layout).encode(terms.group)

    def apply(self, frame: bytes) -> bytes:
        """Return the application.

        Raises
        ------
        ForgeryError
            Not choices of a believed source, or not under this wallet's seed.
        """
        group, layout = self.terms.group, self.terms.layout
        attested = wire.read_choices_frame(frame, group, layout, {key.id: key for key in self.sources})
        if (attested.nonce, attested.layout) != (self.nonce, layout.fingerprint):
            raise ForgeryError("choices refused: they were made for another application; ask the source again")
        self._bins = chosen(group, self._seed, layout, attested.upload)
        self._application = wire.application_frame(group, self.salt, frame)
        return self._application

    def bind(self, reply: bytes) -> bytes:
        """Open the reply's entries, and return what binds this wallet to their sum.

        Raises
        ------
        ForgeryError
            A refusal, malformed, not the lender's answer to this application, or given under other terms: the two
            messages are kept then, for whoever holds the log beside them (:func:`.published.is_off_log`).
        """
        group, layout = self.terms.group, self.terms.layout
        named, sent = wire.read_reply(reply, self.terms, self._application)
        if named != self.terms.digest:
            self.off_terms = self._application, reply
            raise ForgeryError("a reply was refused: it was given under other terms than these")
        masked, self._blinding = receive(group, layout, self._seed, self._bins, sent, self.nonce)
        self._reply, self._masked = reply, masked
        self._opening = wire.Opening(self.nonce, masked, self.draw(SALT_BYTES)).encode(group)
        return wire.bound_frame(group, self._opening, self._signer)

    def open(self, unmasking: bytes) -> bytes:
        """Return the opening, if the total is proved.

        Raises
        ------
        ForgeryError
            Malformed, not the lender's; or the total is not the committed card's: then ``bent`` is true from now on.
        """
        terms, order = self.terms, self.terms.group.order
        masks = wire.read_unmasking(unmasking, terms, self._reply)
        ones = terms.layout.ones(self._bins).tolist()
        value, blinding = masks.value(terms.group, self._masked), (self._blinding - masks.blind) % order
        self._v = terms.total(ones, value, blinding)  # as a judge would find it (judge.proved_total)
        self.papers = Papers(self._seed, self._application, self._reply, unmasking)
        if self._v is None:
            raise ForgeryError("a reply was refused: its total is not that of the committed card; show the papers")
        return self._opening

    def read(self, frame: bytes) -> None:
        """Read the signed result; the score is what the proved total says, whatever stands in it.

        Raises
        ------
        ForgeryError
            Not signed by the lender for this reply, or before the opening.
        """
        if self.papers is None or self._v is None:
            raise ForgeryError("a result was refused: nothing was opened yet")
        result = wire.ProvedResult.read(frame, self.terms, self._reply)
        self.papers = Papers(self._seed, self._application, self._reply, self.papers.unmasking, frame)
        self.decision, self.score = result.approved, result.score
