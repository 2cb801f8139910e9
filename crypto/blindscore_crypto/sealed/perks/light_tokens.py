"""Light perk tokens: for a perk that is redeemed where it was issued. Smaller and faster than blind RSA.

A token is a random nonce and the VOPRF's value on it (:mod:`.voprf`): 64 bytes. Who sees what: the desk learns, at
issuing, that a perk's threshold is reached, and at redemption that somebody who reached it is there; its own two
records do not link. Assumptions: those of :mod:`.voprf`. Not protected: nobody but the desk can check a token; clients
must take the desk's key from a public log (:mod:`.log`), since a key for each person would mark them.
"""

from __future__ import annotations

import hashlib
import hmac
import os

from blindscore.errors import ForgeryError
from blindscore_crypto.channel.nullifiers import Nullifiers
from blindscore_crypto.sealed.blind.voprf import ELEMENT_BYTES, OUTPUT_BYTES, PROOF_BYTES, VoprfClient, VoprfServer
from blindscore_crypto.sealed.groups.group import Point
from blindscore_crypto.sealed.parties.lender import Check
from blindscore_crypto.sealed.presentation import check
from blindscore_crypto.sealed.terms import Terms

NONCE_BYTES = 32
TOKEN_BYTES = NONCE_BYTES + OUTPUT_BYTES
ANSWER_BYTES = ELEMENT_BYTES + PROOF_BYTES


class PendingLightToken:
    """The client's half-way state: send `request`, hand the answer to :meth:`finish`."""

    def __init__(self, published_key: Point) -> None:
        self._nonce = os.urandom(NONCE_BYTES)
        self._client = VoprfClient.begin(published_key, [self._nonce])
        self.request = self._client.blinded[0]

    def finish(self, answer: bytes) -> bytes:
        """Return the token.

        Raises
        ------
        ForgeryError
            Malformed, or made under another key than the published one.
        """
        if len(answer) != ANSWER_BYTES:
            raise ForgeryError(f"an answer has {ANSWER_BYTES} bytes, got {len(answer)}")
        (output,) = self._client.finalize([answer[:ELEMENT_BYTES]], answer[ELEMENT_BYTES:])
        return self._nonce + output


class LightDesk:
    """Issues and redeems one perk's tokens in one epoch. Holds the VOPRF key and what was spent."""

    def __init__(self, terms: Terms, epoch: int, spent: Nullifiers, check_frame: Check = check) -> None:
        self.terms, self._epoch, self._spent, self._check = terms, epoch, spent, check_frame
        self._server = VoprfServer()

    @property
    def public(self) -> Point:
        """The key that the public log holds."""
        return self._server.public

    def grant(self, frame: bytes, request: bytes) -> bytes:
        """Return the answer to a token request, for a proof that the perk's threshold is reached.

        Raises
        ------
        ForgeryError
            A malformed request, no proof of this epoch, or a proof that has bought another token.
        """
        (evaluated,), proof = self._server.evaluate([request])
        checked = self._check(self.terms, frame)
        if checked.offer.epoch != self._epoch or not checked.approved:
            raise ForgeryError("the frame does not prove this perk's threshold in this epoch; no token is due")
        if not self._spent.spend(checked.nullifiers, hashlib.sha256(frame + request).digest()):
            raise ForgeryError("this proof has bought a token already; fetch fresh signatures from the sources")
        return evaluated + proof

    def redeem(self, token: bytes, request_id: bytes) -> int:
        """Spend a token; return the perk's threshold. Asked again under one `request_id`, the answer is the same.

        Raises
        ------
        ForgeryError
            Malformed, not made here, or spent by another request.
        """
        if len(token) != TOKEN_BYTES:
            raise ForgeryError(f"a light token has {TOKEN_BYTES} bytes, got {len(token)}")
        nonce, output = token[:NONCE_BYTES], token[NONCE_BYTES:]
        if not hmac.compare_digest(self._server.output(nonce), output):
            raise ForgeryError("the token was not made under this desk's key")
        nullifier = hashlib.sha256(b"blindscore/sealed/v1/light-token" + nonce).digest()
        request = hashlib.sha256(b"blindscore/sealed/v1/redemption" + request_id).digest()
        if not self._spent.spend([nullifier], request):
            raise ForgeryError("the token was spent before")
        return self.terms.threshold
