"""Wallet: an applicant's own party, for one application; it holds the one-time keys and the salt.

Who sees what: masked values, uniform whatever the score, and its decision; no point of the card. What it checks: that
every answer is to this very application, that the lender signed a result over what was really sent. It believes the
source about its own bins, and the lender about the decision (a signed one can be proved bent afterwards).
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field

from blindscore.errors import ForgeryError
from blindscore.parties.message import Message
from blindscore.parties.store import MemoryStore, Store
from blindscore_crypto.channel.signatures import PUBLIC_BYTES, SigningKey, VerifyingKey
from blindscore_crypto.encrypted import wire
from blindscore_crypto.encrypted.compare.deal import HELPER, LENDER, keys_bytes
from blindscore_crypto.encrypted.engines.choice import scheme_for
from blindscore_crypto.encrypted.engines.scheme import KEY_BYTES
from blindscore_crypto.encrypted.parameters import Parameters
from blindscore_crypto.encrypted.results import RECEIPT_BYTES, Receipt, Result, Transcript
from blindscore_crypto.encrypted.ring.sampling import Draw
from blindscore_crypto.layout import Layout


@dataclass(frozen=True)
class Terms:
    """What a lender publishes: how to apply. Nothing of it names a person."""

    lender: str
    layout: Layout
    parameters: Parameters
    signs: VerifyingKey | None = None  # key of signed results; None: the decision comes unsigned
    commitment: bytes = b""  # to card and threshold, with signed results
    helper: str = ""  # with whose help the lender decides; empty: it reads the score
    helper_box: bytes = wire.NO_BOX


@dataclass
class Wallet:
    """One person's wallet.

    Parameters
    ----------
    name
        Known to nobody else.
    terms
        The lender's, from where everybody takes them.
    source
        Address of the person's bank.
    salt
        Hides the lender from the source; used again, it lets this lender recognise the person. Drawn where none is
        given.
    draw
        Where salt and one-time keys come from: the operating system, or a secret seed from which this very wallet can
        be made again.
    """

    name: str
    terms: Terms
    source: str
    salt: bytes = field(default=b"", repr=False)
    draw: Draw = field(default=os.urandom, repr=False)
    store: Store = field(default_factory=MemoryStore)
    decision: bool | None = None
    score: int | None = None
    transcript: Transcript | None = field(default=None, repr=False)
    role = "wallet"

    def __post_init__(self) -> None:
        self.salt = self.salt or self.draw(wire.SALT_BYTES)
        self._key = self.draw(KEY_BYTES)
        self._signer = SigningKey.of_seed(self.draw(PUBLIC_BYTES))
        self.nonce = wire.nonce_of(self._signer.public)
        self._application = self._reply = self._opening = self._for_helper = b""

    def handle(self, message: Message) -> list[Message]:
        """Take one step of the application."""
        terms = self.terms
        match message.kind:
            case "apply" if terms.helper:
                return [Message(terms.lender, "begin", b"")]
            case "apply":
                return [Message(self.source, "ask", self.ask())]
            case "box":
                return [Message(self.source, "ask", self.ask(message.body))]
            case "attestation":
                return [Message(terms.lender, "application", self.apply(message.body))]
            case "reply":
                opening = self.open(message.body)
                return [Message(terms.helper or terms.lender, "opening", opening + self._for_helper)]
            case "decision":
                self.decision = wire.read_decision(message.body, terms.parameters, self.nonce)
            case "result":
                self.read(message.body)
        return []

    def ask(self, lender_box: bytes = wire.NO_BOX) -> bytes:
        """Return what the source needs."""
        terms, tag = self.terms, wire.pseudonym(self.terms.lender, self.salt)
        ask = wire.Ask(self._key, tag, self.nonce, terms.layout, terms.parameters, lender_box, terms.helper_box)
        return ask.encode()

    def apply(self, attested: bytes) -> bytes:
        """Return the application for the lender, and keep what is for the helper.

        Raises
        ------
        ForgeryError
            The source's answer is not as long as it must be.
        """
        p, keys = self.terms.parameters, b""
        lengths = [wire.attestation_bytes(p)]
        if self.terms.helper:
            lengths += [keys_bytes(p, LENDER), keys_bytes(p, HELPER)]
            attestation, keys, self._for_helper = wire.split(attested, *lengths)
        else:
            (attestation,) = wire.split(attested, *lengths)
        self._application = wire.application_frame(p, self.salt, attestation)
        return self._application + keys

    def open(self, answer: bytes) -> bytes:
        """Decrypt a reply into an opening frame, signed by the one-time key.

        Raises
        ------
        ForgeryError
            A refusal, a malformed reply, one to another application, or a receipt that the lender did not sign.
        """
        p, signs = self.terms.parameters, self.terms.signs
        lengths = [wire.reply_bytes(p), *([RECEIPT_BYTES] if signs else [])]
        self._reply, *receipt = wire.split(answer, *lengths)
        values = scheme_for(p).open(self._key, wire.read_reply(self._reply, p, self.nonce))
        if signs:
            self.receipt = Receipt.read(receipt[0], p, signs)
            self.receipt.require(self._application, self._reply)
        opening = wire.Opening(self.nonce, values, hashlib.sha256(self._reply).digest())
        self._opening = opening.sign(p, self._signer)
        return self._opening

    def read(self, frame: bytes) -> None:
        """Read a signed result, and keep the transcript that it stands on.

        Raises
        ------
        ForgeryError
            Not signed by the lender, over other messages, or under another card and threshold than it published.
        """
        if self.terms.signs is None:
            raise ForgeryError("a result was refused: this lender signs none")
        transcript = Transcript(self._application, self._reply, self._opening, frame)
        result = Result.read(transcript, self.terms.parameters, self.terms.signs)
        if result.nonce != self.nonce or result.commitment != self.terms.commitment:
            raise ForgeryError("a result was refused: it is for another application, or under another card")
        self.transcript, self.decision, self.score = transcript, result.approved, result.score
