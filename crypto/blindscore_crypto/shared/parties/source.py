"""Source: a bank that shares a customer's bins between a lender that it does not know and a helper that it does.

Who sees what: its own records; a fresh box and a salted hash in place of the lender; a layout in place of a card;
nothing after that. What it checks: that the layout is one by which it can bin, how often a person has asked, that a
helper is one with whom it has a line. Assumption: it tells the truth about its records and deals as it should; shares
of anything but one bin a characteristic are caught by the servers, a false deal of the rest is not.
"""

from __future__ import annotations

from collections.abc import Mapping

from blindscore.errors import BlindscoreError
from blindscore.parties.message import Message
from blindscore.parties.party import Clock, day_of
from blindscore.parties.store import Store
from blindscore_crypto.channel.frames import Kind, refuse
from blindscore_crypto.channel.signatures import SigningKey
from blindscore_crypto.encrypted.parties.source import LIMIT, Source
from blindscore_crypto.shared.deal import deal
from blindscore_crypto.shared.enrol import Deal, Dealt, Keys, party_id
from blindscore_crypto.shared.field import encode
from blindscore_crypto.shared.line import Line, seal_to
from blindscore_crypto.shared.points import deal_card, phi_of
from blindscore_crypto.shared.rows import Shape
from blindscore_crypto.shared.wire import Ask, Attested, Part


class SharingSource(Source):
    """A source; records, limit, store and signature as in :class:`~blindscore_crypto.encrypted.parties.source.Source`.

    Parameters
    ----------
    helpers
        Its lines to helpers, by their address.
    """

    def __init__(
        self,
        name: str,
        records: Mapping[str, Mapping[str, float | str | None]],
        store: Store,
        clock: Clock,
        signer: SigningKey,
        helpers: Mapping[str, Line],
        limit: int = LIMIT,
    ) -> None:
        super().__init__(name, records, store, clock, signer, limit)
        self._helpers = dict(helpers)
        self._by_id = {party_id(helper): (line, phi_of(line)) for helper, line in helpers.items()}

    def handle(self, message: Message) -> list[Message]:
        """Attest for whoever has logged in, and deal for a helper; a refusal is one and the same."""
        if message.kind != "deal":
            return super().handle(message)
        try:
            return [Message(message.sender, "dealt", self.deal_card(message.body, message.sender))]
        except BlindscoreError:
            return [Message(message.sender, "refusal", b"")]

    def attest(self, ask: bytes, legal_id: str) -> bytes:
        """Share a customer's bins; return attestation, part, and the hashes of the tokens "no" and "yes".

        Raises
        ------
        ForgeryError
            The ask is malformed, or names no helper of this source or no box.
        DataError
            The record cannot be binned by this layout.
        ParameterError
            Not a customer, or one who has had its share of attestations.
        """
        asked = Ask.decode(ask)
        if asked.helper not in self._by_id:
            raise refuse(Kind.ASK, "its helper is not one with whom this source has a line")
        line, phi = self._by_id[asked.helper]
        layout = asked.layout
        indicators = layout.indicators(self.bins(layout, legal_id))
        day, signer = day_of(self._clock), self.public.id
        helpers, lenders = deal(Shape.of(layout), indicators, asked.nonce, phi)
        sealed = seal_to(asked.lender_box, lenders.encode(), b"application" + asked.nonce)
        facts = Attested(signer, layout.fingerprint, asked.pseudonym, asked.nonce, day, asked.lender_box, sealed)
        part = Part(asked.nonce, day, layout.fingerprint, helpers.encode()).seal(signer, line)
        return facts.sign(self._signer) + part + b"".join(lenders.hashes)

    def deal_card(self, frame: bytes, helper: str) -> bytes:
        """Return the keys of a card for a helper and a lender whom it serves.

        Raises
        ------
        ForgeryError
            Malformed, or not from a helper with whom this source has a line.
        """
        line = self._helpers.get(helper)
        if line is None:
            raise refuse(Kind.DEAL, "it comes from no helper with whom this source has a line")
        asked = Deal.open(line, frame)
        pads, seed = deal_card(Shape.of(asked.layout), phi_of(line))
        keys = Keys.sign(seed, asked.layout.fingerprint, asked.box, self._signer)
        return Dealt(asked.box, keys, encode(pads)).seal(line)
