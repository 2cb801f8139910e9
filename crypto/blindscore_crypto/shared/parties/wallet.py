"""Wallet: an applicant's own party, for one application: it carries what others sealed, and checks the decision.

Who sees what: sealed shares, two hashes, and its decision; no point of the card, no share of its own bins. What it
checks: that the decision comes with the token that only the computation gives, so that a lender cannot tell it another
decision than its enrolled card's (but with 2^63 hashes); a lender may stay silent. It believes the source.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from blindscore.errors import ForgeryError
from blindscore.parties.message import Message
from blindscore.parties.store import MemoryStore, Store
from blindscore_crypto.channel.frames import Kind, refuse
from blindscore_crypto.encrypted.wire import BOX_BYTES, NONCE_BYTES, SALT_BYTES, pseudonym, split
from blindscore_crypto.layout import Layout
from blindscore_crypto.shared import wire
from blindscore_crypto.shared.deal import TOKEN_HASH_BYTES, token_hash
from blindscore_crypto.shared.enrol import party_id
from blindscore_crypto.shared.rows import Shape


@dataclass(frozen=True)
class Terms:
    """What a lender publishes: how to apply. Nothing of it names a person."""

    lender: str
    layout: Layout
    helper: str


@dataclass
class SharingWallet:
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
        Hides the lender from the source; used again, it lets this lender recognise the person.
    """

    name: str
    terms: Terms
    source: str
    salt: bytes = field(default_factory=lambda: secrets.token_bytes(SALT_BYTES), repr=False)
    store: Store = field(default_factory=MemoryStore)
    decision: bool | None = None
    role = "wallet"

    def __post_init__(self) -> None:
        self.nonce = secrets.token_bytes(NONCE_BYTES)
        self._hashes = b""

    def handle(self, message: Message) -> list[Message]:
        """Take one step of the application."""
        match message.kind:
            case "apply":
                return [Message(self.terms.lender, "begin", b"")]
            case "box":
                return [Message(self.source, "ask", self.ask(message.body))]
            case "attestation":
                application, part = self.apply(message.body)
                return [
                    Message(self.terms.lender, "application", application),
                    Message(self.terms.helper, "part", part),
                ]
            case "decision":
                self.decision = self.read(message.body)
        return []

    def ask(self, box: bytes) -> bytes:
        """Return what the source needs; :class:`ForgeryError` unless the box has its length."""
        if len(box) != BOX_BYTES:
            raise ForgeryError("a lender's box was refused: it has another length; ask for a fresh one")
        tag = pseudonym(self.terms.lender, self.salt)
        return wire.Ask(tag, self.nonce, box, party_id(self.terms.helper), self.terms.layout).encode()

    def apply(self, attested: bytes) -> tuple[bytes, bytes]:
        """Return the application for the lender, and the part for the helper.

        Raises
        ------
        ForgeryError
            The source's answer is not as long as it must be.
        """
        shape = Shape.of(self.terms.layout)
        lengths = wire.attestation_bytes(shape), wire.part_bytes(shape), wire.HASHES_BYTES
        attestation, part, self._hashes = split(attested, *lengths)
        return wire.application_frame(self.salt, attestation), part

    def read(self, frame: bytes) -> bool:
        """Return the decision.

        Raises
        ------
        ForgeryError
            On another application, or without the token that stands for it.
        """
        approved, token = wire.read_decision(frame, self.nonce)
        expected = self._hashes[TOKEN_HASH_BYTES:] if approved else self._hashes[:TOKEN_HASH_BYTES]
        if token_hash(self.nonce, token) != expected:
            raise refuse(Kind.DECISION, "it is not what the enrolled card gives")
        return approved
