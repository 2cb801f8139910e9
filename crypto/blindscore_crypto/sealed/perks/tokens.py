"""Perk tokens: prove once that a score reaches a perk's threshold, then collect the perk without being followed.

Source: Privacy Pass. Tokens and challenges: RFC 9577, section 2; issuing: RFC 9578, type 0x0002 (blind RSA, 2048 bits,
:mod:`.blind_rsa`), which any gate can check, and type 0x0001 (VOPRF on P-384, :mod:`.voprf`), smaller, which only who
issued it can check. Who sees what: the office learns one bit (the perk's threshold is reached) and signs blindly; the
gate sees a token that the office does not recognise. Both together learn that one of the people who fetched this perk's
token in this epoch redeems it. Assumptions: those of the two schemes. Not protected: fetching and redeeming within
minutes of each other; an epoch in which few fetch.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from blindscore.errors import ForgeryError, ParameterError
from blindscore_crypto.sealed.blind.blind_rsa import PSS_DETERMINISTIC, Blinded, BlindSigner
from blindscore_crypto.sealed.blind.voprf import P384_SHA384, Client, Server
from blindscore_crypto.sealed.perks.token_key import BLIND_RSA, RSA_BITS, VOPRF, TokenKey, spki
from blindscore_crypto.sealed.terms import Epoch

NONCE_BYTES = 32
INPUT_BYTES = 2 + NONCE_BYTES + 32 + 32
RSA_BYTES = RSA_BITS // 8
AUTHENTICATOR_BYTES = {VOPRF: 48, BLIND_RSA: RSA_BYTES}
REQUEST_BYTES = {VOPRF: 3 + P384_SHA384.element_bytes, BLIND_RSA: 3 + RSA_BYTES}
ANSWER_BYTES = {VOPRF: P384_SHA384.element_bytes + P384_SHA384.proof_bytes, BLIND_RSA: RSA_BYTES}


@dataclass(frozen=True)
class Challenge:
    """What a gate asks for: tokens of this type and issuer, for this origin, in this context."""

    issuer: str
    origin: str
    context: bytes = b""  # 32 bytes or none
    kind: int = BLIND_RSA

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
        parts = self.kind.to_bytes(2, "big") + len(issuer).to_bytes(2, "big") + issuer
        return parts + bytes([len(self.context)]) + self.context + len(origin).to_bytes(2, "big") + origin

    @cached_property
    def digest(self) -> bytes:
        """SHA-256 of the encoded challenge."""
        return hashlib.sha256(self.encode()).digest()


def token_bytes(kind: int) -> int:
    """Bytes of a token of a type."""
    return INPUT_BYTES + AUTHENTICATOR_BYTES[kind]


@dataclass(frozen=True)
class PendingToken:
    """The client's half-way state: send `request`, hand the answer to :meth:`finish`."""

    request: bytes
    _input: bytes = field(repr=False)  # input and blinding link request and token
    _blinded: Blinded | Client = field(repr=False)

    def finish(self, answer: bytes) -> bytes:
        """Return the token.

        Raises
        ------
        ForgeryError
            Malformed, or made under another key than the published one.
        """
        if isinstance(self._blinded, Blinded):
            return self._input + self._blinded.finalize(answer)
        if len(answer) != ANSWER_BYTES[VOPRF]:
            raise ForgeryError(f"an answer has {ANSWER_BYTES[VOPRF]} bytes, got {len(answer)}")
        cut = P384_SHA384.element_bytes
        (output,) = self._blinded.finalize([answer[:cut]], answer[cut:])
        return self._input + output


def request_token(challenge: Challenge, key: TokenKey) -> PendingToken:
    """Begin a token under a key that was found in the public log.

    Raises
    ------
    ParameterError
        The challenge asks for another type.
    """
    return request_with(challenge, key, os.urandom(NONCE_BYTES))


def request_with(
    challenge: Challenge, key: TokenKey, nonce: bytes, blind: int | None = None, salt: bytes = b""
) -> PendingToken:
    """Return the same as :func:`request_token` with given randomness: for known-answer tests."""
    if challenge.kind != key.kind:
        raise ParameterError("the challenge asks for tokens of another type than this key makes")
    head = key.kind.to_bytes(2, "big")
    token_input = head + nonce + challenge.digest + key.key_id
    if key.kind == VOPRF:
        client = Client.begin(P384_SHA384, key.point, [token_input])
        if blind is not None:
            client = Client(P384_SHA384, key.point, (token_input,), (blind,))
        return PendingToken(head + key.key_id[-1:] + client.blinded[0], token_input, client)
    blinded = key.rsa.blind(PSS_DETERMINISTIC, token_input)
    if blind is not None:
        blinded = key.rsa.blind_with(PSS_DETERMINISTIC, token_input, blind, salt)
    return PendingToken(head + key.key_id[-1:] + blinded.message, token_input, blinded)


class Issuer(Protocol):
    """Who makes a perk's tokens in one epoch."""

    @property
    def key(self) -> TokenKey:
        """The key that the log holds."""
        ...

    def answer(self, request: bytes) -> bytes:
        """Return the answer to a request; ForgeryError if it is malformed."""
        ...


class RsaIssuer:
    """Issues tokens of type 2. Holds the signing key."""

    def __init__(self, perk: int, epoch: Epoch, signer: BlindSigner | None = None) -> None:
        self._signer = signer or BlindSigner()
        self.key = TokenKey(BLIND_RSA, perk, epoch, spki(self._signer.public))

    def answer(self, request: bytes) -> bytes:
        """See :class:`Issuer`."""
        return self._signer.sign(_named(self.key, request))


class VoprfIssuer:
    """Issues tokens of type 1, and is the only one who can check them. Holds the VOPRF key."""

    def __init__(self, perk: int, epoch: Epoch, server: Server | None = None) -> None:
        self._server = server or Server(P384_SHA384)
        self.key = TokenKey(VOPRF, perk, epoch, P384_SHA384.encode(self._server.public))

    def answer(self, request: bytes) -> bytes:
        """See :class:`Issuer`."""
        (evaluated,), proof = self._server.evaluate([_named(self.key, request)])
        return evaluated + proof

    def accepts(self, token_input: bytes, authenticator: bytes) -> bool:
        """Say whether a token was made under this key."""
        return hmac.compare_digest(self._server.output(token_input), authenticator)


def rsa_accepts(key: TokenKey, token_input: bytes, authenticator: bytes) -> bool:
    """Say whether a token of type 2 was made under a public key."""
    return key.rsa.verify(PSS_DETERMINISTIC, token_input, authenticator)


def _named(key: TokenKey, request: bytes) -> bytes:
    head = key.kind.to_bytes(2, "big") + key.key_id[-1:]
    if len(request) != REQUEST_BYTES[key.kind] or not request.startswith(head):
        raise ForgeryError(f"a token request has {REQUEST_BYTES[key.kind]} bytes and names this perk's key")
    return request[3:]
