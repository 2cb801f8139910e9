"""Perk tokens: prove once that a score reaches a perk's threshold, then collect the perk without being followed.

Source: Privacy Pass token type 0x0002 (RFC 9578, section 6; challenges and tokens: RFC 9577, section 2), which is blind
RSA with 2048 bits (:mod:`.blind_rsa`). Who sees what: the office that issues learns one bit (the perk's threshold is
reached) and blindly signs; the gate that grants the perk sees a token that the office does not recognise. Both
together learn that one of the people who fetched this perk's token in this epoch redeems it. Assumptions: those of
:mod:`.blind_rsa`. Not protected: fetching and redeeming within minutes of each other; an epoch in which few fetch.

One key a perk and epoch: the key says what a token is worth, so that the token itself says nothing. Clients take keys
from a public log only, since an office with a key for each person could follow everybody.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from Crypto.Util.asn1 import DerBitString, DerSequence

from blindscore.errors import ForgeryError, ParameterError
from blindscore_crypto.channel.nullifiers import Nullifiers
from blindscore_crypto.sealed.attestation import u32
from blindscore_crypto.sealed.blind.blind_rsa import PSS_DETERMINISTIC, Blinded, BlindPublicKey, BlindSigner
from blindscore_crypto.sealed.parties.lender import Check
from blindscore_crypto.sealed.presentation import check
from blindscore_crypto.sealed.terms import Terms

TOKEN_TYPE = b"\x00\x02"
KEY_BITS = 2048
SIGNATURE_BYTES = KEY_BITS // 8
NONCE_BYTES = 32
INPUT_BYTES = 2 + NONCE_BYTES + 32 + 32
TOKEN_BYTES = INPUT_BYTES + SIGNATURE_BYTES
REQUEST_BYTES = 2 + 1 + SIGNATURE_BYTES
# AlgorithmIdentifier of id-RSASSA-PSS with SHA-384, MGF1-SHA-384 and salt length 48 (RFC 9578, section 6.5).
_PSS_ALGORITHM = bytes.fromhex(
    "303d06092a864886f70d01010a3030a00d300b0609608648016503040202"
    "a11a301806092a864886f70d010108300b0609608648016503040202a203020130"
)


@dataclass(frozen=True)
class Challenge:
    """What a gate asks for: tokens of this issuer, for this origin, in this context."""

    issuer: str
    origin: str
    context: bytes = b""  # 32 bytes or none

    def encode(self) -> bytes:
        """Return the TokenChallenge of RFC 9577, section 2.1.

        Raises
        ------
        ParameterError
            The context is neither empty nor 32 bytes, or a name is empty or too long.
        """
        issuer, origin = self.issuer.encode(), self.origin.encode()
        if len(self.context) not in (0, 32) or not 0 < len(issuer) < 1 << 16 or len(origin) >= 1 << 16:
            raise ParameterError("a challenge needs an issuer's name, and a context of 0 or 32 bytes")
        parts = TOKEN_TYPE + len(issuer).to_bytes(2, "big") + issuer + bytes([len(self.context)]) + self.context
        return parts + len(origin).to_bytes(2, "big") + origin

    @cached_property
    def digest(self) -> bytes:
        """SHA-256 of the encoded challenge."""
        return hashlib.sha256(self.encode()).digest()


@dataclass(frozen=True)
class TokenKey:
    """The public key of one perk in one epoch.

    Raises
    ------
    ParameterError
        Not a 2048-bit key, which is what the token type fixes.
    """

    perk: int  # threshold, points
    epoch: int
    public: BlindPublicKey

    def __post_init__(self) -> None:
        if self.public.n.bit_length() != KEY_BITS:
            raise ParameterError(f"token type 2 needs a {KEY_BITS}-bit key, this one has {self.public.n.bit_length()}")

    @cached_property
    def spki(self) -> bytes:
        """SubjectPublicKeyInfo with the RSASSA-PSS identifier, DER (RFC 9578, section 6.5)."""
        inner = DerSequence([self.public.n, self.public.e]).encode()
        return bytes(DerSequence([_PSS_ALGORITHM, DerBitString(inner).encode()]).encode())

    @cached_property
    def key_id(self) -> bytes:
        """SHA-256 of the SubjectPublicKeyInfo."""
        return hashlib.sha256(self.spki).digest()

    @property
    def log_entry(self) -> bytes:
        """What the public log holds of this key."""
        return b"token key" + u32("perk", self.perk) + u32("epoch", self.epoch) + self.spki


@dataclass(frozen=True)
class PendingToken:
    """The client's half-way state: send `request`, hand the answer to :meth:`finish`."""

    request: bytes
    _token_input: bytes
    _blinded: Blinded

    def __repr__(self) -> str:
        return "PendingToken()"  # token input and blinding link request and token

    def finish(self, answer: bytes) -> bytes:
        """Return the token (354 bytes).

        Raises
        ------
        ForgeryError
            The answer does not make a token under the published key.
        """
        return self._token_input + self._blinded.finalize(answer)


def request_token(challenge: Challenge, key: TokenKey, published: Iterable[TokenKey]) -> PendingToken:
    """Begin a token.

    Parameters
    ----------
    published
        Keys that the client found in the public log, under a head that others see too.

    Raises
    ------
    ForgeryError
        The key is not among them: it could be a key for this client alone.
    """
    if key.key_id not in {k.key_id for k in published if (k.perk, k.epoch) == (key.perk, key.epoch)}:
        raise ForgeryError("this token key is not in the public log; it could mark its holder")
    return _request(challenge, key, os.urandom(NONCE_BYTES))


def _request(challenge: Challenge, key: TokenKey, nonce: bytes) -> PendingToken:
    token_input = TOKEN_TYPE + nonce + challenge.digest + key.key_id
    blinded = key.public.blind(PSS_DETERMINISTIC, token_input)
    return PendingToken(TOKEN_TYPE + key.key_id[-1:] + blinded.message, token_input, blinded)


class PerkOffice:
    """Issues one token a proof. Holds the perk's signing key of the epoch, and the nullifiers of proofs it has seen."""

    def __init__(
        self,
        terms: Terms,
        epoch: int,
        spent: Nullifiers,
        signer: BlindSigner | None = None,
        check_frame: Check = check,
    ) -> None:
        self.terms = terms
        self._signer = signer or BlindSigner()
        self._spent, self._check = spent, check_frame
        self.key = TokenKey(terms.threshold, epoch, self._signer.public)

    def grant(self, frame: bytes, request: bytes) -> bytes:
        """Return the blind signature for a proof that the perk's threshold is reached. The same call, the same answer.

        Raises
        ------
        ForgeryError
            A malformed request, a proof that does not hold or is of another epoch, a refusal, or a proof that has
            bought another token.
        """
        if len(request) != REQUEST_BYTES or request[:3] != TOKEN_TYPE + self.key.key_id[-1:]:
            raise ForgeryError(f"a token request has {REQUEST_BYTES} bytes and names this perk's key")
        if int.from_bytes(request[3:], "big") >= self._signer.public.n:
            raise ForgeryError("the blinded message is not below the modulus")
        checked = self._check(self.terms, frame)
        if checked.offer.epoch != self.key.epoch or not checked.approved:
            raise ForgeryError("the frame does not prove this perk's threshold in this epoch; no token is due")
        if not self._spent.spend(checked.nullifiers, hashlib.sha256(frame + request).digest()):
            raise ForgeryError("this proof has bought a token already; fetch fresh signatures from the sources")
        return self._signer.sign(request[3:])


class Gate:
    """Grants a perk for a token, once. Holds public keys and spent tokens; sees no person."""

    def __init__(self, challenge: Challenge, keys: Iterable[TokenKey], spent: Nullifiers) -> None:
        self.challenge = challenge
        self._keys: Mapping[bytes, TokenKey] = {key.key_id: key for key in keys}
        self._spent = spent

    def redeem(self, token: bytes, request_id: bytes) -> int:
        """Spend a token; return the perk's threshold.

        Parameters
        ----------
        request_id
            The client's own random name of this redemption. Asked again under it, the gate answers the same, since the
            first answer may have been lost.

        Raises
        ------
        ForgeryError
            Malformed, for another gate, under an unknown key, not signed, or spent by another request.
        """
        if len(token) != TOKEN_BYTES or token[:2] != TOKEN_TYPE:
            raise ForgeryError(f"a token has {TOKEN_BYTES} bytes and is of type 2")
        digest, key_id = token[34:66], token[66:INPUT_BYTES]
        key = self._keys.get(key_id)
        if digest != self.challenge.digest or key is None:
            raise ForgeryError("the token was made for another gate, or under a key that this gate does not take")
        if not key.public.verify(PSS_DETERMINISTIC, token[:INPUT_BYTES], token[INPUT_BYTES:]):
            raise ForgeryError("the token's signature does not verify")
        # The signed input is the token: another valid signature over it buys nothing more.
        nullifier = hashlib.sha256(b"blindscore/sealed/v1/token" + token[:INPUT_BYTES]).digest()
        request = hashlib.sha256(b"blindscore/sealed/v1/redemption" + request_id).digest()
        if not self._spent.spend([nullifier], request):
            raise ForgeryError("the token was spent before")
        return key.perk
