"""Blind RSA signatures: the signer signs a message that it cannot see, and does not recognise the result.

Source: RFC 9474, all four RSABSSA-SHA384 variants, checked against its vectors. Who sees what: the signer sees one
uniform number below n a signature, whatever the message (blindness is perfect for honestly made keys; a randomized
variant protects against dishonest ones). Assumption: one-more RSA inversion. Not protected: a signer that uses another
key for each person; clients must take keys from a public log (:mod:`.log`).
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from math import gcd

from Crypto.Hash import SHA384
from Crypto.Math.Numbers import Integer
from Crypto.PublicKey import RSA
from Crypto.Signature import pss

from blindscore.errors import ForgeryError, ParameterError

HASH_BYTES = 48
PREFIX_BYTES = 32
MIN_BITS, MAX_BITS = 2048, 8192


@dataclass(frozen=True)
class Variant:
    """One of the four variants of RFC 9474, section 5."""

    name: str
    salt_bytes: int
    randomized: bool

    def prepare(self, message: bytes) -> bytes:
        """Return the message that is signed: with 32 random bytes in front if the variant is randomized."""
        return os.urandom(PREFIX_BYTES) + message if self.randomized else message


PSS_RANDOMIZED = Variant("RSABSSA-SHA384-PSS-Randomized", HASH_BYTES, True)
PSSZERO_RANDOMIZED = Variant("RSABSSA-SHA384-PSSZERO-Randomized", 0, True)
PSS_DETERMINISTIC = Variant("RSABSSA-SHA384-PSS-Deterministic", HASH_BYTES, False)
PSSZERO_DETERMINISTIC = Variant("RSABSSA-SHA384-PSSZERO-Deterministic", 0, False)
VARIANTS = {v.name: v for v in (PSS_RANDOMIZED, PSSZERO_RANDOMIZED, PSS_DETERMINISTIC, PSSZERO_DETERMINISTIC)}


@dataclass(frozen=True)
class BlindPublicKey:
    """(n, e).

    Raises
    ------
    ParameterError
        A modulus under 2048 bits (112-bit security, the floor of RFC 9474), even, or too large; or a weak exponent.
    """

    n: int
    e: int

    def __post_init__(self) -> None:
        if not MIN_BITS <= self.n.bit_length() <= MAX_BITS or self.n % 2 == 0:
            raise ParameterError(f"an RSA modulus must be odd and have {MIN_BITS} to {MAX_BITS} bits")
        if not 3 <= self.e < 1 << 33 or self.e % 2 == 0:
            raise ParameterError("an RSA exponent must be odd, at least 3 and at most 33 bits long")

    @property
    def size(self) -> int:
        """Bytes of a signature."""
        return (self.n.bit_length() + 7) // 8

    def verify(self, variant: Variant, prepared: bytes, signature: bytes) -> bool:
        """Say whether a finished signature is good: RSASSA-PSS (RFC 8017, 8.1.2)."""
        if len(signature) != self.size:
            return False
        key = RSA.construct((self.n, self.e), consistency_check=False)
        try:
            pss.new(key, salt_bytes=variant.salt_bytes).verify(SHA384.new(prepared), signature)
        except ValueError:
            return False
        return True

    def blind(self, variant: Variant, prepared: bytes) -> Blinded:
        """Return a blinded message for the signer, and the secret to unblind the answer (section 4.2)."""
        return self.blind_with(
            variant, prepared, 1 + secrets.randbelow(self.n - 1), salt=os.urandom(variant.salt_bytes)
        )

    def blind_with(self, variant: Variant, prepared: bytes, r: int, salt: bytes) -> Blinded:
        """Return the same as :meth:`blind` with given randomness: for known-answer tests.

        Raises
        ------
        ParameterError
            `r` or the encoded message is not invertible modulo n (which would factor n).
        """
        encoded = _encode_pss(prepared, self.n.bit_length() - 1, salt)
        m = int.from_bytes(encoded, "big")
        if gcd(m, self.n) != 1 or gcd(r, self.n) != 1:
            raise ParameterError("the blinding is not invertible; the key is bad")
        z = Integer(m) * pow(Integer(r), Integer(self.e), Integer(self.n)) % Integer(self.n)
        inverse = int(Integer(r).inverse(Integer(self.n)))
        return Blinded(self, variant, prepared, int(z).to_bytes(self.size, "big"), inverse)


@dataclass(frozen=True)
class Blinded:
    """The client's half-way state."""

    key: BlindPublicKey
    variant: Variant
    prepared: bytes
    message: bytes  # goes to the signer
    _inverse: int

    def __repr__(self) -> str:
        return f"Blinded({self.variant.name})"  # the inverse links request and signature

    def finalize(self, answer: bytes) -> bytes:
        """Return the signature on the prepared message (section 4.4).

        Raises
        ------
        ForgeryError
            Wrong length, or the signer's answer does not make a signature.
        """
        if len(answer) != self.key.size:
            raise ForgeryError(f"a blind signature has {self.key.size} bytes, got {len(answer)}")
        z = int.from_bytes(answer, "big")
        if z >= self.key.n:
            raise ForgeryError("the blind signature is not below the modulus")
        signature = (z * self._inverse % self.key.n).to_bytes(self.key.size, "big")
        if not self.key.verify(self.variant, self.prepared, signature):
            raise ForgeryError("the signer's answer does not make a signature under the published key")
        return signature


class BlindSigner:
    """Holds the secret key.

    Parameters
    ----------
    key
        An RSA key pair; by default a fresh one of `bits` bits from the operating system's generator.
    """

    def __init__(self, key: RSA.RsaKey | None = None, bits: int = MIN_BITS) -> None:
        if key is None:
            if not MIN_BITS <= bits <= MAX_BITS:
                raise ParameterError(f"an RSA key must have {MIN_BITS} to {MAX_BITS} bits, got {bits}")
            key = RSA.generate(bits)
        self.public = BlindPublicKey(int(key.n), int(key.e))
        self._p, self._q = Integer(int(key.p)), Integer(int(key.q))
        self._dp, self._dq = Integer(int(key.d % (key.p - 1))), Integer(int(key.d % (key.q - 1)))
        self._q_inverse = self._q.inverse(self._p)

    def sign(self, blinded: bytes) -> bytes:
        """Return the blind signature (section 4.3).

        Raises
        ------
        ForgeryError
            Wrong length, or not below the modulus.
        """
        n, e = Integer(self.public.n), Integer(self.public.e)
        if len(blinded) != self.public.size or int.from_bytes(blinded, "big") >= self.public.n:
            raise ForgeryError(f"a blinded message has {self.public.size} bytes and is below the modulus")
        # The base is blinded once more by the signer, so that the time of the secret powers tells nothing of the key.
        r = Integer(1 + secrets.randbelow(self.public.n - 1))
        m = Integer(int.from_bytes(blinded, "big"))
        base = m * pow(r, e, n) % n
        s_p, s_q = pow(base % self._p, self._dp, self._p), pow(base % self._q, self._dq, self._q)
        h = (s_p + self._p - s_q % self._p) * self._q_inverse % self._p
        s = (s_q + h * self._q) * r.inverse(n) % n
        if pow(s, e, n) != m:  # a fault in one half would give the factors away
            raise ParameterError("the signature came out wrong; the key or the machine is faulty")
        return int(s).to_bytes(self.public.size, "big")


def _mgf1(seed: bytes, length: int) -> bytes:
    blocks = -(-length // HASH_BYTES)
    return b"".join(SHA384.new(seed + i.to_bytes(4, "big")).digest() for i in range(blocks))[:length]


def _encode_pss(message: bytes, em_bits: int, salt: bytes) -> bytes:
    """EMSA-PSS-ENCODE with SHA-384 and MGF1-SHA-384 (RFC 8017, section 9.1.1)."""
    em_bytes = -(-em_bits // 8)
    digest = SHA384.new(bytes(8) + SHA384.new(message).digest() + salt).digest()
    db = b"\x01" + salt
    db = bytes(em_bytes - HASH_BYTES - 1 - len(db)) + db
    masked = bytes(a ^ b for a, b in zip(db, _mgf1(digest, len(db)), strict=True))
    masked = bytes([masked[0] & (0xFF >> (8 * em_bytes - em_bits))]) + masked[1:]
    return masked + digest + b"\xbc"
