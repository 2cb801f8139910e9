"""Office: hands out one blindly signed token for a proof that a perk's threshold is reached.

::

    ask -> offer; commit -> receipt; answer -> noted; fetch -> decision      as with a :class:`.lender.Lender`
    token: digest of the answer, request, signed by the one-time key -> token answer

Who sees what: the office learns one bit, and signs what it does not see. One person has one token an epoch, since the
office notes the holder's nullifier (:mod:`.holder`). Assumptions: those of :mod:`.lender` and :mod:`.tokens`. Not
protected: an office with few customers in an epoch. Nothing is granted after the token key's last day.
"""

from __future__ import annotations

import hashlib

from blindscore.errors import BlindscoreError, DataError, ForgeryError
from blindscore.parties.message import Message
from blindscore.parties.party import day_of
from blindscore.parties.store import Field, Store, TableSpec
from blindscore_crypto.channel.purposes import Purpose
from blindscore_crypto.channel.signatures import SIGNATURE_BYTES, SigningKey, VerifyingKey
from blindscore_crypto.sealed.offer import DIGEST_BYTES, HEAD_BYTES, OFFER_BYTES
from blindscore_crypto.sealed.parties.lender import KEEP_DAYS, Lender
from blindscore_crypto.sealed.perks.tokens import REQUEST_BYTES, Issuer

GRANTED = TableSpec("granted", Field("digest", "own"), (Field("request", "own"),), KEEP_DAYS)


def token_request(digest: bytes, request: bytes, client: SigningKey) -> bytes:
    """Return what a wallet sends for its token: for which answer, signed by the key that gave the answer."""
    return digest + request + client.sign(digest + request, Purpose.TOKEN_REQUEST)


class Office:
    """One perk's office in one epoch.

    Parameters
    ----------
    desk
        Decides on answers; its terms' threshold is the perk.
    issuer
        Makes the perk's tokens.

    Raises
    ------
    DataError
        The tokens are of another perk or epoch than the terms.
    """

    role = "office"

    def __init__(self, desk: Lender, issuer: Issuer) -> None:
        if (issuer.key.perk, issuer.key.epoch) != (desk.terms.threshold, desk.terms.epoch):
            raise DataError("an office's tokens are of the perk and epoch of its terms")
        self._desk, self._issuer = desk, issuer
        self.name = desk.name
        self.store.declare(GRANTED)

    @property
    def store(self) -> Store:
        """The desk's."""
        return self._desk.store

    def handle(self, message: Message) -> list[Message]:
        """See :class:`~blindscore.parties.party.Party`."""
        if message.kind != "token":
            return self._desk.handle(message)
        try:
            return [Message(message.sender, "token", self.grant(message.body))]
        except BlindscoreError:
            return [Message(message.sender, "refused", b"")]

    def settle(self) -> int:
        """See :meth:`.Lender.settle`."""
        return self._desk.settle()

    def sweep(self) -> int:
        """See :meth:`.Lender.sweep`."""
        return self._desk.sweep()

    def grant(self, body: bytes) -> bytes:
        """Return the blind signature for an approved answer. The same request gets the same answer, another none.

        Raises
        ------
        ForgeryError
            Malformed, an epoch that is over, an answer that was not approved, not asked by who gave it, or an answer
            that has bought another token.
        """
        key, today = self._issuer.key, day_of(self._desk._clock)
        if today > key.epoch.last_day:
            raise ForgeryError("this epoch is over; no token is due")
        if len(body) != DIGEST_BYTES + REQUEST_BYTES[key.kind] + SIGNATURE_BYTES:
            raise ForgeryError(
                f"a token is asked for with {DIGEST_BYTES + REQUEST_BYTES[key.kind] + SIGNATURE_BYTES} bytes"
            )
        name, request = body[:DIGEST_BYTES], body[DIGEST_BYTES:-SIGNATURE_BYTES]
        answer = self._desk.approved(name)
        if answer is None:
            raise ForgeryError("no approved answer has this name; no token is due")
        client = VerifyingKey(answer[1 + OFFER_BYTES : HEAD_BYTES])
        client.require(name + request, body[-SIGNATURE_BYTES:], Purpose.TOKEN_REQUEST)
        made = self._issuer.answer(request)  # refuses a malformed request before anything is noted
        asked = hashlib.sha256(request).digest()
        first = self.store.insert_once(GRANTED.name, name, {"request": asked}, today)
        if first is not None and first["request"] != asked:
            raise ForgeryError("this proof has bought a token already; fetch fresh signatures in the next epoch")
        return made
