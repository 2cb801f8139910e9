"""Ed25519 signatures with domain separation (RFC 8032, on pycryptodome).

Who sees what: a signature names its signer to everybody who holds the public key. Assumption: discrete logarithms in
edwards25519, SHA-512. Not protected: a signer that is coerced, or that signs a falsehood.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from functools import cached_property

from Crypto.PublicKey import ECC
from Crypto.Signature import eddsa

from blindscore.errors import ForgeryError

SIGNATURE_BYTES = 64
KEY_BYTES = 32


def _framed(domain: bytes, message: bytes) -> bytes:
    return b"blindscore/sealed/v1/signature" + len(domain).to_bytes(2, "big") + domain + message


@dataclass(frozen=True)
class VerifyKey:
    """A public key: 32 bytes."""

    data: bytes

    @cached_property
    def _verifier(self) -> eddsa.EdDSASigScheme:
        try:
            return eddsa.new(eddsa.import_public_key(self.data), "rfc8032")
        except ValueError:
            raise ForgeryError(
                "an Ed25519 public key must be 32 bytes that encode a point; ask its owner anew"
            ) from None

    @property
    def key_id(self) -> bytes:
        """SHA-256 of the key, by which messages name it."""
        return hashlib.sha256(b"blindscore/key-id" + self.data).digest()

    def check(self, domain: bytes, message: bytes, signature: bytes) -> None:
        """Return if the signature is good.

        Raises
        ------
        ForgeryError
            It is not: other key, other domain, other message, or altered.
        """
        if len(signature) != SIGNATURE_BYTES:
            raise ForgeryError(f"an Ed25519 signature has {SIGNATURE_BYTES} bytes, got {len(signature)}")
        verifier = self._verifier
        try:
            verifier.verify(_framed(domain, message), signature)
        except ValueError:
            raise ForgeryError(f"the signature on this {domain.decode()} does not verify; discard it") from None


@dataclass(frozen=True)
class SigningKey:
    """A secret key: 32 bytes from the operating system, kept out of every printed form."""

    seed: bytes = field(default_factory=lambda: os.urandom(KEY_BYTES), repr=False)

    @cached_property
    def _key(self) -> ECC.EccKey:
        return eddsa.import_private_key(self.seed)

    @cached_property
    def public(self) -> VerifyKey:
        """The key that checks this one's signatures."""
        return VerifyKey(self._key.public_key().export_key(format="raw"))

    def sign(self, domain: bytes, message: bytes) -> bytes:
        """Return a 64-byte signature over the message in its domain."""
        return bytes(eddsa.new(self._key, "rfc8032").sign(_framed(domain, message)))
