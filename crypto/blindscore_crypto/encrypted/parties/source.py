"""Source: a bank that holds records and vouches, encrypted, for what it knows of a person.

Who sees what: its own records, the one-time key under which it encrypts, a salted hash in place of the lender, a layout
in place of a card; nothing after that. What it checks: that the layout is one by which it can itself bin, whose
fingerprint it computes itself; that the parameter set is the table's; how often a person has asked. Assumption: it
tells the truth and encrypts as it should. A source that does not is not caught here (see ``docs/threats.md``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from blindscore.errors import BlindscoreError, ParameterError
from blindscore.parties.message import Message
from blindscore.parties.party import Clock, day_of
from blindscore.parties.store import COUNT, Field, Store, TableSpec
from blindscore_crypto.channel.signatures import SigningKey, VerifyingKey
from blindscore_crypto.encrypted.compare.deal import deal, seal
from blindscore_crypto.encrypted.engines.choice import scheme_for
from blindscore_crypto.encrypted.wire import NO_BOX, Ask, Attested
from blindscore_crypto.layout import Layout

LIMIT = 100  # attestations a person and layout: an exact score gives points away, a little each time
ASKED = TableSpec("asked", Field("person_and_layout", "own"), (COUNT,))


def records_table(features: Sequence[str]) -> TableSpec:
    """Return the table of a source's records."""
    return TableSpec("records", Field("legal_id", "handle"), tuple(Field(name, "feature") for name in features))


def counted_under(layout: Layout, legal_id: str) -> bytes:
    """Return under what a source counts how often a person has asked by a layout (32 bytes)."""
    return hashlib.sha256(layout.fingerprint + legal_id.encode()).digest()


class Source:
    """A source.

    Parameters
    ----------
    name
        Its address.
    records
        What it holds by legal id: a value, or None, for each of its features. Written into the store.
    store, clock
        What it keeps, and what time it is.
    signer
        Its key; lenders believe it.
    limit
        Most attestations a person and layout, ever.
    features
        Of its records, where its store holds them already and ``records`` is empty.
    """

    role = "source"

    def __init__(
        self,
        name: str,
        records: Mapping[str, Mapping[str, float | str | None]],
        store: Store,
        clock: Clock,
        signer: SigningKey,
        limit: int = LIMIT,
        features: Sequence[str] = (),
    ) -> None:
        self.name, self.store, self.limit = name, store, limit
        self._clock, self._signer = clock, signer
        store.declare(records_table(features or list(next(iter(records.values()), {}))), ASKED)
        for legal_id, record in records.items():
            store.put("records", legal_id.encode(), record)

    @property
    def public(self) -> VerifyingKey:
        """The key that lenders check against."""
        return self._signer.public

    def handle(self, message: Message) -> list[Message]:
        """Attest for whoever has logged in; a refusal is one and the same."""
        try:
            return [Message(message.sender, "attestation", self.attest(message.body, message.sender))]
        except BlindscoreError:
            return [Message(message.sender, "refusal", b"")]

    def attest(self, ask: bytes, legal_id: str) -> bytes:
        """Encrypt a customer's bins and sign; return the attestation frame, and both keys frames if they are wanted.

        Raises
        ------
        ForgeryError
            The ask is malformed: no layout by which anybody can bin, no set of the table, no such receiver.
        DataError
            The record cannot be binned by this layout.
        ParameterError
            Not a customer, or one who has had its share of attestations.
        """
        asked = Ask.decode(ask)
        p = asked.parameters
        ones = asked.layout.ones(self.bins(asked.layout, legal_id))
        upload, day = scheme_for(p).encrypt(asked.key, ones), day_of(self._clock)
        facts = Attested(self.public.id, asked.layout.fingerprint, asked.pseudonym, asked.nonce, day, upload)
        frame = facts.sign(p.code, self._signer)
        if asked.lender_box == NO_BOX:
            return frame
        helper, lender = deal(p)
        to_lender = seal(p, lender, asked.lender_box, asked.nonce, day, self._signer)
        return frame + to_lender + seal(p, helper, asked.helper_box, asked.nonce, day, self._signer)

    def bins(self, layout: Layout, legal_id: str) -> list[int]:
        """Return a customer's bins by a layout, and count that it asked.

        Raises
        ------
        DataError
            The record cannot be binned by this layout.
        ParameterError
            Not a customer, or one who has had its share of attestations.
        """
        record = self.store.get("records", legal_id.encode())
        if record is None:
            raise ParameterError("no customer of this source")
        bins = layout.bins(record)
        if not self.store.count_up_to("asked", counted_under(layout, legal_id), self.limit):
            raise ParameterError(f"this person has had {self.limit} attestations for this layout; no more are given")
        return bins
